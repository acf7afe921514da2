"""Recall and precision of de-identification on marked notes: `python -m tests.store.deidentify_figures [FILE ...]`."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medpocket.store.deidentify import find_spans
from medpocket.store.deidentify.names import find_mentions
from medpocket.store.deidentify.spans import Kind, Span, resolved

NOTES = Path(__file__).with_name("notes")
KINDS = {
    "N": "name",
    "L": "unannounced name",
    "D": "date",
    "P": "phone",
    "R": "record",
    "A": "address",
    "E": "email",
    "G": "age",
}
_MARK = re.compile(r"\[\[(\w)\|([^\]]*)\]\]")


@dataclass(frozen=True)
class Note:
    """A note, and what should be replaced in it: code, start, end."""

    title: str
    text: str
    gold: tuple[tuple[str, int, int], ...]


@dataclass
class Figures:
    """Per code how much was to be found and was; per kind how much was replaced and rightly."""

    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def recall(self, code: str) -> float:
        return self.found[code] / self.wanted[code]

    def precision(self, code: str) -> float:
        name = Kind.NAME.name if code == "L" else KINDS[code].upper()
        return self.right[name] / self.replaced[name] if self.replaced[name] else 1.0


def read_notes(path: Path) -> Iterator[Note]:
    """Read marked notes."""
    for block in re.split(r"(?m)^=== ", path.read_text("utf-8"))[1:]:
        title, marked = block.split("\n", 1)
        text, gold, position = "", [], 0
        for mark in _MARK.finditer(marked):
            text += marked[position : mark.start()]
            gold.append((mark[1], len(text), len(text) + len(mark[2])))
            text += mark[2]
            position = mark.end()
        yield Note(title, text + marked[position:], tuple(gold))


def measure(notes: Sequence[Note]) -> Figures:
    """Compare what is replaced with the marks.

    A mark is found where every letter and figure of it is replaced and the greater part by its own kind; a replacement
    is right where every letter and figure of it is marked and one of them as its kind.
    """
    figures = Figures()
    for note in notes:
        text = note.text
        spans = find_spans(text)
        names = [text[span.start : span.end] for span in spans if span.kind == Kind.NAME]
        spans = resolved(text, [*spans, *find_mentions(text, names)])
        _count_found(note, spans, figures)
        _count_right(note, spans, figures)
    return figures


def _count_found(note: Note, spans: Sequence[Span], figures: Figures) -> None:
    for code, start, end in note.gold:
        wanted = _kind(code)
        letters = [at for at in range(start, end) if note.text[at].isalnum()]
        kinds = [next((span.kind.name for span in spans if span.start <= at < span.end), "") for at in letters]
        figures.wanted[code] += 1
        if all(kinds) and 2 * kinds.count(wanted) > len(kinds):
            figures.found[code] += 1
        else:
            given = " ".join(sorted({kind or "-" for kind in kinds}))
            figures.missed.append(f"{code} {note.text[start:end]!r} ({given}) in {note.title}")


def _count_right(note: Note, spans: Sequence[Span], figures: Figures) -> None:
    for span in spans:
        letters = [at for at in range(span.start, span.end) if note.text[at].isalnum()]
        codes = [next((code for code, start, end in note.gold if start <= at < end), "") for at in letters]
        figures.replaced[span.kind.name] += 1
        if all(codes) and span.kind.name in {_kind(code) for code in codes}:
            figures.right[span.kind.name] += 1
        else:
            around = note.text[max(0, span.start - 15) : span.end + 10]
            figures.wrong.append(f"{span.kind.name} {note.text[span.start : span.end]!r} of {around!r} in {note.title}")


def _kind(code: str) -> str:
    return Kind.NAME.name if code == "L" else KINDS[code].upper()


def main() -> None:
    """Print the figures, and with --all what was missed and what was replaced without need."""
    paths = [Path(word) for word in sys.argv[1:] if word != "--all"] or sorted(NOTES.glob("*.txt"))
    for path in paths:
        notes = list(read_notes(path))
        figures = measure(notes)
        print(f"{path.name}: {len(notes)} notes")
        for code, name in KINDS.items():
            if figures.wanted[code]:
                share = f"{figures.found[code]:3} of {figures.wanted[code]:3}"
                print(
                    f"  {name:17} recall {figures.recall(code):.3f} ({share})   precision {figures.precision(code):.3f}"
                )
        if "--all" in sys.argv:
            print("missed:", *figures.missed, "wrong:", *figures.wrong, sep="\n  ")


if __name__ == "__main__":
    main()
