"""Perplexity of answers and of texts: the exponential of the mean negative log likelihood of their tokens.

Of an answer given its question, and of a text given what stands before in it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import LoadedModel, Scaled
from medpocket.types import Turn

Adapters = Sequence[Scaled]


class Scorer(Protocol):
    """An engine that tells how likely it finds an answer."""

    @property
    def model(self) -> LoadedModel: ...

    def encode(self, turns: Sequence[Turn]) -> Prompt: ...

    def encode_answer(self, text: str) -> list[int]: ...

    def encode_text(self, text: str) -> list[int]: ...

    def score(self, prompt: Prompt, answer: Sequence[int], adapters: Adapters = ()) -> list[float]: ...


@dataclass(frozen=True)
class Loss:
    """Negative log likelihood of so many tokens, in nats."""

    nats: float
    tokens: int

    @property
    def perplexity(self) -> float:
        return math.exp(self.nats / self.tokens) if self.tokens else math.nan


def total(losses: Iterable[Loss]) -> Loss:
    """All of them as one."""
    kept = list(losses)
    return Loss(sum(one.nats for one in kept), sum(one.tokens for one in kept))


def answer_losses(
    engine: Scorer, rows: Iterable[tuple[str, str]], columns: Sequence[Adapters]
) -> Iterator[tuple[Loss, ...]]:
    """For each (question, answer) its loss under each set of adapters; the question is read once for all.

    An answer that the context cannot hold is measured as far as it fits. Raises what the engine raises.
    """
    for question, answer in rows:
        prompt = engine.encode([Turn("user", question)])
        ids = engine.encode_answer(answer)[: max(0, engine.model.context - len(prompt))]
        if ids:
            yield tuple(Loss(-sum(engine.score(prompt, ids, adapters)), len(ids)) for adapters in columns)


def text_losses(engine: Scorer, text: str, window: int) -> Iterator[tuple[Loss, int]]:
    """Yield the loss of a text part by part, each with the number of tokens that the whole text has.

    A part is half a window of tokens, read behind the token that begins the text and the half window before it. So each
    token but the first counts once, given half a window of text or more where the text has it. Raises what the engine
    raises.
    """
    ids = engine.encode_text(text)
    half = min(window, engine.model.context) // 2
    for start in range(1, len(ids), half):
        part = ids[start : start + half]
        before = (ids[0], *ids[max(1, start - half + 1) : start])
        yield Loss(-sum(engine.score(Prompt(before, (len(before),)), part)), len(part)), len(ids)
