"""Machines and models that are not here."""

from dataclasses import replace
from pathlib import Path

from medpocket.models.accelerators import Accelerator
from medpocket.models.gguf_file import GgufFile, TensorInfo
from medpocket.models.hardware import Machine, Memory
from medpocket.models.shape import LayerShape, ModelShape

GB = 10**9
LAYER = LayerShape(140_000_000, kv_elements=2048, head_elements=8192, matrices={"Q4_K": 248_000_000})
SEVEN_B = ModelShape(
    architecture="llama",
    layers=(LAYER,) * 32,
    output=LayerShape(107_000_000, matrices={"Q6_K": 131_072_000}),
    input_bytes=74_000_000,
    embedding=4096,
    feed_forward=14336,
    vocabulary=32_000,
)


def machine(available: int, total: int | None = None, **changes: object) -> Machine:
    """A machine of eight cores with so many bytes free."""
    made = Machine("a processor", ("AVX2",), 8, 8, Memory(total or 2 * available, available, 0))
    return replace(made, **changes)  # type: ignore[arg-type]


def graphics(free: int, *, shares_memory: bool = False) -> Accelerator:
    return Accelerator("CUDA0", "a graphics processor", "CUDA", free, free, shares_memory)


def mistral_7b() -> GgufFile:
    """Mistral-7B's numbers, with one tensor in the place of all."""
    numbers = {"block_count": 32, "embedding_length": 4096, "feed_forward_length": 14336}
    numbers |= {"attention.head_count": 32, "attention.head_count_kv": 8, "vocab_size": 32_000}
    metadata = {"general.architecture": "llama", **{f"llama.{name}": value for name, value in numbers.items()}}
    tensors = (TensorInfo("all", (4_368_000_000,), "I8", 0, 4_368_000_000),)
    return GgufFile(Path("m.gguf"), 4_369_000_000, 3, metadata, {}, tensors, 32, 1_000_000)
