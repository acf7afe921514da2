"""The lexicon as the router reads it: entries of assets/lexicon, subjects of MedQuAD, keywords of the registry."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medpocket.errors import InputError
from medpocket.forge.subjects import SUBJECTS, subject_of
from medpocket.registry import GENERAL, Registry
from medpocket.router.normalise import CLAUSE_END, SENTENCE_END, tokens_of
from medpocket.router.reading import KINDS
from medpocket.router.spelling import SHORTEST, SHORTEST_SKELETON, skeleton

WEIGHT_COUNTS = {1: 0.3, 2: 1.0, 3: 2.0}  # what a weight of the files adds to an expert's score
DISEASE_COUNTS = (1.6, 1.0)  # of a subject's first expert, and of its others
LONGEST_TERM = 8  # words


@dataclass(frozen=True)
class Entry:
    """A term as it was written, its expert, what it counts, and its kind."""

    term: str
    expert: str
    counts: float
    kind: str


@dataclass(frozen=True)
class Lexicon:
    """`terms` in their usual form; `weights` (terms, experts); `kinds` (terms)."""

    terms: tuple[str, ...]
    weights: NDArray[np.float32]
    kinds: NDArray[np.uint8]


def read_entries(folder: Path, registry: Registry) -> list[Entry]:
    """All entries. Raises InputError, naming file and line, for one that is no `term<TAB>weight<TAB>kind`."""
    found = list(_subjects())
    for name, spec in registry.experts.items():
        found += [Entry(word, name, WEIGHT_COUNTS[2], "term") for word in spec.keywords]
        path = folder / f"{name}.tsv"
        if path.exists():
            found += _file(path, name)
    return found


def _file(path: Path, expert: str) -> Iterator[Entry]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match line.split("\t"):
            case [term, ("1" | "2" | "3") as weight, kind] if term.strip() and kind in KINDS:
                yield Entry(term, expert, WEIGHT_COUNTS[int(weight)], kind)
            case _:
                raise InputError(
                    f"line {number} of {path.name} is no entry",
                    f"an entry is a term, 1 to 3, and one of {', '.join(KINDS)}, parted by tabs",
                )


def _subjects() -> Iterator[Entry]:
    for line in SUBJECTS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        subject, experts = line.split("\t")
        named = experts.split(",")
        for place, expert in enumerate(named):
            if expert != GENERAL and GENERAL not in named:
                yield Entry(subject_of(subject), expert, DISEASE_COUNTS[min(place, 1)], "disease")


def compile_lexicon(entries: Iterable[Entry], experts: Sequence[str]) -> Lexicon:
    """Bring the entries to their usual form; where one expert has a term twice, the greater weight counts."""
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    kinds: dict[str, str] = {}
    for entry in entries:
        for form in _forms(entry.term):
            weights[form][entry.expert] = max(entry.counts, weights[form].get(entry.expert, 0.0))
            if kinds.get(form, "disease") == "disease":
                kinds[form] = entry.kind
    terms = tuple(sorted(weights))
    table = np.zeros((len(terms), len(experts)), np.float32)
    for row, term in enumerate(terms):
        for expert, counts in weights[term].items():
            table[row, experts.index(expert)] = counts
    return Lexicon(terms, table, np.array([KINDS.index(kinds[term]) for term in terms], np.uint8))


def _forms(term: str) -> set[str]:
    """The term's usual form, and the one in which its hyphens join what they stand between."""
    forms = set()
    for written in {term, re.sub(r"(?<=[a-z])-(?=[a-z])", "", term.lower())}:
        words = [word for word in tokens_of(written) if word not in (CLAUSE_END, SENTENCE_END)]
        if 0 < len(words) <= LONGEST_TERM and len("".join(words)) > 1:
            forms.add(" ".join(words))
    return forms


def sounds_of(terms: Iterable[str], words: Mapping[str, int]) -> dict[str, str]:
    """Map how the lexicon's words sound to them; of several that sound alike, to the most frequent."""
    found: dict[str, str] = {}
    spelt = {word for term in terms for word in term.split() if len(word) >= SHORTEST and word in words}
    for word in sorted(spelt, key=words.__getitem__):
        sound = skeleton(word)
        if len(sound) >= SHORTEST_SKELETON:
            found.setdefault(sound, word)
    return found
