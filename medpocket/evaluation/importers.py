"""The public files of questions, turned into the rows that `tasks.py` reads.

- MIRAGE: benchmark.json of github.com/Teddy-XiongGZ/MIRAGE, all five sets in one file.
- MedQA: the jsonl files of github.com/jind11/MedQA, with four options or five.
- MedMCQA: the JSON lines of github.com/medmcqa/medmcqa, or of its data set on the hub, which counts options from 0.
- PubMedQA: ori_pqal.json of github.com/pubmedqa/pubmedqa; its abstracts become part of the questions.
- MMLU: the csv files of github.com/hendrycks/test, a subject each.

A row that has no answer, or a wrong one, is passed on as it is: who reads the rows counts it.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from medpocket.errors import InputError
from medpocket.evaluation.lines import read_whole
from medpocket.models.gguf_kinds import shown

Row = dict[str, Any]

_MEDMCQA_OPTIONS = ("opa", "opb", "opc", "opd")
_DECISIONS = {"A": "yes", "B": "no", "C": "maybe"}


def import_rows(kind: str, path: Path) -> list[Row]:
    """Return the rows of a file of this kind (IMPORTERS). Raises InputError where it is none, naming the place."""
    content = read_whole(path)
    rows: list[Row] = []
    try:
        for row in IMPORTERS[kind](content, path):
            rows.append(row)  # one by one: how many there are is said where one fails
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, csv.Error):
        raise InputError(
            f"{shown(path.name)} is no file of {kind}: its row {len(rows) + 1:,} is of another form",
            "`medpocket eval import --help` says which file of each is meant",
        ) from None
    if not rows:
        raise InputError(f"{shown(path.name)} has no rows", "get the file again")
    return rows


def _mirage(content: bytes, _path: Path) -> Iterator[Row]:
    for name, questions in json.loads(content).items():
        for number, row in questions.items():
            yield _row(name, number, row["question"], row["options"], row.get("answer"))


def _medqa(content: bytes, path: Path) -> Iterator[Row]:
    for number, row in enumerate(_json_lines(content)):
        yield _row(
            "medqa", f"{path.name.split('.')[0]}-{number:05}", row["question"], row["options"], row.get("answer_idx")
        )


def _medmcqa(content: bytes, _path: Path) -> Iterator[Row]:
    found = list(_json_lines(content))
    # The data set on the hub counts from 0, and says -1 where there is no answer; the authors' files count from 1.
    first = 0 if any(row.get("cop") in (0, -1) for row in found) else 1
    for row in found:
        options = dict(zip(ascii_uppercase, (row[key] for key in _MEDMCQA_OPTIONS), strict=False))
        right = row.get("cop")
        place = right - first if isinstance(right, int) else -1
        answer = ascii_uppercase[place] if 0 <= place < len(options) else None
        yield _row("medmcqa", row["id"], row["question"], options, answer)


def _pubmedqa(content: bytes, _path: Path) -> Iterator[Row]:
    for number, row in json.loads(content).items():
        abstract = "\n".join(row["CONTEXTS"])
        answer = next((key for key, text in _DECISIONS.items() if text == row.get("final_decision")), None)
        yield _row("pubmedqa", number, f"{abstract}\n\n{row['QUESTION']}", _DECISIONS, answer)


def _mmlu(content: bytes, path: Path) -> Iterator[Row]:
    subject = path.name.split(".")[0].removesuffix("_test")
    for number, (question, *options, answer) in enumerate(
        csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True)
    ):
        named = dict(zip(ascii_uppercase, options, strict=False))
        if len(options) < 2:
            raise ValueError
        yield _row("mmlu", f"{subject}-{number:03}", question, named, answer)


IMPORTERS: dict[str, Callable[[bytes, Path], Iterator[Row]]] = {
    "mirage": _mirage,
    "medqa": _medqa,
    "medmcqa": _medmcqa,
    "pubmedqa": _pubmedqa,
    "mmlu": _mmlu,
}


def _row(name: str, number: str, question: str, options: dict[str, str], answer: str | None) -> Row:
    if not isinstance(question, str) or not isinstance(options, dict):
        raise TypeError
    return {"id": f"{name}/{number}", "set": name, "question": question, "options": options, "answer": answer}


def _json_lines(content: bytes) -> Iterator[Row]:
    for line in content.splitlines():
        if line.strip():
            yield json.loads(line)
