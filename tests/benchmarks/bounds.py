"""Figures with a bound that must hold, and their table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from medpocket.cli.tables import table as columns
from medpocket.evaluation.bench.figures import Figure, spread


@dataclass(frozen=True)
class Check(Figure):
    """A figure and its bound. A row without one only informs.

    What is judged is the median: of the ratios MedPocket / other, round by round, or of MedPocket's own values
    where there is no other.
    """

    at_least: float | None = None
    at_most: float | None = None

    @property
    def judged(self) -> Sequence[float]:
        return self.ratios if self.other else self.medpocket

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; None without one."""
        median = statistics.median(self.judged)
        if self.at_least is not None:
            return median >= self.at_least
        if self.at_most is not None:
            return median <= self.at_most
        return None

    def cells(self) -> tuple[str, ...]:
        bound = "" if self.at_least is None else f">= {self.at_least:g}"
        bound = bound if self.at_most is None else f"<= {self.at_most:g}"
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        label = f"{self.label}, {self.unit}"
        return (label, spread(self.medpocket), spread(self.other), spread(self.ratios), bound, verdict)

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {"at_least": self.at_least, "at_most": self.at_most, "met": self.met}


def check(label: str, unit: str, medpocket: Sequence[float], other: Sequence[float] = (), **bound: float) -> Check:
    """A check that is known by its label alone."""
    return Check(label, label, unit, medpocket, other, **bound)


def table(checks: Sequence[Check]) -> str:
    """The checks as text, one line each: medians, in brackets the least and the greatest."""
    rows = [("", "MedPocket", "compared with", "ratio", "bound", ""), *(one.cells() for one in checks)]
    return "\n".join(columns(rows))
