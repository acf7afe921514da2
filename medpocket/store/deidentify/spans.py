"""Pieces of a text that should be replaced, and what they are."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a piece is. Of pieces that overlap, the one whose kind stands first names the whole."""

    EMAIL = 0
    ADDRESS = 1
    RECORD = 2
    PHONE = 3
    DATE = 4
    AGE = 5
    NAME = 6


@dataclass(frozen=True)
class Span:
    """A piece of a text, from `start` to `end`."""

    start: int
    end: int
    kind: Kind


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, with those that overlap made one: rather too much is replaced than too little."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if found and span.start < found[-1].end:
            last = found[-1]
            found[-1] = Span(last.start, max(last.end, span.end), min(last.kind, span.kind))
        elif span.start < span.end:
            found.append(span)
    return found


# The capital and small letters of Latin, Greek and Cyrillic, to stand in a class of a regular expression.
_ALPHABETS = [chr(code) for code in (*range(0x41, 0x530), *range(0x1E00, 0x2000)) if code < sys.maxunicode]
CAPITALS = "".join(letter for letter in _ALPHABETS if letter.isalpha() and letter.isupper())
SMALL = "".join(letter for letter in _ALPHABETS if letter.isalpha() and letter.islower())

# A digit, and the letters that scanning or haste puts in its place.
DIGIT = "[0-9OolI]"
