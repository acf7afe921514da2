"""Write the rows of the demonstration experts: `python -m medpocket.forge.specialties --data DIR --out DIR`.

A file of questions and answers for each expert of the registry that has documents, with the held-out ones marked.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from medpocket.errors import MedpocketError
from medpocket.forge.corpus import Corpus, Entry, load_corpus
from medpocket.forge.dialogue import plain_exchange, varied_exchange
from medpocket.forge.rows import Row, read_rows
from medpocket.forge.text import sentences
from medpocket.registry import GENERAL, load_registry

WRITTEN = Path(__file__).with_name("written")

# What stands in for a specialty that has next to no documents of its own: the sentences of all documents that speak of
# its matter, as the answer to a question about that.
MEDICINES = re.compile(
    r"\b(?:medicines?|medications?|drugs?|antibiotics?|doses?|steroids?|corticosteroids?|inhibitors?|side effects?"
    r"|overdose|antidotes?|vitamin [A-Z]\d*|insulin|painkillers?|pain relievers?)\b"
)
EXCERPTS = {
    "radiology": "Which images are made in {s}, and what do they show?",
    "pharmacology": "Which medicines are used in {s}?",
}
SHORTEST_EXCERPT = 60  # characters


def rows_of(corpus: Corpus, expert: str) -> list[Row]:
    """The rows of one expert, those to learn from and those held out, in an order that is always the same."""
    dice = random.Random(f"specialties/{expert}")
    rows: list[Row] = []
    for entries, held_out in (
        ((*corpus.train, *corpus.experts), False),
        ((*corpus.held_out, *corpus.thin_held_out), True),
    ):
        for entry in entries:
            if expert in entry.specialties:
                exchange = plain_exchange(entry) if held_out else varied_exchange(entry, dice)
                rows.append(Row(exchange.question, exchange.answer, held_out))
        rows.extend(_excerpts(entries, expert, held_out))
    written = WRITTEN / f"{expert}.jsonl"
    if written.exists():
        rows += [Row(row.question, row.answer) for row in read_rows(written, lambda _: None)]
    return list(dict.fromkeys(rows))


def _excerpts(entries: Iterable[Entry], expert: str, held_out: bool) -> Iterator[Row]:
    if expert not in EXCERPTS:
        return
    for entry in entries:
        if expert == "radiology":
            found = entry.images
        else:
            found = tuple(sentence for sentence in sentences(entry.answer) if MEDICINES.search(sentence))
        answer = " ".join(found)
        if len(answer) >= SHORTEST_EXCERPT:
            yield Row(EXCERPTS[expert].format(s=entry.subject), answer, held_out)


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write JSON lines that `medpocket experts train --data` reads. Raises OSError."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            content = {"question": row.question, "answer": row.answer, "held_out": row.held_out}
            file.write(json.dumps(content, ensure_ascii=False) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m medpocket.forge.specialties", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the texts; docs/demo-model.md says which")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    arguments = parser.parse_args()
    try:
        corpus = load_corpus(arguments.data)
        arguments.out.mkdir(parents=True, exist_ok=True)
        for expert in load_registry().experts:
            if expert == GENERAL:
                continue
            rows = rows_of(corpus, expert)
            write_rows(rows, arguments.out / f"{expert}.jsonl")
            held_out = sum(row.held_out for row in rows)
            sys.stdout.write(f"{expert}: {len(rows) - held_out} rows to learn from, {held_out} held out\n")
    except MedpocketError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
