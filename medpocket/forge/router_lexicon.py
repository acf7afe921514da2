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

WEIGHT_COUNTS = {0: 0.0, 1: 0.3, 2: 1.0, 3: 2.0}  # what a weight of the files adds to an expert's score
DISEASE_COUNTS = (1.6, 1.0)  # of a subject's first expert, and of its others
ONE_WORD_DISEASE = 0.6  # as much of that where the subject is one word, which texts use in other ways too
DRUG_COUNTS = 1.0  # what any drug adds to pharmacology

# How far the texts may lower what a term counts. A term that half of its texts (each expert's texts counting alike)
# bear out keeps its weight; `PRIOR_TEXTS` are those that it has from the start, all of which bear it out.
RELIABLE = 0.4
LEAST_KEPT = 0.1
PRIOR_TEXTS = 4.0
LARGEST_SHARE = 6.0  # what a text of the expert with the fewest texts counts at most
MORE = "more.tsv"  # entries of all experts, the expert first
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
    found: list[Entry] = []
    for name, spec in registry.experts.items():
        found += [Entry(word, name, WEIGHT_COUNTS[2], "term") for word in spec.keywords]
        path = folder / f"{name}.tsv"
        if path.exists():
            found += _file(path, name)
    for number, line in _lines(folder / MORE):
        expert, _, entry = line.partition("\t")
        found.append(_entry(folder / MORE, number, entry, expert))
    known = {form for entry in found for form in _forms(entry.term)}
    return [*found, *(entry for entry in _subjects() if not known & _forms(entry.term))]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line


def _file(path: Path, expert: str) -> Iterator[Entry]:
    for number, line in _lines(path):
        yield _entry(path, number, line, expert)


def _entry(path: Path, number: int, line: str, expert: str) -> Entry:
    match line.split("\t"):
        case [term, ("0" | "1" | "2" | "3") as weight, kind] if term.strip() and kind in KINDS:
            return Entry(term, expert, WEIGHT_COUNTS[int(weight)], kind)
    raise InputError(
        f"line {number} of {path.name} is no entry",
        f"an entry is a term, 0 to 3, and one of {', '.join(KINDS)}, parted by tabs",
    )


def _subjects() -> Iterator[Entry]:
    for line in SUBJECTS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        subject, experts = line.split("\t")
        named = experts.split(",")
        for place, expert in enumerate(named):
            if expert != GENERAL and GENERAL not in named:
                name = subject_of(subject)
                counts = DISEASE_COUNTS[min(place, 1)] * (1.0 if " " in name else ONE_WORD_DISEASE)
                yield Entry(name, expert, counts, "disease")


def compile_lexicon(entries: Iterable[Entry], experts: Sequence[str]) -> Lexicon:
    """Bring the entries to their usual form; where one expert has a term twice, the greater weight counts."""
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    kinds: dict[str, str] = {}
    for entry in entries:
        for form in _forms(entry.term):
            weights[form][entry.expert] = max(entry.counts, weights[form].get(entry.expert, 0.0))
            if kinds.get(form, "disease") == "disease" or entry.kind == "drug":
                kinds[form] = entry.kind
            if entry.kind == "drug":
                weights[form]["pharmacology"] = max(DRUG_COUNTS, weights[form].get("pharmacology", 0.0))
    terms = tuple(sorted(weights))
    table = np.zeros((len(terms), len(experts)), np.float32)
    for row, term in enumerate(terms):
        for expert, counts in weights[term].items():
            table[row, experts.index(expert)] = counts
    return Lexicon(terms, table, np.array([KINDS.index(kinds[term]) for term in terms], np.uint8))


def temper(lexicon: Lexicon, texts: Iterable[tuple[Iterable[int], Sequence[int]]], experts: int) -> Lexicon:
    """Lower what a term counts for an expert where the texts that have it are mostly other experts'.

    `texts` are the numbers of the terms in each, and of the experts that may answer it.
    """
    found = [(set(terms), tuple(accept)) for terms, accept in texts]
    share = 1 / np.maximum(np.bincount([accept[0] for _, accept in found], minlength=experts), 1.0)
    share /= share.min()
    with_term = np.full(len(lexicon.terms), PRIOR_TEXTS)
    borne_out = np.full(lexicon.weights.shape, PRIOR_TEXTS)
    for terms, accept in found:
        rows = list(terms)
        weight = min(float(share[accept[0]]), LARGEST_SHARE)
        with_term[rows] += weight
        for expert in accept:
            borne_out[rows, expert] += weight
    kept = np.clip(borne_out / with_term[:, None] / RELIABLE, LEAST_KEPT, 1.0)
    return Lexicon(lexicon.terms, (lexicon.weights * kept).astype(np.float32), lexicon.kinds)


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
