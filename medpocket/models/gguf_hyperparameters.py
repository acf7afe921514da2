"""Check the numbers that llama.cpp divides by, multiplies, or asserts on."""

from math import isfinite

from medpocket.errors import ModelFileError
from medpocket.models.gguf_architectures import (
    EMBEDDER,
    FAMILIES,
    HEADS_FILL_EMBEDDING,
    NEEDS_EXPERTS,
    SECTIONED_ROPE,
    WHOLE_HEAD_ROPE,
    WITHOUT_ROPE,
    Family,
)
from medpocket.models.gguf_file import MAX_LAYERS, GgufFile
from medpocket.models.gguf_kinds import damaged, shown

MAX_CONTEXT = 1 << 27
MAX_EMBEDDING = 1 << 20
MAX_HEADS = 1 << 16
MAX_EXPERTS = 1024  # LLAMA_MAX_EXPERTS
MAX_WINDOW = 1 << 27
ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
NOT_NEGATIVE = (
    "attention.layer_norm_epsilon",
    "attention.layer_norm_rms_epsilon",
    "attention.group_norm_epsilon",
    "rope.scaling.factor",
    "rope.scale_linear",
    "rope.freq_base",
)
NOT_ZERO = ("rope.freq_base",)


def check_hyperparameters(gguf: GgufFile) -> None:
    """Refuse numbers that would abort the process, overflow, or ask for absurd amounts of memory."""
    family = FAMILIES.get(gguf.architecture or "")
    _check_floats(gguf)
    _number(gguf, "context_length", 1, MAX_CONTEXT)
    _number(gguf, "embedding_length", 1, MAX_EMBEDDING)
    layers = _number(gguf, "block_count", 1, MAX_LAYERS)
    _number(gguf, "nextn_predict_layers", 0, layers - 1, default=0)
    _check_heads(gguf, layers)
    _check_rope(gguf)
    _check_experts(gguf, layers)
    _check_purpose(gguf)
    if family:
        _check_family(gguf, family)


def _refuse(gguf: GgufFile, name: str, value: object) -> ModelFileError:
    return damaged(gguf.path, f"{shown(gguf.own(name))} is {shown(str(value))}")


def _number(gguf: GgufFile, name: str, low: int, high: int, default: int | None = None) -> int:
    """The architecture's number of this name, within its range."""
    key = gguf.own(name)
    if key not in gguf.metadata:
        if default is None:
            raise damaged(gguf.path, f"{shown(key)} is missing")
        return default
    value = gguf.number(key)
    if gguf.value_types[key] != "u32" or value is None:
        raise damaged(gguf.path, f"{shown(key)} has the wrong type, {gguf.value_types[key]}")
    if not low <= value <= high:
        raise _refuse(gguf, name, value)
    return value


def _check_floats(gguf: GgufFile) -> None:
    prefix = gguf.own("")
    for key, value in gguf.metadata.items():
        if key.startswith(prefix) and isinstance(value, float) and not isfinite(value):
            raise _refuse(gguf, key[len(prefix) :], value)
    for name in NOT_NEGATIVE:
        value = gguf.metadata.get(gguf.own(name), 1.0)
        if not isinstance(value, float) or value < 0 or (value == 0 and name in NOT_ZERO):
            raise _refuse(gguf, name, value)


def _check_heads(gguf: GgufFile, layers: int) -> None:
    for name in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        key, counts = gguf.own(name), gguf.per_layer(name)
        if key not in gguf.metadata:
            continue
        if gguf.value_types[key] not in ("u32", "arr[u32]", "arr[i32]") or len(counts) != layers:
            raise damaged(gguf.path, f"{shown(key)} has the wrong type or length, {gguf.value_types[key]}")
        limit = MAX_EMBEDDING if name == "feed_forward_length" else MAX_HEADS
        if min(counts) < 0 or max(counts) > limit:
            raise _refuse(gguf, name, max(counts, key=abs))
    for heads, kv_heads in zip(gguf.head_counts, gguf.kv_head_counts, strict=False):
        if kv_heads and heads % kv_heads:
            raise damaged(gguf.path, f"{heads} heads cannot share {kv_heads} keys and values")
    for name in ("attention.key_length", "attention.value_length"):
        _number(gguf, name, 1, MAX_HEADS, default=1)
    together = max(gguf.head_counts, default=0) * (gguf.key_length or 0)
    if gguf.architecture in HEADS_FILL_EMBEDDING and together != gguf.embedding_length:
        raise damaged(gguf.path, f"its heads together are {together} long, an embedding {gguf.embedding_length}")


