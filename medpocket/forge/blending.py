"""Blend an expert with the mean of all: where its own rows are few, what all have learnt together serves it better.

All go on from one shared adapter, so that their matrices may be averaged one by one, as the weights of fine-tuned
models are (Wortsman et al., Model soups, 2022, arXiv:2203.05482, and Robust fine-tuning, 2021, arXiv:2109.01903).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from medpocket.engine.protocol import Scaled
from medpocket.evaluation.perplexity import Loss, Scorer, answer_losses, total
from medpocket.experts.adapter import read_adapter
from medpocket.experts.matrices import Description, read_matrices, write_adapter

if TYPE_CHECKING:
    from medpocket.experts.matrices import Matrices, Matrix

SHARES = (0.0, 0.3, 0.5, 0.7, 0.85)  # of the mean; never all of it: then it were no expert
LEAST_GAIN = 0.001  # nats a token that a blend must gain, or an expert stays as it is: the rows are few
QUANTIZATION = "q8_0"
Pairs = Sequence[tuple[str, str]]


def mean_of(adapters: Sequence[Path]) -> "Matrices":
    """The mean of adapters that change the same modules, at the same scale and rank."""
    read = [read_matrices(path) for path in adapters]
    return {name: (_mean([one[name][0] for one in read]), _mean([one[name][1] for one in read])) for name in read[0]}


def _mean(sides: "Sequence[Matrix]") -> "Matrix":
    import numpy as np

    mean: Matrix = np.mean(sides, axis=0, dtype=np.float32)
    return mean


def blended(own: Path, mean: "Matrices", share: float) -> "Matrices":
    """`share` of the mean, and the rest of the adapter's own."""
    return {
        name: (a + share * (mean[name][0] - a), b + share * (mean[name][1] - b))
        for name, (a, b) in read_matrices(own).items()
    }


def best_share(engine: Scorer, own: Path, mean: "Matrices", rows: Pairs, work: Path) -> float:
    """The share of SHARES with which `rows`, which no adapter has learnt, are the likeliest.

    It is 0 where there are no rows, and where none makes them likelier by LEAST_GAIN. `work` is a folder for the
    blends that are tried.
    """
    if not rows:
        return 0.0
    tried = {share: work / f"{own.stem}-{share}.gguf" for share in SHARES}
    for share, path in tried.items():
        write_adapter(path, Description.of(read_adapter(own)), blended(own, mean, share), QUANTIZATION)
    losses = measured(engine, rows, list(tried.values()))[1:]
    unblended = losses[0]
    best, share = min((loss.nats, share) for share, loss in zip(tried, losses, strict=True))
    return share if best <= unblended.nats - LEAST_GAIN * unblended.tokens else 0.0


def measured(engine: Scorer, rows: Pairs, adapters: Sequence[Path]) -> list[Loss]:
    """The loss on rows of the base model, and under each adapter."""
    columns = [(), *((Scaled(read_adapter(path).file),) for path in adapters)]
    return [total(column) for column in zip(*answer_losses(engine, rows, columns), strict=True)]


def write_blended(path: Path, own: Path, matrices: "Matrices", gain: float | None) -> None:
    """Write what has become of an adapter, with what it says of itself. Raises OSError."""
    write_adapter(path, replace(Description.of(read_adapter(own)), gain=gain), matrices, QUANTIZATION)
