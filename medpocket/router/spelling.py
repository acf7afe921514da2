"""Misspelt words: the word of the lexicon that one slip of the hand, or writing by ear, makes of them."""

import re
from collections.abc import Iterator, Mapping

SHORTEST = 5
LONG = 8  # letters of a word of which one slip spares the first three or the last three
SHORTEST_SKELETON = 3

_SOUNDS = (
    (re.compile(r"^(?:pn|kn|gn|mn)"), "n"),
    (re.compile(r"^ps"), "s"),
    (re.compile(r"^x"), "s"),
    (re.compile(r"rrh|rh"), "r"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"gh(?=t|$)"), ""),
    (re.compile(r"sch|sc(?=[eiy])"), "s"),
    (re.compile(r"ch(?=[rlmnoa])"), "k"),
    (re.compile(r"c(?=[eiy])"), "s"),
    (re.compile(r"g(?=[eiy])"), "j"),
    (re.compile(r"ck|c(?!h)|q"), "k"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"z"), "s"),
    (re.compile(r"(?<=.)[aeiouyhw]"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)


def skeleton(word: str) -> str:
    """Return how a word sounds, roughly: its first letter and its consonants, silent ones left out."""
    for pattern, put in _SOUNDS:
        word = pattern.sub(put, word)
    return word


class Speller:
    """Finds the word of a list that was meant; `sounds` maps skeletons to words of it."""

    def __init__(self, words: Mapping[str, int], sounds: Mapping[str, str]) -> None:
        self._words, self._sounds = words, sounds
        self._alike: dict[tuple[int, str], list[str]] = {}

    def repair(self, word: str) -> str | None:
        """Return the word that was meant, of several the one with the least number; None where none is near.

        Only letters are repaired, in words of five or more, and never the first.
        """
        if len(word) < SHORTEST or not word.isalpha():
            return None
        near = {found for found in self._candidates(word) if is_one_slip(word, found)}
        if near:
            return min(near, key=self._words.__getitem__)
        sound = skeleton(word)
        meant = self._sounds.get(sound) if len(sound) >= SHORTEST_SKELETON else None
        return meant if meant and abs(len(meant) - len(word)) <= 2 and _share_letters(meant, word) else None

    def _candidates(self, word: str) -> Iterator[str]:
        """Words as long, or one letter longer or shorter, that begin or end alike: one slip spares one of the two."""
        if not self._alike:
            for known in self._words:
                for key in _keys(known, len(known)):
                    self._alike.setdefault((len(known), key), []).append(known)
        for length in (len(word) - 1, len(word), len(word) + 1):
            for key in _keys(word, length):
                yield from self._alike.get((length, key), ())


def _keys(word: str, length: int) -> tuple[str, str]:
    """What a word that becomes one of `length` letters by one slip shares with it, the one or the other."""
    spared = 3 if length >= LONG else 2
    return word[:spared] + "-", f"{word[0]}-{word[-spared:]}"


def is_one_slip(one: str, other: str) -> bool:
    """Whether a letter more, a letter less, another letter, or two letters in the other order make one of the other."""
    place = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        place += 1
    rest, others = one[place:], other[place:]
    if rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]:
        return True
    return len(rest) > 1 and rest[:2] == others[1::-1] and rest[2:] == others[2:]


def _share_letters(one: str, other: str) -> bool:
    """Whether words that sound alike share two thirds of their letters."""
    shared = sum(min(one.count(letter), other.count(letter)) for letter in set(one))
    return shared * 3 >= 2 * max(len(one), len(other))
