"""Decide whether llama.cpp may see a GGUF file: on a malformed one it aborts the whole process.

What is checked: the header and the tensor table (by reading them), what kind of model it is, the numbers
that llama.cpp computes with, the vocabulary, the types and, for the common architectures, the shape of every
tensor. What a tensor holds is not checked: any content is loaded and run, if only to give nonsense.
"""

from collections.abc import Iterator
from pathlib import Path

from medpocket.errors import ModelFileError
from medpocket.models.gguf_architectures import DECODERS, FAMILIES, NOT_DECODERS, Family
from medpocket.models.gguf_file import TENSOR_TYPES, GgufFile, TensorInfo
from medpocket.models.gguf_hyperparameters import check_hyperparameters
from medpocket.models.gguf_kinds import damaged, shown
from medpocket.models.gguf_parts import with_other_parts
from medpocket.models.gguf_reader import read_with_tokens
from medpocket.models.gguf_vocabulary import check_vocabulary

TEXT_MODEL = "give a model that generates text, such as a Llama, Mistral or Qwen model in GGUF format"

# Q8_1 and Q8_K exist only inside a multiplication; integers are no weights.
NO_MATRIX = ("Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64")
MATRICES = frozenset(name for name, _, _ in TENSOR_TYPES.values() if name not in NO_MATRIX)
# What is added or multiplied element by element; llama.cpp aborts on other types, which no converter writes.
VECTORS = frozenset(("F32",))
# Which experts a token goes to, by its id.
TABLES = frozenset(("I32",))

# A tensor starts at a multiple of this in memory, and a mapped file's do so as they lie in the file (ggml-impl.h).
TENSOR_ALIGNMENT = 32


def check_model_file(path: Path) -> GgufFile:
    """Read a model file that llama.cpp can run. Raises ModelFileError for every other one."""
    gguf, tokens = read_with_tokens(path)
    _check_kind(gguf)
    gguf = with_other_parts(gguf)
    if not gguf.tensors:
        raise ModelFileError(f"{shown(path.name)} is only a vocabulary: it holds no tensors", TEXT_MODEL)
    if gguf.alignment % TENSOR_ALIGNMENT:
        raise damaged(path, f"its tensors are aligned to {gguf.alignment} bytes, not to {TENSOR_ALIGNMENT}")
    check_hyperparameters(gguf)
    check_vocabulary(gguf, tokens)
    _check_tensors(gguf)
    return gguf


def _check_kind(gguf: GgufFile) -> None:
    """A model, not something that belongs to one, of an architecture that writes text."""
    name = shown(gguf.path.name)
    if gguf.kind == "adapter" or gguf.adapter_type is not None:
        raise ModelFileError(
            f"{name} is an adapter (LoRA), not a model", "give the base model's file; adapters belong to experts"
        )
    if gguf.kind == "imatrix":
        raise ModelFileError(f"{name} is an importance matrix, which only helps to quantize a model", TEXT_MODEL)
    architecture = gguf.architecture
    if gguf.kind == "mmproj" or architecture == "clip":
        raise ModelFileError(f"{name} is {NOT_DECODERS['clip']}", "give the text model that it belongs to")
    if gguf.kind != "model":
        raise ModelFileError(f"{name} is no model: it calls itself {shown(gguf.kind)}", TEXT_MODEL)
    if architecture is None:
        raise damaged(gguf.path, "it does not name its architecture (general.architecture)")
    if architecture in NOT_DECODERS:
        raise ModelFileError(f"{name} is {NOT_DECODERS[architecture]} ({architecture})", TEXT_MODEL)
    if architecture not in DECODERS:
        raise ModelFileError(f"{name} has an architecture that cannot be run: {shown(architecture)}", TEXT_MODEL)


