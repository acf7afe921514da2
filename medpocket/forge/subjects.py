"""Subjects: their names, which specialties they belong to, and which part of the data they are in."""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from medpocket.forge.text import normalised

SUBJECTS = Path(__file__).with_name("subjects.tsv")

HELD_OUT_ONE_IN = 20
KEPT_FROM_EXPERTS_ONE_IN = 5
THIN = frozenset({"psychiatry", "womens_health"})  # so few documents that every second subject must measure
THIN_KEPT_ONE_IN = 2


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


def is_kept_from_experts(focus: str) -> bool:
    """Whether no expert reads of this subject: its documents, where the base did not read them either, measure."""
    if THIN.intersection(specialties_of(focus)):
        # Of the four draws the one that leaves psychiatry, with 27 long documents, enough on both sides.
        kept = _draw(focus, 3) % THIN_KEPT_ONE_IN == 0
    else:
        kept = _draw(focus, 1) % KEPT_FROM_EXPERTS_ONE_IN == 0
    return kept or is_held_out(focus)


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
