"""Questions with options, scored by the likelihood of each option."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from medpocket.engine.cancel import Cancellation
from medpocket.engine.forest import Choices
from medpocket.engine.protocol import LoadedModel, Scaled
from medpocket.engine.scoring import Scores
from medpocket.evaluation.packs import Pack
from medpocket.evaluation.prompts import Encoder, choices
from medpocket.evaluation.tasks import Question


class Scorer(Encoder, Protocol):
    """An engine that scores many answers at once."""

    @property
    def model(self) -> LoadedModel: ...

    def score_choices(
        self, columns: Sequence[tuple[Sequence[Choices], tuple[Scaled, ...]]], cancel: Cancellation
    ) -> Iterator[Scores]: ...


@dataclass(frozen=True)
class PackScores:
    """What a pack came to: its log likelihoods by letter and by answer, under each expert, and what that cost.

    `scores[expert][n]` is (letters, answers) of the pack's n-th question.
    """

    pack: Pack
    scores: Mapping[str, Sequence[tuple[Sequence[float], Sequence[float]]]]
    evaluated: int
    seconds: float


def measure(
    engine: Scorer, packs: Sequence[Pack], examples: Mapping[str, Sequence[Question]], cancel: Cancellation
) -> Iterator[PackScores]:
    """Measure pack after pack; ends early where it was cancelled. Raises what the engine raises."""
    for pack in packs:
        began = time.perf_counter()
        columns = [
            (
                [
                    form
                    for question in pack.questions.values()
                    for form in choices(engine, question, examples[question.set], expert.line)
                ],
                expert.adapters,
            )
            for expert in pack.experts
        ]
        found = list(engine.score_choices(columns, cancel))
        if len(found) < len(columns):
            return
        scores = {
            expert.id: list(zip(one.log_likelihoods[::2], one.log_likelihoods[1::2], strict=True))
            for expert, one in zip(pack.experts, found, strict=True)
        }
        yield PackScores(pack, scores, sum(one.evaluated for one in found), time.perf_counter() - began)
