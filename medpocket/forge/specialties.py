"""The rows that the demonstration experts learn from and are measured on."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from medpocket.forge.corpus import Corpus, Entry
from medpocket.forge.dialogue import plain_exchange
from medpocket.forge.rows import Row, read_rows
from medpocket.forge.subjects import is_kept_from_experts
from medpocket.forge.text import sentences

WRITTEN = Path(__file__).with_name("written")

# What stands in for a specialty that has next to no documents of its own: the sentences of all documents that speak of
# its matter, as the answer to a question about that.
IMAGING = re.compile(
    r"\b(?:X-?rays?|x-?rays?|CT|MRI|MR imaging|PET|ultrasounds?|sonogra\w+|imaging|[cC]omputed tomography|CAT scans?"
    r"|bone scans?|mammogra\w+|radiogra\w+|radiolog\w+|echocardiogra\w+|angiogra\w+)\b"
)
MEDICINES = re.compile(
    r"\b(?:medicines?|medications?|drugs?|antibiotics?|doses?|steroids?|corticosteroids?|inhibitors?|side effects?"
    r"|overdose|antidotes?|vitamin [A-Z]\d*|insulin|painkillers?|pain relievers?)\b"
)
EXCERPTS = {
    "radiology": (IMAGING, "Which images are made in {s}, and what do they show?"),
    "pharmacology": (MEDICINES, "Which medicines are used in {s}?"),
}
SHORTEST_EXCERPT = 60  # characters
FURTHER = "Tell me more about {s}."


def rows_of_all(corpus: Corpus, experts: Iterable[str]) -> dict[str, list[Row]]:
    """The rows of each expert. Documents share passages: one that any expert learns measures none."""
    rows = {expert: rows_of(corpus, expert) for expert in experts}
    learnt = {row.answer for own in rows.values() for row in own if not row.held_out}
    return {expert: [row for row in own if not (row.held_out and row.answer in learnt)] for expert, own in rows.items()}


def rows_of(corpus: Corpus, expert: str) -> list[Row]:
    """The rows of one expert, those to learn from and those held out, in an order that is always the same.

    They are what the base model has not read: of its training documents what stands behind the part that it reads, and
    of held-out documents all. What is written for this project is learnt from, and never measures.
    """
    rows: list[Row] = []
    for entry in corpus.train:
        rows += _rows(entry, expert, (), held_out=is_kept_from_experts(entry.subject))
    for entry in corpus.held_out:
        rows += _rows(entry, expert, (entry.answer,), held_out=True)
    rows += written_rows(expert)
    return list(dict.fromkeys(rows))


def written_rows(expert: str) -> list[Row]:
    """What is written for this project: none, for most."""
    written = WRITTEN / f"{expert}.jsonl"
    if not written.exists():
        return []
    return [Row(row.question, row.answer) for row in read_rows(written, lambda _: None)]


def _rows(entry: Entry, expert: str, heads: tuple[str, ...], *, held_out: bool) -> Iterator[Row]:
    """What an expert reads of an entry: `heads`, as the answer to its own question, and its further passages."""
    if expert in entry.specialties:
        if heads:
            exchange = plain_exchange(entry)
            yield Row(exchange.question, exchange.answer, held_out)
        for passage in entry.passages:
            yield Row(FURTHER.format(s=entry.subject), passage, held_out)
    elif expert in EXCERPTS:
        matter, question = EXCERPTS[expert]
        for text in (*heads, *entry.passages):
            found = " ".join(sentence for sentence in sentences(text) if matter.search(sentence))
            if len(found) >= SHORTEST_EXCERPT:
                yield Row(question.format(s=entry.subject), found, held_out)


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write JSON lines that `medpocket experts train --data` reads. Raises OSError."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            content = {"question": row.question, "answer": row.answer, "held_out": row.held_out}
            file.write(json.dumps(content, ensure_ascii=False) + "\n")
