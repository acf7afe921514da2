"""The texts that the router learns from, each with the experts that may answer it.

Written utterances, the questions and answers of MedQuAD, written answers of the thin specialties, and sentences made
of the lexicon's terms. Nothing that measures is among them.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import InputError
from medpocket.forge.corpus import Corpus
from medpocket.forge.dialogue import varied_exchange
from medpocket.forge.router_lexicon import Entry
from medpocket.forge.rows import read_rows
from medpocket.forge.specialties import EXCERPTS, MEDICINES, WRITTEN
from medpocket.forge.text import sentences
from medpocket.registry import GENERAL, Registry

UTTERANCES = Path(__file__).with_name("utterances")
VALIDATED_ONE_IN = 8


@dataclass(frozen=True)
class Sample:
    """A text, the experts that may answer it, where it is from and in which register it is written."""

    text: str
    accept: tuple[str, ...]
    source: str
    register: str = ""

    @property
    def validates(self) -> bool:
        """Whether this one is kept to watch the training with, by hash."""
        return hashlib.sha256(self.text.encode()).digest()[0] % VALIDATED_ONE_IN == 0


def utterances(folder: Path, registry: Registry) -> list[Sample]:
    """`ID.tsv`: register, text, and perhaps further experts. Raises InputError, naming file and line."""
    found: list[Sample] = []
    for expert in registry.experts:
        path = folder / f"{expert}.tsv"
        if path.exists():
            found += _utterances(path, expert, registry)
    return found


def _utterances(path: Path, expert: str, registry: Registry) -> Iterator[Sample]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        register, _, rest = line.partition("\t")
        if (register, number) == ("register", 1):
            continue
        text, _, others = rest.partition("\t")
        accept = (expert, *(name.strip() for name in others.split(",") if name.strip()))
        if not text.strip() or any(name not in registry.experts for name in accept):
            raise InputError(f"line {number} of {path.name} is no utterance", "a line is register, text, other experts")
        yield Sample(text, tuple(dict.fromkeys(accept)), "utterances", register)


def medquad(corpus: Corpus, dice: random.Random) -> Iterator[Sample]:
    """Questions about subjects, and pieces of the answers, of one to eight sentences."""
    for entry in (*corpus.train, *corpus.experts):
        if not entry.specialties or entry.source == "OpenStax":
            continue
        yield Sample(varied_exchange(entry, dice).question, entry.specialties, "questions")
        parts = sentences(entry.answer.replace("\n- ", ", ").replace("\n", " "))
        while parts:
            size = dice.choice((1, 2, 3, 5, 8))
            piece = " ".join(parts[:size])
            del parts[:size]
            if len(piece.split()) > 7:
                yield Sample(piece, entry.specialties, "answers")


def excerpts(corpus: Corpus) -> Iterator[Sample]:
    """What stands in for the specialties that have no documents: sentences on images, and on medicines."""
    for entry in (*corpus.train, *corpus.experts):
        medicines = [sentence for sentence in sentences(entry.answer) if MEDICINES.search(sentence)]
        for expert, found in (("radiology", entry.images), ("pharmacology", medicines)):
            if found:
                yield Sample(EXCERPTS[expert].format(s=entry.subject), (expert,), "excerpts")
                yield Sample(" ".join(found[:2]), (expert, *entry.specialties), "excerpts")


def written(registry: Registry) -> Iterator[Sample]:
    for expert in registry.experts:
        path = WRITTEN / f"{expert}.jsonl"
        if path.exists():
            for row in read_rows(path, lambda _: None):
                yield Sample(row.question, (expert,), "written")
                yield Sample(row.answer, (expert,), "written")


_FRAMES = (
    "{t}", "{t}?", "what is {t}", "what causes {t}?", "treatment of {t}", "how is {t} treated?", "symptoms of {t}",
    "patient with {t}", "{age} with {t}", "{age} presents with {t}", "{age} with {t} and {u}", "{t} and {u}",
    "{t}, {u}", "{t} in a patient with {u}", "management of {t} and {u}", "{age}, {t}, {u}, {v}", "i have {t}",
    "my doctor says i have {t}", "i was told about {t}, what does it mean", "is {t} dangerous?", "{t} {u} {v}",
    "history of {t}, now {u}", "referred for {t}", "evaluation of {t} with {u}", "we studied {t} in patients with {u}",
    "which of the following is true of {t}", "most common cause of {t} is", "the role of {t} in {u}", "about {t}",
    "diagnosis: {t}. plan: {u}", "{t} was associated with {u} and {v}", "effects of {t} on {u}", "worried about {t}",
    "a case of {t} with {u}", "findings suggest {t}; {u} was considered", "{t} with no {u}", "should i worry about {t}?",
)  # fmt: skip
_AGES = (
    "a 54-year-old man", "a 67-year-old woman", "a 35-year-old woman", "45M", "72F", "58 yo male", "a 23-year-old man",
    "patient", "81 y/o woman", "a woman", "a man", "this gentleman", "a 48-year-old",
)  # fmt: skip


def from_lexicon(entries: Iterable[Entry], registry: Registry, dice: random.Random, times: int) -> Iterator[Sample]:
    """Sentences around terms that say enough by themselves, with others of the same expert."""
    by_expert: dict[str, list[str]] = {name: [] for name in registry.experts}
    for entry in entries:
        if entry.counts >= 1 and entry.kind != "disease":
            by_expert[entry.expert].append(entry.term)
    for expert, terms in by_expert.items():
        for term in terms * times if expert != GENERAL else ():
            frame = dice.choice(_FRAMES)
            text = frame.format(t=term, u=dice.choice(terms), v=dice.choice(terms), age=dice.choice(_AGES))
            yield Sample(text, (expert,), "lexicon")
