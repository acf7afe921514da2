"""Held-out questions and answers, a file of JSON lines for each specialty."""

import json
from collections.abc import Iterable
from pathlib import Path

from medpocket.errors import InputError
from medpocket.models.gguf_kinds import shown

CHARACTERS_A_TOKEN = 4  # about, of English


def read_held_out(folder: Path, names: Iterable[str], tokens: int) -> dict[str, list[tuple[str, str]]]:
    """Return (question, answer) of the held-out rows in `NAME.jsonl`, about `tokens` tokens of answers each.

    Where there are more, they are taken evenly over the file. Raises InputError, naming file and line.
    """
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {shown(str(folder), 120)}", "give the folder of the specialties with --data"
        )
    found = {name: _evenly(_rows(folder / f"{name}.jsonl"), tokens * CHARACTERS_A_TOKEN) for name in names}
    rows = {name: kept for name, kept in found.items() if kept}
    if not rows:
        raise InputError(
            f"{shown(folder.name)} has no held-out rows", 'a row is {"question": ..., "answer": ..., "held_out": true}'
        )
    return rows


def _rows(path: Path) -> list[tuple[str, str]]:
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            row = json.loads(line)
            held_out, pair = row.get("held_out") is True, (row["question"], row["answer"])
        except (ValueError, KeyError, AttributeError):
            held_out, pair = True, (None, None)
        if not all(isinstance(text, str) and text.strip() for text in pair):
            raise InputError(f"line {number} of {shown(path.name)} is no row", "a row has `question` and `answer`")
        if held_out:
            rows.append(pair)
    return rows


def _evenly(rows: list[tuple[str, str]], characters: int) -> list[tuple[str, str]]:
    total = sum(len(answer) for _, answer in rows)
    if total <= characters:
        return rows
    wanted = max(1, round(len(rows) * characters / total))
    return [rows[number * len(rows) // wanted] for number in range(wanted)]
