"""What a run comes to: accuracy by letter and by whole answer, for each set and on average, calibration, positions.

Averages as they are published: of MIRAGE's five sets (Xiong et al., arXiv 2402.13178), and of MedQA, MedMCQA, PubMedQA
and MMLU's medical subjects, each of which counts as a set (BioMistral, arXiv 2402.10373; the Open Medical-LLM
Leaderboard). Every set counts the same, however many questions it has.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from medpocket.evaluation.results import Scored
from medpocket.evaluation.statistics import Comparison, Share, calibration_error, mcnemar, mean_share, shares, wilson

SUBJECTS = (
    "clinical_knowledge",
    "medical_genetics",
    "anatomy",
    "professional_medicine",
    "college_biology",
    "college_medicine",
)
AVERAGES = {
    "MIRAGE": ("mmlu", "medqa", "medmcqa", "pubmedqa", "bioasq"),
    "leaderboard": (*SUBJECTS, "medqa", "pubmedqa", "medmcqa"),
}
_SUBJECT = re.compile(r"mmlu/([a-z_]+)-[0-9]+")
_ABSTRACT_CHARACTERS = 500  # PubMedQA's questions have at most 200, its abstracts some 1,300


@dataclass(frozen=True)
class Summary:
    """All questions of a run under one column; NaN where there is nothing to count."""

    rows: Sequence[Scored]

    @cached_property
    def sets(self) -> dict[str, "Summary"]:
        """The questions by their set."""
        return self._by(lambda row: row.set)

    @cached_property
    def subjects(self) -> dict[str, "Summary"]:
        """The same with MMLU's subjects apart."""
        return self._by(_subject)

    @property
    def letters(self) -> Share:
        """Answered rightly by letter."""
        return wilson(sum(row.letter_is_right for row in self.rows), len(self.rows))

    @property
    def answers(self) -> Share:
        """Answered rightly by whole answer."""
        return wilson(sum(row.answer_is_right for row in self.rows), len(self.rows))

    @property
    def guessing(self) -> float:
        """What random choices come to."""
        return sum(row.guess for row in self.rows) / len(self.rows) if self.rows else math.nan

    @property
    def letters_calibration_error(self) -> float:
        return calibration_error((shares(row.letters)[row.by_letter], row.letter_is_right) for row in self.rows)

    @property
    def answers_calibration_error(self) -> float:
        return calibration_error((shares(row.answers)[row.by_answer], row.answer_is_right) for row in self.rows)

    @property
    def chosen_places(self) -> list[tuple[float, float]]:
        """For each place where an option is shown: how often what stood there was chosen by letter, and was right.

        Each is a share of the questions that have so many options.
        """
        found = []
        for place in range(max((len(row.shown) for row in self.rows), default=0)):
            rows = [row for row in self.rows if len(row.shown) > place]
            chosen = sum(row.place_of_letter == place for row in rows)
            right = sum(row.shown[place] in row.accepted for row in rows)
            found.append((chosen / len(rows), right / len(rows)))
        return found

    @property
    def averages(self) -> dict[str, tuple[Share, Share]]:
        """The published averages of which nothing is missing, by letter and by whole answer."""
        measured: Mapping[str, Summary] = self.subjects | self.sets
        found = {}
        for label, names in AVERAGES.items():
            own = [measured[name] for name in names if name in measured]
            if len(own) == len(names):
                found[label] = (mean_share([one.letters for one in own]), mean_share([one.answers for one in own]))
        return found

    @property
    def notes(self) -> dict[str, str]:
        """Of each set, what keeps its accuracy from being compared with published ones."""
        own = self.sets.get("pubmedqa")
        if own and sorted(row.characters for row in own.rows)[len(own.rows) // 2] < _ABSTRACT_CHARACTERS:
            return {"pubmedqa": "asked without its abstract: not comparable with published figures"}
        return {}

    def _by(self, name: Callable[[Scored], str]) -> dict[str, "Summary"]:
        found: dict[str, list[Scored]] = {}
        for row in self.rows:
            found.setdefault(name(row), []).append(row)
        return {one: Summary(rows) for one, rows in sorted(found.items())}


def _subject(row: Scored) -> str:
    match = _SUBJECT.fullmatch(row.id) if row.set == "mmlu" else None
    return match[1] if match else row.set


@dataclass(frozen=True)
class Paired:
    """Two columns, of one run or two, on the questions that both have."""

    letters: Comparison
    answers: Comparison


def compare(first: Sequence[Scored], second: Sequence[Scored]) -> Paired:
    """Compare what was chosen for the questions that both have, by id."""
    pairs = _pairs(first, second)
    return Paired(
        mcnemar((one.letter_is_right, other.letter_is_right) for one, other in pairs),
        mcnemar((one.answer_is_right, other.answer_is_right) for one, other in pairs),
    )


def agreement(first: Sequence[Scored], second: Sequence[Scored]) -> tuple[float, float]:
    """The shares of the questions of both for which the same option was chosen, by letter and by whole answer."""
    pairs = _pairs(first, second)
    return (
        sum(one.by_letter == other.by_letter for one, other in pairs) / len(pairs) if pairs else math.nan,
        sum(one.by_answer == other.by_answer for one, other in pairs) / len(pairs) if pairs else math.nan,
    )


def _pairs(first: Sequence[Scored], second: Sequence[Scored]) -> list[tuple[Scored, Scored]]:
    others = {row.id: row for row in second}
    return [(row, others[row.id]) for row in first if row.id in others]


def oracle(columns: Sequence[Sequence[Scored]]) -> tuple[Share, Share, float]:
    """The best column for each question: the share that any answers rightly, by letter and by whole answer.

    The third is what as many independent guesses would come to: that alone is no merit of the experts.
    """
    questions = list(zip(*columns, strict=True))
    luck = sum(1 - (1 - row[0].guess) ** len(row) for row in questions) / len(questions) if questions else math.nan
    return (
        wilson(sum(any(one.letter_is_right for one in row) for row in questions), len(questions)),
        wilson(sum(any(one.answer_is_right for one in row) for row in questions), len(questions)),
        luck,
    )
