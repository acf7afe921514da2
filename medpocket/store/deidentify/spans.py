"""Pieces of a text that should be replaced, and what they are."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a piece is. Of pieces that overlap and are equally sure, the one whose kind stands first is kept."""

    EMAIL = 0
    ADDRESS = 1
    DATE = 2
    PHONE = 3
    RECORD = 4
    AGE = 5
    NAME = 6


_WORTH_KEEPING = 3  # characters


@dataclass(frozen=True)
class Span:
    """A piece of a text, from `start` to `end`. It is `sure` where more than its own shape speaks for its kind."""

    start: int
    end: int
    kind: Kind
    sure: bool = False


def resolved(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order and without overlap.

    Of two that overlap the surer is kept, and of the other what it does not cover, unless that is next to nothing:
    rather too much is replaced than too little.
    """
    kinds = bytearray(len(text))  # for each character 0, or 1 + its kind
    starts = bytearray(len(text))
    for span in sorted(spans, key=lambda one: (not one.sure, one.kind, one.start)):
        free = kinds[span.start : span.end].count(0)
        if free < span.end - span.start and free < _WORTH_KEEPING:
            continue
        begun = False
        for at in range(span.start, span.end):
            if not kinds[at]:
                kinds[at] = 1 + span.kind
                starts[at] = not begun and (at == span.start or kinds[at - 1] != kinds[at])
                begun = True
            elif kinds[at] != 1 + span.kind:
                begun = False
    return list(_runs(text, kinds, starts))


def _runs(text: str, kinds: bytearray, starts: bytearray) -> Iterator[Span]:
    """Yield the runs of equal kinds, each from its first letter or figure to its last sign."""
    position = 0
    while position < len(kinds):
        if not kinds[position]:
            position += 1
            continue
        end = position + 1
        while end < len(kinds) and kinds[end] == kinds[position] and not starts[end]:
            end += 1
        piece = text[position:end]
        start = position + len(piece) - len(piece.lstrip(" ,;\n"))
        stop = position + len(piece.rstrip(" ,;\n"))
        if any(character.isalnum() for character in piece):
            yield Span(start, stop, Kind(kinds[position] - 1))
        position = end


# The capital and small letters of Latin, Greek and Cyrillic, to stand in a class of a regular expression.
_ALPHABETS = [chr(code) for code in (*range(0x41, 0x530), *range(0x1E00, 0x2000)) if code < sys.maxunicode]
CAPITALS = "".join(letter for letter in _ALPHABETS if letter.isalpha() and letter.isupper())
SMALL = "".join(letter for letter in _ALPHABETS if letter.isalpha() and letter.islower())

BLOT = "\0"  # what no text has, in the place of what is already found

# A digit, and the letters that scanning or haste puts in its place.
DIGIT = "[0-9OolI]"


def count_digits(text: str) -> int:
    """Return how many figures a text has."""
    return sum(character.isdigit() for character in text)


def masked(text: str, spans: Iterable[Span]) -> str:
    """Return the text with what the spans cover blotted out, as long as before."""
    letters = list(text)
    for span in spans:
        letters[span.start : span.end] = BLOT * (span.end - span.start)
    return "".join(letters)
