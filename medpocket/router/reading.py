"""What the router reads out of a text: its words, the terms of the lexicon in it, and how much each counts."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from medpocket.router.negation import weigh
from medpocket.router.normalise import AGES, CLAUSE_END, SENTENCE_END, tokens_of
from medpocket.router.spelling import SHORTEST, Speller

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KINDS = ("term", "abbrev", "drug", "test", "lay", "name", "disease")
_MARKS = frozenset((SENTENCE_END, CLAUSE_END))
_REPEATED = 0.3  # what a term counts when it stands there again
_REPAIRS = 24  # words repaired in one text, at most: each costs some hundred look-ups
PIECE_BUCKETS = 1 << 14


@dataclass(frozen=True)
class Term:
    """A term of the lexicon where it stands: its number, its words' places, and how much it counts."""

    number: int
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Reading:
    """`words` with the marks between them; `weights` as long as they are; `terms` from first to last.

    `rows` are rows of the embedding, `counts` how much each counts, `places` the word that it belongs to. `unknown`
    and `everyday` are how many words are in no list, and in that of everyday words.
    """

    words: Sequence[str]
    terms: Sequence[Term]
    rows: "NDArray[np.int64]"
    counts: "NDArray[np.float32]"
    places: "NDArray[np.int64]"
    unknown: int
    everyday: int
    asks: bool

    @property
    def first_sentence(self) -> int:
        """Where the first sentence ends."""
        return next((place for place, word in enumerate(self.words) if word == SENTENCE_END), len(self.words))

    @property
    def last_sentence(self) -> int:
        """Where the last sentence begins."""
        end = len(self.words)
        while end and self.words[end - 1] in _MARKS:
            end -= 1
        return next((place + 1 for place in range(end - 1, -1, -1) if self.words[place] == SENTENCE_END), 0)


def shown(words: Sequence[str]) -> str:
    """Words as people read them."""
    return " ".join(AGES.get(word, word) for word in words)


@dataclass(frozen=True)
class Vocabulary:
    """`words` and `terms` map to numbers, `reach` a word to the length of the longest term that begins with it.

    `speller` knows the words of the lexicon; `everyday` are English words that medical texts do without.
    """

    words: Mapping[str, int]
    terms: Mapping[str, int]
    reach: Mapping[str, int]
    everyday: frozenset[str]
    speller: Speller

    @property
    def first_piece(self) -> int:
        return len(self.words)

    @property
    def row_count(self) -> int:
        """How many rows the embedding has: words, then pieces of unknown words."""
        return len(self.words) + PIECE_BUCKETS


@lru_cache(maxsize=16384)
def pieces_of(word: str) -> tuple[int, ...]:
    """The buckets of a word's pieces of four and five letters, its ends marked."""
    marked = f"<{word}>"
    return tuple(
        zlib.crc32(marked[start : start + size].encode()) % PIECE_BUCKETS
        for size in (4, 5)
        for start in range(max(1, len(marked) - size + 1))
    )


def find_terms(words: Sequence[str], vocabulary: Vocabulary) -> Iterator[tuple[int, int, int]]:
    """Yield (number, start, end) of the longest terms, from left to right, none inside another."""
    terms, reach = vocabulary.terms, vocabulary.reach
    place, count = 0, len(words)
    while place < count:
        longest = min(reach.get(words[place], 0), count - place)
        for length in range(longest, 0, -1):
            number = terms.get(" ".join(words[place : place + length]) if length > 1 else words[place])
            if number is not None:
                yield number, place, place + length
                place += length
                break
        else:
            place += 1


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """Read `text`."""
    import numpy as np

    words = tokens_of(text)
    unknown = _repair(words, vocabulary)
    found = list(find_terms(words, vocabulary))
    protected = [False] * len(words)
    for _, start, end in found:
        if end - start > 1:
            protected[start:end] = [True] * (end - start)
    weights = weigh(words, protected)
    seen: set[int] = set()
    terms = []
    for number, start, end in found:
        weight = min(weights[start:end]) * (_REPEATED if number in seen else 1.0)
        if weight > 0:
            seen.add(number)
            terms.append(Term(number, start, end, weight))
    rows, counts, places = _rows(words, weights, vocabulary)
    return Reading(
        words=words,
        terms=terms,
        rows=np.array(rows, dtype=np.int64),
        counts=np.array(counts, dtype=np.float32),
        places=np.array(places, dtype=np.int64),
        unknown=len(unknown),
        everyday=sum(word in vocabulary.everyday for word in words),
        asks="?" in text,
    )


def _repair(words: list[str], vocabulary: Vocabulary) -> list[int]:
    """Put right what is misspelt, in place; return the places of the words that stay unknown."""
    unknown = []
    tries = 0
    for place, word in enumerate(words):
        if word in vocabulary.words or word in _MARKS or word in vocabulary.everyday:
            continue
        if len(word) >= SHORTEST and tries < _REPAIRS:
            tries += 1
            meant = vocabulary.speller.repair(word)
            if meant is not None:
                words[place] = meant
                continue
        unknown.append(place)
    return unknown


def _rows(
    words: Sequence[str], weights: Sequence[float], vocabulary: Vocabulary
) -> tuple[list[int], list[float], list[int]]:
    rows: list[int] = []
    counts: list[float] = []
    places: list[int] = []
    known, first_piece = vocabulary.words, vocabulary.first_piece
    for place, (word, weight) in enumerate(zip(words, weights, strict=True)):
        if word in _MARKS or weight <= 0:
            continue
        row = known.get(word)
        if row is not None:
            rows.append(row)
            counts.append(weight)
            places.append(place)
            continue
        if word in vocabulary.everyday:
            continue
        pieces = pieces_of(word)
        rows += [first_piece + piece for piece in pieces]
        counts += [weight / len(pieces)] * len(pieces)
        places += [place] * len(pieces)
    return rows, counts, places


def as_vocabulary(content: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary in a file of weights: texts `words`, `terms`, `sounds`, `everyday`, an entry a line, and `reach`
    by word.

    `reach` is 0 for words that no term begins with; `in_terms` is 1 for words that terms have.
    """
    listed = content["words"].split("\n")
    words = dict(zip(listed, range(len(listed)), strict=True))
    terms = {term: number for number, term in enumerate(content["terms"].split("\n"))}
    reach = {word: length for word, length in zip(listed, content["reach"].tolist(), strict=True) if length}
    flags = content["in_terms"].tolist()
    spelt = {word: row for row, word in enumerate(listed) if flags[row] and len(word) >= SHORTEST}
    sounds = dict(line.split("\t") for line in content["sounds"].split("\n")) if content["sounds"] else {}
    return Vocabulary(words, terms, reach, frozenset(content["everyday"].split("\n")), Speller(spelt, sounds))
