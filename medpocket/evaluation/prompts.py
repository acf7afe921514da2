"""How a question with options is put to a model, in the model's own prompt format.

By letter: the question, its options with letters, and what is asked for; each letter is a possible answer. By whole
answer: the question alone; each option's text is a possible answer. An expert's line stands behind both, as it does
when the expert is asked. What follows the question is tokenized apart from it, so both share it token for token.
"""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Protocol

from medpocket.engine.forest import Choices
from medpocket.engine.prompt import Prompt
from medpocket.evaluation.tasks import Question
from medpocket.types import Turn

PROMPT_VERSION = 1  # to be raised with every change to what a model is given here
_ASK = "Answer with the letter of the right option."


class Encoder(Protocol):
    """What turns text into a model's tokens."""

    def encode(self, turns: Sequence[Turn]) -> Prompt: ...

    def encode_answer(self, text: str) -> list[int]: ...


def choices(encoder: Encoder, question: Question, shots: Sequence[Question], line: str) -> tuple[Choices, Choices]:
    """The question by letter and by whole answer, after `shots`, which are questions with their answers.

    The answers are in the order in which the file gives the options, and without the token that ends them.
    """
    listing = _listing(question)
    by_letter: list[Turn] = []
    by_answer: list[Turn] = []
    for shot in shots:
        right = shot.accepted[0]
        by_letter += [Turn("user", shot.text, line=_listing(shot)), Turn("assistant", shot.letter(right))]
        by_answer += [Turn("user", shot.text), Turn("assistant", shot.options[right])]
    by_letter.append(Turn("user", question.text, line=f"{listing}\n\n{line}" if line else listing))
    by_answer.append(Turn("user", question.text, line=line))
    letters = [question.letter(option) for option in range(len(question.options))]
    return _choices(encoder, by_letter, letters), _choices(encoder, by_answer, question.options)


def _listing(question: Question) -> str:
    shown = (
        f"{letter}. {question.options[option]}" for letter, option in zip(ascii_uppercase, question.shown, strict=False)
    )
    return "\n".join((*shown, "", _ASK))


def _choices(encoder: Encoder, turns: Sequence[Turn], answers: Sequence[str]) -> Choices:
    return Choices(encoder.encode(turns), tuple(tuple(encoder.encode_answer(text)[:-1]) for text in answers))
