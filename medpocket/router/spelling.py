"""Misspelt words: the word of the lexicon that one slip of the hand, or writing by ear, makes of them."""

import re
from collections.abc import Iterator, Mapping

SHORTEST = 5
SHORTEST_SKELETON = 3
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

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


def repair(word: str, known: Mapping[str, int], sounds: Mapping[str, str]) -> str | None:
    """Return the word of `known` that was meant, the one with the least number first; None where none is near.

    `sounds` maps skeletons to words. Only letters are repaired, and only in words of five or more.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return None
    near = [found for found in _one_slip(word) if found in known]
    if near:
        return min(near, key=known.__getitem__)
    sound = skeleton(word)
    meant = sounds.get(sound) if len(sound) >= SHORTEST_SKELETON else None
    return meant if meant and abs(len(meant) - len(word)) <= 2 and _alike(meant, word) else None


def _alike(one: str, other: str) -> bool:
    """Whether words that sound alike share two thirds of their letters."""
    shared = sum(min(one.count(letter), other.count(letter)) for letter in set(one))
    return shared * 3 >= 2 * max(len(one), len(other))


def _one_slip(word: str) -> Iterator[str]:
    """Words at a Damerau-Levenshtein distance of one that keep the first letter."""
    for place in range(1, len(word) + 1):
        head, tail = word[:place], word[place:]
        if tail:
            yield head + tail[1:]
            if len(tail) > 1:
                yield head + tail[1] + tail[0] + tail[2:]
        rest = tail[1:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + rest