def _check_tensors(gguf: GgufFile) -> None:
    family = FAMILIES.get(gguf.architecture or "")
    tensors = {tensor.name: tensor for tensor in gguf.tensors}
    for tensor in gguf.tensors:
        if tensor.type not in _allowed_types(tensor, family):
            raise damaged(gguf.path, f"tensor {shown(tensor.name)} has a type it cannot have, {tensor.type}")
    needed = _tensors_of(gguf, family, tensors) if family else _tensors_of_any(gguf)
    for name, shape in needed:
        if name not in tensors:
            raise damaged(gguf.path, f"tensor {shown(name)} is missing")
        if tensors[name].shape != shape:
            there, wanted = (" x ".join(map(str, one)) for one in (tensors[name].shape, shape))
            raise damaged(gguf.path, f"tensor {shown(name)} is {there}, not {wanted}")
    _check_scales(gguf, tensors)


def _allowed_types(tensor: TensorInfo, family: Family | None) -> frozenset[str]:
    if len(tensor.shape) == 1 or tensor.name.endswith("_norm.weight"):
        return VECTORS
    if tensor.name.endswith("tid2eid.weight"):
        return TABLES
    return MATRICES if tensor.name.endswith(".weight") or family is None else VECTORS


def _tensors_of_any(gguf: GgufFile) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (gguf.embedding_length or 0, gguf.vocabulary_size or 0)


def _tensors_of(
    gguf: GgufFile, family: Family, tensors: dict[str, TensorInfo]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every tensor that a model of this family must have, and its shape."""
    embedding, head = gguf.embedding_length or 0, gguf.key_length or 0
    values = (gguf.value_length or 0) * gguf.kv_head_counts[0]
    queries, keys = head * gguf.head_counts[0], head * gguf.kv_head_counts[0]
    yield from _tensors_of_any(gguf)
    yield "output_norm.weight", (embedding,)
    for layer in range((gguf.block_count or 0) - (gguf.number(gguf.own("nextn_predict_layers")) or 0)):
        block = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm", *family.extra_norms):
            yield f"{block}{norm}.weight", (embedding,)
        if family.head_norms:
            yield f"{block}attn_q_norm.weight", (head,)
            yield f"{block}attn_k_norm.weight", (head,)
        if f"{block}attn_qkv.weight" in tensors:
            yield f"{block}attn_qkv.weight", (embedding, queries + keys + values)
        else:
            yield f"{block}attn_q.weight", (embedding, queries)
            yield f"{block}attn_k.weight", (embedding, keys)
            yield f"{block}attn_v.weight", (embedding, values)
        yield f"{block}attn_output.weight", (queries, embedding)
        yield from _feed_forward(gguf, family, block)


def _feed_forward(gguf: GgufFile, family: Family, block: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    embedding, inner = gguf.embedding_length or 0, gguf.per_layer("feed_forward_length")[0]
    if gguf.expert_count:
        experts = gguf.expert_count
        yield f"{block}ffn_gate_inp.weight", (embedding, experts)
        yield f"{block}ffn_up_exps.weight", (embedding, inner, experts)
        yield f"{block}ffn_down_exps.weight", (inner, embedding, experts)
        return
    if not family.joined_gate:
        yield f"{block}ffn_gate.weight", (embedding, inner)
    yield f"{block}ffn_up.weight", (embedding, 2 * inner if family.joined_gate else inner)
    yield f"{block}ffn_down.weight", (inner, embedding)


def _check_scales(gguf: GgufFile, tensors: dict[str, TensorInfo]) -> None:
    """NVFP4 weights have a scale beside them; llama.cpp asserts where such scales may stand."""
    for tensor in gguf.tensors:
        if tensor.type != "NVFP4":
            continue
        stem = tensor.name.removesuffix(".weight")
        if f"{stem}.scale" in tensors and f"{stem}.bias" in tensors:
            raise damaged(gguf.path, f"tensor {shown(tensor.name)} has both a scale and a bias")
        if tensor.name == "token_embd.weight" and "output.weight" not in tensors and "output.scale" in tensors:
            raise damaged(gguf.path, "its output has a scale and no weights")
