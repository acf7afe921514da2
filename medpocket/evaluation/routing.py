"""How well the router routes: accuracy, abstaining, calibration, latency, and which expert is taken for which."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from medpocket.errors import InputError
from medpocket.evaluation.lines import read_lines
from medpocket.evaluation.statistics import calibration_error
from medpocket.models.gguf_kinds import shown
from medpocket.types import Route

GENERAL = "general"


@dataclass(frozen=True)
class Labelled:
    """A text, the experts that may answer it, and the set that it is from."""

    text: str
    accept: tuple[str, ...]
    set: str


@dataclass(frozen=True)
class Judged:
    """One routed row: what is right, the set, what was chosen at which score, and the seconds it took."""

    accept: tuple[str, ...]
    set: str
    expert: str
    score: float
    seconds: float

    @property
    def right(self) -> bool:
        return self.expert in self.accept

    @property
    def truth(self) -> str:
        """What was chosen where that is right, else the first that would have been."""
        return self.expert if self.right else self.accept[0]


@dataclass(frozen=True)
class Verdict:
    """All rows, and what they come to."""

    rows: Sequence[Judged]

    @property
    def sets(self) -> dict[str, "Verdict"]:
        names = dict.fromkeys(row.set for row in self.rows)
        return {name: Verdict([row for row in self.rows if row.set == name]) for name in names}

    @property
    def experts(self) -> dict[str, "Verdict"]:
        """The rows by what is right, in alphabetical order."""
        names = sorted({row.truth for row in self.rows})
        return {name: Verdict([row for row in self.rows if row.truth == name]) for name in names}

    @property
    def accuracy(self) -> float:
        return _share(sum(row.right for row in self.rows), len(self.rows))

    @property
    def macro_recall(self) -> float:
        """The mean of the experts' recalls."""
        recalls = [own.accuracy for own in self.experts.values()]
        return _share(sum(recalls), len(recalls))

    @property
    def abstain_precision(self) -> float:
        """Of the rows for which no expert was named, the share that has none."""
        abstained = [row for row in self.rows if row.expert == GENERAL]
        return _share(sum(GENERAL in row.accept for row in abstained), len(abstained))

    @property
    def abstain_recall(self) -> float:
        """Of the rows that have no expert, the share for which none was named."""
        return _share(*self._abstained(without_expert=True))

    @property
    def wrongly_abstained(self) -> float:
        """Of the rows that have an expert, the share for which none was named."""
        return _share(*self._abstained(without_expert=False))

    def _abstained(self, *, without_expert: bool) -> tuple[int, int]:
        rows = [row for row in self.rows if (GENERAL in row.accept) == without_expert]
        return sum(row.expert == GENERAL for row in rows), len(rows)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, from 0 to 1."""
        return calibration_error((row.score, row.right) for row in self.rows)

    def latency(self, percentile: float) -> float:
        """Seconds that so many percent of the rows took at most."""
        ordered = sorted(row.seconds for row in self.rows)
        return ordered[max(0, math.ceil(len(ordered) * percentile / 100) - 1)]

    @cached_property
    def confusion(self) -> Counter[tuple[str, str]]:
        """How many rows there are of each (what is right, what was chosen)."""
        return Counter((row.truth, row.expert) for row in self.rows)


def _share(part: float, whole: int) -> float:
    return part / whole if whole else math.nan


def read_labelled(path: Path, experts: Iterable[str]) -> list[Labelled]:
    """Read JSON lines of `text`, `accept` and `set`, packed with gzip or not. Raises InputError, naming the line."""
    known = set(experts)
    rows = list(_labelled(path, known))
    if not rows:
        raise InputError(f"{shown(path.name)} has no rows", 'a row is {"text": ..., "accept": ["ID"], "set": ...}')
    return rows


def _labelled(path: Path, known: set[str]) -> Iterator[Labelled]:
    for number, line in enumerate(read_lines(path), start=1):
        try:
            row = json.loads(line)
            text, accept, name = row["text"], tuple(row["accept"]), row.get("set", path.stem)
            fits = isinstance(text, str) and isinstance(name, str) and accept and set(accept) <= known
        except (ValueError, KeyError, TypeError, AttributeError):
            fits = False
        if not fits:
            raise InputError(
                f"line {number} of {shown(path.name)} is no row",
                "a row has `text`, and in `accept` the ids of the experts that may answer it",
            )
        yield Labelled(text, accept, name)


def judge(rows: Iterable[Labelled], route: Callable[[str], Route]) -> Iterator[Judged]:
    """Route each row, and take the time of it."""
    for row in rows:
        began = time.perf_counter()
        found = route(row.text)
        yield Judged(row.accept, row.set, found.expert, found.score, time.perf_counter() - began)
