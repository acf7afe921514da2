"""Subjects: their names, which specialties they belong to, and which part of the data they are in."""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from medpocket.forge.text import normalised

SUBJECTS = Path(__file__).with_name("subjects.tsv")

HELD_OUT_ONE_IN = 20
THIN_HELD_OUT_ONE_IN = 4
WITHHELD_SHARE = (3, 10)  # of the other subjects: read by experts, not by the base

# Specialties with so few documents that one subject in four is held out, and the others are left to the experts.
THIN = frozenset({"pharmacology", "psychiatry", "pulmonology", "radiology", "womens_health"})

Part = Literal["held_out", "thin_held_out", "experts", "all"]


def subject_of(focus: str) -> str:
    """The name by which people ask: without catalogue prefixes and explanations in parentheses."""
    name = re.sub(r"^(?:Parasites|Surgery|Understanding|Prevent diabetes problems)\s*[-:]\s*", "", focus.strip())
    name = re.sub(r"^What I need to know about ", "", name)
    name = re.sub(r"\s*\([^()]*\)", "", name)
    return re.sub(r"\s+", " ", name).strip(" -,;") or focus.strip()


def split_key(focus: str) -> str:
    """Equal for spellings of one subject: letter case, punctuation, plural s and word order do not count."""
    words = normalised(subject_of(focus)).split()
    return " ".join(sorted(word.rstrip("s") if len(word) > 3 else word for word in words))


def is_held_out(focus: str) -> bool:
    """Whether this subject is kept for evaluation; the same in every source and every run."""
    return _draw(focus, 0) % HELD_OUT_ONE_IN == 0


def part_of(focus: str, *, thin: bool, measured: bool) -> Part:
    """Who reads this subject: nobody (held out), the experts alone, or the base model and the experts.

    `thin` says that it belongs to one of THIN; `measured`, that one in four like it is held out.
    """
    if is_held_out(focus):
        return "held_out"
    if measured and _draw(focus, 1) % THIN_HELD_OUT_ONE_IN == 0:
        return "thin_held_out"
    withheld, of = WITHHELD_SHARE
    return "experts" if thin or _draw(focus, 2) % of < withheld else "all"


def _draw(focus: str, number: int) -> int:
    """A number that looks random and is always the same: eight bytes, the `number`-th, of the key's SHA-256."""
    digest = hashlib.sha256(split_key(focus).encode()).digest()
    return int.from_bytes(digest[8 * number : 8 * number + 8], "big")


def specialties_of(focus: str) -> tuple[str, ...]:
    """The experts that this subject belongs to, the best first; none where it is in no list or of no specialty."""
    return _assignment().get(split_key(focus), ())


@lru_cache(maxsize=1)
def _assignment() -> Mapping[str, tuple[str, ...]]:
    """subjects.tsv: a subject, a tab, its experts parted by commas."""
    assigned: dict[str, tuple[str, ...]] = {}
    for line in SUBJECTS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            subject, experts = line.split("\t")
            assigned[split_key(subject)] = tuple(expert for expert in experts.split(",") if expert != "general")
    return MappingProxyType(assigned)
