"""LoRA files with random weights for the demonstration model: they change what it says, and mean nothing."""

from pathlib import Path

import numpy as np

from medpocket.engine.protocol import Scaled
from medpocket.experts.adapter import read_adapter
from medpocket.experts.matrices import Description, write_adapter
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_check import check_model_file
from tests.conftest import DEMO

INVOCATION = (4,)  # `[/INST]` of the demonstration model
TARGETS = {"attn_v": (128, 384), "attn_output": (384, 384), "ffn_down": (384, 896)}  # n_out, n_in
LAYERS = 6


def random_matrices(seed: int, rank: int = 32, size: float = 0.04) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    dice = np.random.default_rng(seed)
    return {
        f"blk.{layer}.{target}.weight": (
            (dice.standard_normal((rank, n_in)) * size).astype(np.float32),
            (dice.standard_normal((n_out, rank)) * size).astype(np.float32),
        )
        for layer in range(LAYERS)
        for target, (n_out, n_in) in TARGETS.items()
    }


def write_random_adapter(
    path: Path, seed: int, *, activated: bool = True, expert: str | None = None, kind: str = "q8_0", rank: int = 32
) -> Path:
    base = check_model_file(DEMO)
    description = Description(
        architecture="llama",
        alpha=float(rank),
        invocation=INVOCATION if activated else (),
        expert=expert,
        fingerprint=base_fingerprint(base),
        base_name=base.name,
    )
    write_adapter(path, description, random_matrices(seed, rank), kind)
    return path


def random_adapter(folder: Path, seed: int, *, activated: bool = True, scale: float = 1.0) -> Scaled:
    path = folder / f"{'activated' if activated else 'ordinary'}-{seed}.gguf"
    if not path.exists():
        write_random_adapter(path, seed, activated=activated)
    return Scaled(read_adapter(path).file, scale)
