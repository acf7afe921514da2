"""What a measurement is made with, and what is measured: these are stated beside every figure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A model file. `template` is used where the file has none."""

    name: str
    path: Path
    template: str | None = None
    trained_context: int | None = None


@dataclass(frozen=True)
class BenchSettings:
    """`prompt_tokens` and `answer_tokens` are those of the rates; `gpu_layers` None means as many as fit."""

    threads: int
    context: int | None
    batch: int
    gpu_layers: int | None
    repack: bool
    prompt_tokens: int
    answer_tokens: int
    rounds: int
