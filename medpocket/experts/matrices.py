"""The matrices of a LoRA, read from and written into GGUF files.

A weight W (n_out, n_in) becomes W + scale * alpha / rank * B A, with A (rank, n_in) and B (n_out, rank).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medpocket.errors import AdapterError
from medpocket.experts.adapter import (
    ALPHA_KEY,
    BASE_NAME_KEY,
    EXPERT_KEY,
    FINGERPRINT_KEY,
    GAIN_KEY,
    INVOCATION_KEY,
    SIDES,
    TRAINING_DATA_KEY,
    Adapter,
)
from medpocket.models.gguf_kinds import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Matrices = Mapping[str, tuple[Matrix, Matrix]]  # by the weight's name, such as "blk.0.attn_v.weight"

BLOCK = 32  # elements that Q8_0, Q5_0 and Q4_0 quantize together, along a row; a row of B is as long as the rank
QUANTIZATIONS = ("q8_0", "q5_0", "q4_0", "f16", "f32")


@dataclass(frozen=True)
class Description:
    """What a LoRA file says about itself; the fields are those of Adapter."""

    architecture: str
    alpha: float
    invocation: tuple[int, ...] = ()
    expert: str | None = None
    fingerprint: str | None = None
    base_name: str | None = None
    training_data: str | None = None
    licence: str | None = None
    gain: float | None = None

    @classmethod
    def of(cls, adapter: Adapter) -> "Description":
        """What `adapter` says, to be written again."""
        return cls(**{name: getattr(adapter, name) for name in cls.__dataclass_fields__})


def read_matrices(path: Path) -> dict[str, "tuple[Matrix, Matrix]"]:
    """Return A (rank, n_in) and B (n_out, rank) of each weight, as float32. The file was checked before."""
    import gguf

    sides: dict[str, dict[str, Matrix]] = {}
    for tensor in gguf.GGUFReader(path).tensors:
        matched = SIDES.fullmatch(tensor.name)
        if matched:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            sides.setdefault(matched["weight"], {})[matched["side"]] = values.astype("float32")
    return {weight: (pair["a"], pair["b"]) for weight, pair in sides.items()}


def check_weights(path: Path) -> None:
    """Raise AdapterError where a weight of a checked file is no number, or where it changes nothing."""
    import numpy as np

    matrices = read_matrices(path)
    for weight, pair in matrices.items():
        if not all(np.isfinite(side).all() for side in pair):
            raise AdapterError(
                f"{shown(path.name)} cannot be used: a matrix of {shown(weight)} holds values that are no numbers",
                "its training went wrong: train it again with a smaller learning rate, or get the file again",
            )
    if not any(a.any() and b.any() for a, b in matrices.values()):
        raise AdapterError(
            f"{shown(path.name)} cannot be used: its matrices are zero, so it would change nothing",
            "it was never trained, or its training was lost: train it again",
        )


def write_adapter(path: Path, description: Description, matrices: "Matrices", quantization: str) -> None:
    """Write a LoRA file, whole or not at all. A rank that cannot be quantized is padded with zeros.

    Raises OSError.
    """
    import gguf

    kind = gguf.GGMLQuantizationType[quantization.upper()]
    rank = next(iter(matrices.values()))[0].shape[0]
    padded = (
        rank if kind in (gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.F32) else -(-rank // BLOCK) * BLOCK
    )
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # no other user may read it
    os.close(descriptor)
    writer = gguf.GGUFWriter(str(partial), description.architecture)
    try:
        _describe(writer, description, description.alpha * padded / rank)
        for weight, (a, b) in matrices.items():
            for side, values in (("a", _padded(a, padded, axis=0)), ("b", _padded(b, padded, axis=1))):
                writer.add_tensor(f"{weight}.lora_{side}", gguf.quants.quantize(values, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.flush()
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        writer.close()
        partial.unlink(missing_ok=True)


def _describe(writer: Any, description: Description, alpha: float) -> None:
    import gguf

    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32(ALPHA_KEY, alpha)
    if description.invocation:
        # `add_array` would write INT32, which llama.cpp refuses.
        kinds = gguf.GGUFValueType.ARRAY, gguf.GGUFValueType.UINT32
        writer.add_key_value(INVOCATION_KEY, list(description.invocation), *kinds)
    texts = {
        EXPERT_KEY: description.expert,
        FINGERPRINT_KEY: description.fingerprint,
        BASE_NAME_KEY: description.base_name,
        TRAINING_DATA_KEY: description.training_data,
        "general.license": description.licence,
    }
    for key, text in texts.items():
        if text is not None:
            writer.add_string(key, text)
    if description.gain is not None:
        writer.add_float32(GAIN_KEY, description.gain)


def _padded(matrix: "Matrix", rank: int, axis: int) -> "Matrix":
    import numpy as np

    missing = rank - matrix.shape[axis]
    widths = [(0, missing if number == axis else 0) for number in range(2)]
    return np.pad(matrix, widths).astype(np.float32)
