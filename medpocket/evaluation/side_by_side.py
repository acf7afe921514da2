"""Questions and the answers of several models or experts to each, for people to read beside one another."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from medpocket.errors import InputError
from medpocket.evaluation.lines import read_lines
from medpocket.models.gguf_kinds import shown
from medpocket.text import readable

_STYLE = """
body { font: 10pt/1.4 "DejaVu Sans", Arial, sans-serif; margin: 1.5cm; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { border: 1px solid #888; padding: 0.4em; vertical-align: top; text-align: left; white-space: pre-wrap; }
tr { break-inside: avoid; }
"""


@dataclass(frozen=True)
class Answered:
    """A question, and the answers to it in the order of the columns."""

    question: str
    answers: tuple[str, ...]


def read_questions(path: Path) -> list[str]:
    """Return the questions of a file: JSON lines with `question`, or a question a line. Raises InputError."""
    questions = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            text = line.decode().strip()
            if text.startswith("{"):
                text = json.loads(text)["question"]
            question, _ = readable(text)
        except (ValueError, KeyError, AttributeError, RecursionError):
            raise InputError(
                f"line {number} of {shown(path.name)} is no question",
                'a line is a question, or {"question": ...}, in UTF-8',
            ) from None
        if question:
            questions.append(question)
    if not questions:
        raise InputError(f"{shown(path.name)} has no questions", "write one a line")
    return questions


def as_html(title: str, note: str, columns: Sequence[str], rows: Iterable[Answered]) -> str:
    """One page with a row for each question and a column for each who answered; text is shown as text."""
    head = "".join(f"<th>{escape(column)}</th>" for column in ("Question", *columns))
    body = "\n".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in (row.question, *row.answers))}</tr>" for row in rows
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1><p>{escape(note)}</p>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></body></html>\n"
    )
