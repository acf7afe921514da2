"""Read the folder that PEFT leaves (`adapter_config.json`, `adapter_model.safetensors`) as matrices for a GGUF base,
and the matrices of a GGUF adapter as PEFT names and orders them.

What is folded in: rank-stabilized scaling (alpha over the square root of the rank, arXiv 2312.03732), ranks and alphas
that differ from module to module, and the order of the rows of queries and keys, which conversion to GGUF changes for
architectures that are called `llama` there.
"""

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medpocket.errors import AdapterError
from medpocket.experts.adapter import Adapter
from medpocket.experts.matrices import Description, read_matrices
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_kinds import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
MODULES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
TENSOR = re.compile(
    r"base_model\.model\.model\.layers\.(?P<layer>\d+)\.(?P<module>[a-z_]+\.[a-z_]+)\.lora_(?P<side>[AB])\.weight"
)
WEIGHT = re.compile(r"blk\.(?P<layer>\d+)\.(?P<name>[a-z_]+)\.weight")
PERMUTED = frozenset({"llama"})
_MOST_CONFIG_BYTES = 1 << 20
_NUMPY = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


def is_peft_folder(path: Path) -> bool:
    return path.is_dir() and ((path / CONFIG).exists() or (path / WEIGHTS).exists())


def permuted(rows: Any, heads: int) -> Any:
    """Reorder the rows of a query or key matrix, (heads * size, n_in), from halves to the pairs that ggml rotates."""
    size = rows.shape[0] // heads
    return rows.reshape(heads, 2, size // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def _unpermuted(rows: Any, heads: int) -> Any:
    size = rows.shape[0] // heads
    return rows.reshape(heads, size // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def read_peft_folder(folder: Path, base: GgufFile) -> tuple[Description, dict[str, "tuple[Matrix, Matrix]"]]:
    """Return what the adapter says of itself and its matrices, named and ordered as `base` is.

    Raises AdapterError for what llama.cpp cannot run, by name.
    """
    config = _config(folder)
    _check_config(folder, config)
    sides: dict[tuple[int, str], dict[str, Matrix]] = {}
    unsupported: set[str] = set()
    for name, values in _tensors(folder).items():
        matched = TENSOR.fullmatch(name)
        if not matched or matched["module"] not in MODULES:
            unsupported.add(name.removeprefix("base_model.model."))
        else:
            sides.setdefault((int(matched["layer"]), matched["module"]), {})[matched["side"]] = values
    if unsupported:
        raise _refused(folder, f"it changes what no GGUF adapter can: {_listed(unsupported)}")
    if not sides:
        raise _refused(folder, "it changes no module")
    matrices = {}
    largest = max(pair["A"].shape[0] for pair in sides.values() if "A" in pair)
    for (layer, module), pair in sorted(sides.items()):
        if len(pair) < 2 or pair["A"].ndim != 2 or pair["B"].ndim != 2 or pair["A"].shape[0] != pair["B"].shape[1]:
            raise _refused(folder, f"the two matrices of layer {layer}'s {module} do not fit together")
        scale = _scale(config, layer, module, rank=pair["A"].shape[0])
        matrices[f"blk.{layer}.{MODULES[module]}.weight"] = _ready(pair["A"], pair["B"] * scale, largest, module, base)
    invocation = config.get("alora_invocation_tokens") or ()
    description = Description(
        architecture=base.architecture or "",
        alpha=float(largest),  # the scale is in B: alpha over the rank is 1
        invocation=tuple(int(token) for token in invocation),
        fingerprint=base_fingerprint(base),
        base_name=base.name,
    )
    return description, matrices


def as_peft(adapter: Adapter, base: GgufFile) -> dict[str, "tuple[Matrix, Matrix]"]:
    """Return an adapter's matrices by PEFT's names of the modules, in its order of rows; the scale is in B.

    Raises AdapterError where one belongs to no module that is trained.
    """
    modules = {gguf: module for module, gguf in MODULES.items()}
    matrices = {}
    for weight, (a, b) in read_matrices(adapter.path).items():
        matched = WEIGHT.fullmatch(weight)
        if not matched or matched["name"] not in modules:
            raise _refused(adapter.path, f"it changes {shown(weight)}, which is not trained here")
        layer, module = matched["layer"], modules[matched["name"]]
        ordered = _unpermuted(b, _heads(module, base)) if _is_permuted(module, base) else b
        matrices[f"model.layers.{layer}.{module}"] = a, ordered * (adapter.alpha / a.shape[0])
    return matrices


def _is_permuted(module: str, base: GgufFile) -> bool:
    return base.architecture in PERMUTED and module in ("self_attn.q_proj", "self_attn.k_proj")


def _heads(module: str, base: GgufFile) -> int:
    return (base.head_counts if module.endswith("q_proj") else base.kv_head_counts)[0]


def _ready(a: "Matrix", b: "Matrix", rank: int, module: str, base: GgufFile) -> "tuple[Matrix, Matrix]":
    import numpy as np

    if _is_permuted(module, base):
        heads = _heads(module, base)
        if b.shape[0] % (2 * heads):
            raise AdapterError(
                f"the adapter's {module} has {b.shape[0]} rows, which this model's {heads} heads do not divide",
                "it was trained on another base model: give that one with -m",
            )
        b = permuted(b, heads)
    missing = rank - a.shape[0]
    return (
        np.pad(a, ((0, missing), (0, 0))).astype(np.float32),
        np.pad(b, ((0, 0), (0, missing))).astype(np.float32),
    )


def _scale(config: dict[str, Any], layer: int, module: str, rank: int) -> float:
    name = f"model.layers.{layer}.{module}"
    alpha = float(_matching(config.get("alpha_pattern"), name, config["lora_alpha"]))
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def _matching(patterns: Any, name: str, default: Any) -> Any:
    """The value of the first pattern that the name ends with, as PEFT looks them up (get_pattern_key)."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", name):
            return value
    return default


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        if path.stat().st_size > _MOST_CONFIG_BYTES:
            raise _refused(folder, f"its {CONFIG} is far too long")
        config: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _refused(folder, f"it has no {CONFIG}", "give the whole folder that PEFT wrote") from None
    except (OSError, ValueError, RecursionError):
        raise _refused(folder, f"its {CONFIG} cannot be read") from None
    if not isinstance(config, dict):
        raise _refused(folder, f"its {CONFIG} is no table of settings")
    alpha = config.get("lora_alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not math.isfinite(alpha) or alpha <= 0:
        raise _refused(folder, f"its {CONFIG} gives no lora_alpha above zero, and its scale would be wrong")
    return config


def _check_config(folder: Path, config: dict[str, Any]) -> None:
    kind = config.get("peft_type", "LORA")
    if kind != "LORA":
        raise _refused(folder, f"it is a {shown(str(kind))} adapter, not a LoRA", "train it as a LoRA")
    if config.get("use_dora"):
        raise _refused(folder, "it uses DoRA, whose magnitudes no GGUF adapter can hold", "train it with use_dora off")
    if config.get("modules_to_save"):
        raise _refused(folder, f"it replaces whole modules: {_listed(map(str, config['modules_to_save']))}")


def _tensors(folder: Path) -> dict[str, "Matrix"]:
    import numpy as np
    from safetensors import SafetensorError, deserialize

    path = folder / WEIGHTS
    try:
        found = deserialize(path.read_bytes())  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        raise _refused(folder, f"it has no {WEIGHTS}", "give the whole folder that PEFT wrote") from None
    except (OSError, SafetensorError):
        raise _refused(folder, f"its {WEIGHTS} is damaged or cannot be read") from None
    tensors = {}
    for name, tensor in found:
        kind, data = tensor["dtype"], tensor["data"]
        if kind == "BF16":
            values = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
        elif kind in _NUMPY:
            values = np.frombuffer(data, _NUMPY[kind])
        else:
            raise _refused(folder, f"its tensor {shown(name)} has the type {shown(str(kind))}")
        tensors[name] = values.reshape(tensor["shape"]).astype(np.float32)
    return tensors


def _listed(names: Any, most: int = 4) -> str:
    ordered = [shown(name) for name in sorted(names)]
    rest = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {rest} more" if rest > 0 else "")


def _refused(
    folder: Path, reason: str, hint: str = "train it on other modules, or take another adapter"
) -> AdapterError:
    return AdapterError(f"{shown(folder.name)} cannot be used: {reason}", hint)
