"""What was measured, repetition by repetition, and what is said of it: the median, the least and the greatest."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One row: the values of MedPocket, and those of what it is compared with, one for each repetition.

    `name` is what programs know it by. Repetitions alternate, so each is compared with its neighbour.
    """

    name: str
    label: str
    unit: str
    medpocket: Sequence[float]
    other: Sequence[float] = ()
    tool: str = ""

    @cached_property
    def ratios(self) -> list[float]:
        """MedPocket over the other; empty where there is no other, or it measured nothing."""
        pairs = zip(self.medpocket, self.other, strict=True) if self.other else ()
        return [ours / theirs for ours, theirs in pairs if theirs]

    @property
    def median(self) -> float:
        """MedPocket's own."""
        return statistics.median(self.medpocket)

    @property
    def is_known(self) -> bool:
        return bool(self.medpocket) and not any(map(math.isnan, self.medpocket))

    def as_json(self) -> dict[str, Any]:
        row = {"name": self.name, "label": self.label, "unit": self.unit, "medpocket": _values(self.medpocket)}
        if self.ratios:
            row |= {"tool": self.tool, "other": _values(self.other), "ratio": _values(self.ratios)}
        return row

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Figure":
        """Read what `as_json` wrote. Raises KeyError and TypeError."""
        other = tuple(map(float, value["other"]["values"])) if "other" in value else ()
        ours = tuple(map(float, value["medpocket"]["values"]))
        return cls(value["name"], value["label"], value["unit"], ours, other, value.get("tool", ""))


def _values(values: Sequence[float]) -> dict[str, Any]:
    return {
        "median": statistics.median(values),
        "least": min(values),
        "greatest": max(values),
        "values": list(values),
    }


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest, in four digits; the median alone where all are the same."""
    if not values:
        return ""
    median = short(statistics.median(values))
    return median if len(set(values)) == 1 else f"{median} ({short(min(values))} - {short(max(values))})"


def short(value: float) -> str:
    """A number in four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
