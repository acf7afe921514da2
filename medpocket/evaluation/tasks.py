"""Files of questions with options, one JSON object a line: `id`, `set`, `question`, `options`, `answer`.

`options` are texts by their names, or a list of texts, which are then called A, B, and so on; `answer` is the name of
one. A row that cannot be scored is left out and counted, never guessed.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from string import ascii_uppercase
from typing import Any

from medpocket.errors import InputError, QuestionError
from medpocket.evaluation.lines import read_whole
from medpocket.evaluation.results import TaskFile
from medpocket.models.gguf_kinds import shown
from medpocket.text import readable

NO_QUESTION = "without a question"
NO_OPTIONS = "with fewer than two options, more than 26, or one without text"
NO_ANSWER = "without an answer"
NO_SUCH_OPTION = "whose answer is no option"
REPEATED = "with an id that was there before"
TOO_LONG = "longer than the context"


@dataclass(frozen=True)
class Question:
    """A question and its options, numbered as their file gives them.

    `accepted` are those that are right: more than one where the right one's text stands there twice. `shown` is the
    order in which they are shown.
    """

    id: str
    set: str
    text: str
    options: tuple[str, ...]
    accepted: tuple[int, ...]
    shown: tuple[int, ...]

    @property
    def repeats_an_option(self) -> bool:
        return len(set(self.options)) < len(self.options)

    def letter(self, option: int) -> str:
        """The letter beside which an option is shown."""
        return ascii_uppercase[self.shown.index(option)]


@dataclass(frozen=True)
class Tasks:
    """The questions of all files; `left_out` are the ids of the rows that cannot be scored, by reason."""

    files: tuple[TaskFile, ...]
    questions: tuple[Question, ...]
    left_out: dict[str, list[str]]


class _LeftOutError(Exception):
    """Why a row cannot be scored."""


def read_tasks(paths: Sequence[Path]) -> Tasks:
    """Read all files. Raises InputError where a line is no JSON object, or no row of all can be scored."""
    files: list[TaskFile] = []
    questions: dict[str, Question] = {}
    left_out: dict[str, list[str]] = {}
    for path in paths:
        content = read_whole(path)
        files.append(TaskFile(path.name, hashlib.sha256(content).hexdigest()))
        for number, line in enumerate(content.splitlines(), start=1):
            if not line.strip():
                continue
            row = _object(line, number, path)
            given = row.get("id")
            name = str(given) if isinstance(given, str | int) and str(given).strip() else f"{path.name}:{number}"
            try:
                if name in questions:
                    raise _LeftOutError(REPEATED)
                questions[name] = _question(name, row, path)
            except _LeftOutError as reason:
                left_out.setdefault(str(reason), []).append(name)
    if not questions:
        reasons = ", ".join(f"{len(names):,} {reason}" for reason, names in left_out.items())
        raise InputError(
            f"no question of {shown(', '.join(path.name for path in paths), 120)} can be scored: "
            f"{reasons or 'there are no rows'}",
            'a row is {"id": ..., "set": ..., "question": ..., "options": {"A": ..., "B": ...}, "answer": "B"}',
        )
    return Tasks(tuple(files), tuple(questions.values()), left_out)


def evenly(questions: Sequence[Question], limit: int | None) -> tuple[Question, ...]:
    """So many of them, evenly over all."""
    if limit is None or limit >= len(questions):
        return tuple(questions)
    return tuple(questions[number * len(questions) // limit] for number in range(limit))


def shuffled(question: Question, seed: int) -> Question:
    """The question with its options in an order of chance, the same for the same seed."""
    order = list(question.shown)
    Random(f"{seed}/{question.id}").shuffle(order)
    return replace(question, shown=tuple(order))


def _object(line: bytes, number: int, path: Path) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise InputError(
            f"line {number} of {shown(path.name)} is no JSON object",
            "`medpocket eval import --help` names the formats that can be turned into such a file",
        )
    return row


def _question(name: str, row: dict[str, Any], path: Path) -> Question:
    text, options, answer = _text(row.get("question")), row.get("options"), row.get("answer")
    if not text:
        raise _LeftOutError(NO_QUESTION)
    if isinstance(options, list):
        options = dict(zip(ascii_uppercase, options, strict=False)) if len(options) <= len(ascii_uppercase) else None
    texts = {key: _text(value) for key, value in options.items()} if isinstance(options, dict) else {}
    if not 2 <= len(texts) <= len(ascii_uppercase) or not all(texts.values()):
        raise _LeftOutError(NO_OPTIONS)
    if answer is None or answer == "":
        raise _LeftOutError(NO_ANSWER)
    if not isinstance(answer, str) or answer not in texts:
        raise _LeftOutError(NO_SUCH_OPTION)
    kept = tuple(texts.values())
    accepted = tuple(number for number, option in enumerate(kept) if option == texts[answer])
    set_name = row.get("set")
    return Question(
        id=name,
        set=set_name if isinstance(set_name, str) and set_name else path.name.split(".")[0],
        text=text,
        options=kept,
        accepted=accepted,
        shown=tuple(range(len(kept))),
    )


def _text(value: object) -> str:
    """What a model can read of it; nothing where it is no text."""
    try:
        return readable(value)[0] if isinstance(value, str) else ""
    except QuestionError:  # half of a character, as JSON can write it
        return ""
