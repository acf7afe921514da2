"""Which questions are in the model's memory at once.

Which question is in which pack follows from the questions, the model and the settings alone, and nothing of one pack is
there when the next is read. So numbers do not depend on where a run was stopped: a pack is kept whole or not at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from medpocket.engine.forest import Choices
from medpocket.engine.protocol import Scaled
from medpocket.engine.scoring import MOST_SEQUENCES
from medpocket.evaluation.prompts import Encoder, choices
from medpocket.evaluation.results import NONE
from medpocket.evaluation.tasks import Question
from medpocket.types import Turn


@dataclass(frozen=True)
class Expert:
    """Who is measured: the line that stands behind the question, and the adapters that act."""

    id: str
    line: str = ""
    adapters: tuple[Scaled, ...] = ()


BASE = Expert(NONE)


@dataclass(frozen=True)
class Pack:
    """Questions that are measured together, by their place in the run, and the experts that they are measured under.

    `tokens` is what the base model reads of it, at most.
    """

    questions: Mapping[int, Question]
    experts: tuple[Expert, ...]
    tokens: int


@dataclass(frozen=True)
class Plan:
    """All packs in their order, and the examples that stand before the questions of each set.

    `too_long` are the ids of those that the context cannot hold with all of their options.
    """

    packs: tuple[Pack, ...]
    examples: Mapping[str, tuple[Question, ...]]
    too_long: tuple[str, ...]

    @property
    def questions(self) -> int:
        return sum(len(pack.questions) for pack in self.packs)


def draw_examples(questions: Sequence[Question], shots: int, seed: int | None) -> dict[str, tuple[Question, ...]]:
    """Draw so many questions of each set by chance, always the same for a seed; of a small set at most all but one."""
    by_set: dict[str, list[Question]] = {}
    for question in questions:
        by_set.setdefault(question.set, []).append(question)
    return {
        name: tuple(Random(f"examples {seed}").sample(own, min(shots, len(own) - 1))) for name, own in by_set.items()
    }


def plan(
    encoder: Encoder,
    questions: Sequence[Question],
    examples: Mapping[str, tuple[Question, ...]],
    experts_for: Callable[[Question], tuple[Expert, ...]],
    *,
    pack_tokens: int,
    room: int,
) -> Iterator[int | Plan]:
    """Put questions into packs: the number of questions seen so far, and at last the plan.

    `examples` stand before the questions of each set. `experts_for` names who is measured on a question, the base
    first. A pack has about `pack_tokens`, and in a context of `room` tokens there is room for it under each expert.
    """
    measured = [(question, experts_for(question)) for question in questions]
    # What shares its examples and its experts stands together, else in the order of the file.
    measured.sort(key=lambda one: (one[0].set if any(examples.values()) else "", [expert.id for expert in one[1]]))
    packing = _Packing(pack_tokens, room)
    line_tokens: dict[str, int] = {"": 0}
    too_long: list[str] = []
    for number, (question, experts) in enumerate(measured):
        forms = choices(encoder, question, examples[question.set], "")
        for expert in experts:
            if expert.line not in line_tokens:
                line_tokens[expert.line] = _line_tokens(encoder, expert.line)
        if not packing.add(question, experts, forms, max(line_tokens[expert.line] for expert in experts)):
            too_long.append(question.id)
        yield number + 1
    yield Plan(packing.packs(), examples, tuple(too_long))


class _Packing:
    """Fills one pack after another, in the order in which questions come."""

    def __init__(self, tokens: int, room: int) -> None:
        self._most, self._room = min(tokens, room), room
        self._packs: list[Pack] = []
        self._questions: dict[int, Question] = {}
        self._experts: tuple[Expert, ...] = ()
        self._first: tuple[Choices, Choices] | None = None
        self._tokens = self._sequences = self._place = 0

    def add(self, question: Question, experts: tuple[Expert, ...], forms: tuple[Choices, Choices], line: int) -> bool:
        """Put a question in, whose experts' lines have at most `line` tokens; tell whether there is room for it."""
        letter, answer = forms
        sequences = sum(max(1, sum(len(ids) > 1 for ids in one.answers)) for one in forms)
        shared = _common(letter.prompt.ids, answer.prompt.ids)
        alone = (
            len(letter.prompt) + len(answer.prompt) - shared + sum(len(ids) - 1 for one in forms for ids in one.answers)
        )
        if alone + 2 * line > self._room:
            return False
        more = alone
        if self._first:  # what the pack's first question shares with this one is read already
            first_letter, first_answer = self._first
            more -= _common(letter.prompt.ids, first_letter.prompt.ids)
            more -= max(0, _common(answer.prompt.ids, first_answer.prompt.ids) - shared)
        full = self._tokens + more > self._most or self._sequences + sequences > MOST_SEQUENCES
        too_full = self._tokens + more + 2 * line * (len(self._questions) + 1) > self._room
        if self._questions and (full or too_full or experts != self._experts):
            self._close()
            more = alone
        if not self._questions:
            self._first, self._experts = forms, experts
        self._questions[self._place] = question
        self._place += 1
        self._tokens += more
        self._sequences += sequences
        return True

    def packs(self) -> tuple[Pack, ...]:
        """All of them, the last one closed."""
        if self._questions:
            self._close()
        return tuple(self._packs)

    def _close(self) -> None:
        self._packs.append(Pack(self._questions, self._experts, self._tokens))
        self._questions, self._first, self._tokens, self._sequences = {}, None, 0, 0


def _line_tokens(encoder: Encoder, line: str) -> int:
    return len(encoder.encode([Turn("user", "a", line=line)])) - len(encoder.encode([Turn("user", "a")]))


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens both begin with."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