def _check_rope(gguf: GgufFile) -> None:
    scaling = gguf.own("rope.scaling.type")
    if scaling in gguf.metadata and gguf.metadata[scaling] not in ROPE_SCALINGS:
        raise _refuse(gguf, "rope.scaling.type", gguf.metadata[scaling])
    _check_rope_sections(gguf)
    length = gguf.key_length
    if gguf.architecture in WHOLE_HEAD_ROPE and (not length or length != gguf.value_length):
        raise damaged(gguf.path, f"keys of {length} and values of {gguf.value_length} do not fit")
    rotated = _number(gguf, "rope.dimension_count", 0, MAX_HEADS, default=length or 0)
    if gguf.architecture in WITHOUT_ROPE or not length:
        return
    # Layers with a sliding window may have heads of their own.
    window_length = _number(gguf, "attention.key_length_swa", 1, MAX_HEADS, default=length)
    window_rotated = _number(gguf, "rope.dimension_count_swa", 0, MAX_HEADS, default=rotated)
    for turned, head in ((rotated, length), (window_rotated, window_length)):
        whole = gguf.architecture in WHOLE_HEAD_ROPE
        if not 0 < turned <= head or turned % 2 or (whole and turned != head):
            raise damaged(gguf.path, f"it rotates {turned} of a head's {head} elements")


def _check_rope_sections(gguf: GgufFile) -> None:
    key = gguf.own("rope.dimension_sections")
    if key not in gguf.metadata and gguf.architecture not in SECTIONED_ROPE:
        return
    sections = gguf.metadata.get(key)
    if gguf.value_types.get(key) not in ("arr[i32]", "arr[u32]") or not isinstance(sections, tuple):
        raise _refuse(gguf, "rope.dimension_sections", "missing" if sections is None else "no list of numbers")
    lengths = [int(one) for one in sections]
    if min(lengths, default=0) < 0 or sum(lengths) > (gguf.key_length or 0) or not any(lengths[:3]):
        raise _refuse(gguf, "rope.dimension_sections", lengths)


def _check_experts(gguf: GgufFile, layers: int) -> None:
    fewest = 1 if gguf.architecture in NEEDS_EXPERTS else 0
    experts = _number(gguf, "expert_count", fewest, MAX_EXPERTS, default=None if fewest else 0)
    groups = _number(gguf, "expert_group_count", 0, MAX_EXPERTS, default=0)
    used_groups = _number(gguf, "expert_group_used_count", 0, MAX_EXPERTS, default=0)
    used = gguf.per_layer("expert_used_count")
    key = gguf.own("expert_used_count")
    if key in gguf.metadata and len(used) != layers:
        raise damaged(gguf.path, f"{shown(key)} has the wrong type or length, {gguf.value_types[key]}")
    most = max(used, default=0)
    if min(used, default=0) < 0 or most > experts or (experts and not most):
        raise damaged(gguf.path, f"it uses {most} of {experts} experts")
    if groups >= max(experts, 1):
        raise damaged(gguf.path, f"its {experts} experts form {groups} groups")
    # The two best experts of each group are asked for, so a group has two.
    if groups > 1 and (experts % groups or experts // groups < 2 or not 0 < used_groups < groups):
        raise damaged(gguf.path, f"it uses {used_groups} of {groups} groups of its {experts} experts")


def _check_purpose(gguf: GgufFile) -> None:
    causal = gguf.metadata.get(gguf.own("attention.causal"), True)
    pooling = _number(gguf, "pooling_type", 0, 4, default=0)
    if causal is not True or pooling:
        raise ModelFileError(
            f"{shown(gguf.path.name)} is {EMBEDDER}",
            "give a model that answers: its name often ends in -instruct or -chat",
        )


def _check_family(gguf: GgufFile, family: Family) -> None:
    """A decoder of Llama's build: one shape for all layers."""
    for name in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        counts = gguf.per_layer(name)
        if (not counts and name != "attention.head_count_kv") or 0 in counts:
            raise _refuse(gguf, name, 0 if counts else "missing")
        if len(set(counts)) > 1:
            raise damaged(gguf.path, f"{shown(gguf.own(name))} differs between layers")
    if gguf.own("attention.layer_norm_rms_epsilon") not in gguf.metadata:
        raise damaged(gguf.path, f"{shown(gguf.own('attention.layer_norm_rms_epsilon'))} is missing")
    if gguf.expert_count and not family.experts:
        raise _refuse(gguf, "expert_count", gguf.expert_count)
    if family.window_every:
        _check_windows(gguf, family.window_every)


def _check_windows(gguf: GgufFile, every: int) -> None:
    """Some layer has a window where there are windows at all, and heads of one size."""
    for name in ("key_length", "value_length"):
        full = gguf.key_length if name == "key_length" else gguf.value_length
        if _number(gguf, f"attention.{name}_swa", 1, MAX_HEADS, default=full) != full:
            raise damaged(gguf.path, f"{shown(gguf.own(f'attention.{name}'))} differs between layers")
    # Only Gemma 3 reads a width of 0 as "no windows".
    lowest = 0 if gguf.architecture == "gemma3" else 1
    width = _number(gguf, "attention.sliding_window", lowest, MAX_WINDOW, default=0)
    if not width and gguf.architecture == "gemma3":
        return
    key = gguf.own("attention.sliding_window_pattern")
    pattern = gguf.metadata.get(key, every)
    if isinstance(pattern, tuple):
        windowed = any(pattern)
    else:
        windowed = pattern == 0 or _number(gguf, "attention.sliding_window_pattern", 0, MAX_LAYERS, default=every) > 1
    if not windowed:
        raise damaged(gguf.path, f"{shown(key)} leaves no layer with a window")
