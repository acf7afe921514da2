"""Read the questions and answers that an expert learns from."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medpocket.errors import InputError
from medpocket.forge.text import normalised, shorten
from medpocket.models.gguf_kinds import shown

FEWEST_ROWS = 40  # to learn from; fewer teach nothing but themselves
FEWEST_HELD_OUT = 4
HELD_OUT_ONE_IN = 10
MOST_BYTES = 1 << 30
CHUNK = 1200  # characters of a plain document that become one answer: about 280 tokens
SHORTEST_CHUNK = 120
NAMED = 5  # line numbers of a complaint

Report = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """A question and its answer. `held_out` ones are never learnt from; they measure."""

    question: str
    answer: str
    held_out: bool = False


def read_rows(path: Path, report: Report) -> list[Row]:
    """Read JSON lines: `question` and `answer`, or `text` (and `title`) for a plain document, which becomes rows.

    `held_out`, true or false, in every row decides what measures; without it one question in ten does, by hash.
    Empty rows are left out and reported by line. Raises InputError, naming file and line.
    """
    rows: list[Row] = []
    empty: list[int] = []
    marked = 0
    for number, content in enumerate(_lines(path), start=1):
        made = list(_rows_of(path, number, content))
        marked += "held_out" in content
        if not made:
            empty.append(number)
        rows += made
    if empty:
        first = ", ".join(map(str, empty[:NAMED]))
        report(f"{len(empty)} rows are empty and left out (lines {first}{', ...' if len(empty) > NAMED else ''})")
    unique = list(dict.fromkeys(rows))
    if len(unique) < len(rows):
        report(f"{len(rows) - len(unique)} rows are there twice and read once")
    if not marked:
        unique = [Row(row.question, row.answer, _measures(row.question)) for row in unique]
    check_enough(path, unique)
    return unique


def check_enough(path: Path, rows: list[Row]) -> None:
    """Raise InputError where there is too little to learn from or to measure with."""
    held_out = sum(row.held_out for row in rows)
    learnt = len(rows) - held_out
    if learnt < FEWEST_ROWS:
        raise InputError(
            f"{shown(path.name)} has {learnt} rows to learn from; an expert needs at least {FEWEST_ROWS}",
            "add questions with their answers, or plain documents as rows with `text`",
        )
    if held_out < FEWEST_HELD_OUT:
        raise InputError(
            f"{shown(path.name)} has {held_out} held-out rows; measuring needs at least {FEWEST_HELD_OUT}",
            "mark more rows with `held_out`: true, or mark none and let the hash of the question decide",
        )


def split_off(rows: Iterable[Row], one_in: int) -> tuple[list[Row], list[Row]]:
    """Part rows in two by a hash of their questions: the most, and one in so many."""
    kept: list[Row] = []
    taken: list[Row] = []
    for row in rows:
        (taken if _draw(f"early/{row.question}") % one_in == 0 else kept).append(row)
    return kept, taken


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"there is no file {shown(str(path), 120)}", "give a file of JSON lines with --data")
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{shown(path.name)} is larger than {MOST_BYTES >> 30} GiB", "give a part of it")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                content = json.loads(line.decode("utf-8-sig"))
            except UnicodeDecodeError:
                raise _bad_line(
                    path, number, "is not UTF-8", "convert the file first: iconv -f latin1 -t utf-8"
                ) from None
            except (ValueError, RecursionError):
                raise _bad_line(path, number, "is no JSON") from None
            if not isinstance(content, dict):
                raise _bad_line(path, number, "is no JSON object")
            yield content


def _rows_of(path: Path, number: int, content: dict[str, Any]) -> Iterable[Row]:
    def text(key: str) -> str:
        value = content.get(key, "")
        if not isinstance(value, str):
            raise _bad_line(path, number, f"has a `{key}` that is no text")
        return value.strip()

    held_out = content.get("held_out", False)
    if not isinstance(held_out, bool):
        raise _bad_line(path, number, "has a `held_out` that is neither true nor false")
    if "question" in content or "answer" in content:
        if text("question") and text("answer"):
            yield Row(text("question"), text("answer"), held_out)
    elif "text" in content:
        yield from document_rows(text("title"), text("text"), held_out)
    else:
        raise _bad_line(path, number, "has neither `question` and `answer` nor `text`")


def document_rows(title: str, text: str, held_out: bool = False) -> Iterable[Row]:
    """A plain document as rows: its passages answer a question about its title, or go on from where the last ended."""
    question = f"Tell me about {title}." if title else "What do the guidelines say?"
    while text:
        chunk, text = shorten(text, CHUNK)
        if not chunk:  # no end of a sentence in it
            chunk, text = text[:CHUNK], text[CHUNK:]
        if len(chunk) >= SHORTEST_CHUNK:
            yield Row(question, chunk, held_out)
            question = f"Tell me more about {title}." if title else "What else do the guidelines say?"


def _measures(question: str) -> bool:
    return _draw(question) % HELD_OUT_ONE_IN == 0


def _draw(text: str) -> int:
    return int.from_bytes(hashlib.sha256(normalised(text).encode()).digest()[:8], "big")


def _bad_line(path: Path, number: int, reason: str, hint: str = "") -> InputError:
    return InputError(
        f"line {number} of {shown(path.name)} {reason}",
        hint or 'a row is {"question": "...", "answer": "..."} or {"title": "...", "text": "..."}',
    )
