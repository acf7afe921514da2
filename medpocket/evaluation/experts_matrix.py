"""What experts are worth: every expert on every specialty's held-out answers, and on all of them as one stream.

Ratios are of perplexities, over the base model's alone; below 1 is better. Intervals are the 2.5th and 97.5th
percentile of a bootstrap over answers (Efron and Tibshirani, An Introduction to the Bootstrap, 1993).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medpocket.engine.protocol import Scaled
from medpocket.evaluation.perplexity import Scorer, answer_losses

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NONE = "none"
ORACLE, ROUTED = "oracle", "routed"
RESAMPLES = 2000
Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Interval:
    """A ratio of perplexities with its 95 % interval."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Matrix:
    """Losses of each answer under each column, the first of which is the base model alone.

    `nats` is (answers, columns), `tokens` (answers), `specialty` the index of each answer's specialty, `routed` that of
    the column which the router chose for its question: the base model's where that expert has none.
    """

    specialties: tuple[str, ...]
    columns: tuple[str, ...]
    nats: "NDArray[np.float64]"
    tokens: "NDArray[np.float64]"
    specialty: "NDArray[np.int64]"
    routed: "NDArray[np.int64]"

    def ratio(self, specialty: str, column: str) -> float:
        """The column's perplexity on a specialty's answers over the base model's."""
        import numpy as np

        rows = self.specialty == self.specialties.index(specialty)
        difference = self.nats[rows, self.columns.index(column)] - self.nats[rows, 0]
        return float(np.exp(difference.sum() / self.tokens[rows].sum()))

    def base_perplexity(self, specialty: str) -> float:
        import numpy as np

        rows = self.specialty == self.specialties.index(specialty)
        return float(np.exp(self.nats[rows, 0].sum() / self.tokens[rows].sum()))

    def answer_tokens(self, specialty: str) -> int:
        return int(self.tokens[self.specialty == self.specialties.index(specialty)].sum())

    @property
    def best_single(self) -> str:
        """The expert that does best on all answers together, the same one for all."""
        experts = [column for column in self.columns if column in self.specialties]
        return min(experts, key=lambda column: float(self.nats[:, self.columns.index(column)].sum()))

    def stream(self, column: str) -> "NDArray[np.float64]":
        """Losses of all answers under one column, that of their own specialty (ORACLE), or the router's (ROUTED)."""
        import numpy as np

        answers = np.arange(len(self.nats))
        if column == ROUTED:
            chosen: NDArray[np.float64] = self.nats[answers, self.routed]
            return chosen
        if column != ORACLE:
            return self.nats[:, self.columns.index(column)]
        own = np.array([self.columns.index(name) if name in self.columns else 0 for name in self.specialties])
        found: NDArray[np.float64] = self.nats[answers, own[self.specialty]]
        return found

    def compare(self, column: str, against: str = NONE, seed: int = 1) -> Interval:
        """The ratio of the perplexities of two columns on all answers, with its interval."""
        import numpy as np

        difference = self.stream(column) - self.stream(against)
        draws = np.random.default_rng(seed).integers(0, len(difference), (RESAMPLES, len(difference)))
        ratios = np.exp(difference[draws].sum(axis=1) / self.tokens[draws].sum(axis=1))
        low, high = np.percentile(ratios, [2.5, 97.5])
        return Interval(float(np.exp(difference.sum() / self.tokens.sum())), float(low), float(high))

    @property
    def routed_right(self) -> float:
        """The share of answers for which the router chose their own specialty's column."""
        import numpy as np

        names = np.array([self.specialties.index(name) if name in self.specialties else -1 for name in self.columns])
        return float((names[self.routed] == self.specialty).mean())

    @property
    def own_ratios(self) -> dict[str, float]:
        """Each specialty's ratio under its own expert, for those that have one."""
        return {name: self.ratio(name, name) for name in self.specialties if name in self.columns}


def measure(
    engine: Scorer,
    rows: Mapping[str, Rows],
    columns: Mapping[str, Sequence[Scaled]],
    route: Callable[[str], str],
) -> Iterator[Matrix | int]:
    """Measure every column on every specialty's rows: the number of answers done so far, and at last the matrix.

    `columns` need not have the base model; it is always the first. `route` names the expert of a question.
    """
    import numpy as np

    named = {NONE: (), **columns}
    places = {name: place for place, name in enumerate(named)}
    nats, tokens, specialty, routed = [], [], [], []
    for index, (question, answer) in ((index, row) for index, own in enumerate(rows.values()) for row in own):
        for losses in answer_losses(engine, [(question, answer)], list(named.values())):
            nats.append([loss.nats for loss in losses])
            tokens.append(losses[0].tokens)
            specialty.append(index)
            routed.append(places.get(route(question), 0))
            yield len(nats)
    yield Matrix(
        tuple(rows),
        tuple(named),
        np.array(nats),
        np.array(tokens, dtype=np.float64),
        np.array(specialty, dtype=np.int64),
        np.array(routed, dtype=np.int64),
    )
