"""The texts that the router learns from, each with the experts that may answer it.

Written utterances, the questions and answers of MedQuAD, written answers of the thin specialties, and sentences made
of the lexicon's terms. Nothing that measures is among them.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import InputError
from medpocket.forge.corpus import Corpus
from medpocket.forge.corpus import Entry as CorpusEntry
from medpocket.forge.dialogue import QUESTIONS
from medpocket.forge.router_lexicon import MORE, Entry
from medpocket.forge.rows import read_rows
from medpocket.forge.specialties import EXCERPTS, FURTHER, WRITTEN
from medpocket.forge.subjects import is_kept_from_experts
from medpocket.forge.text import sentences
from medpocket.registry import GENERAL, Registry
from medpocket.toml_file import read_toml

FRAMES = read_toml(Path(__file__).with_name("router_frames.toml"))
UTTERANCES = Path(__file__).with_name("utterances")
VALIDATED_ONE_IN = 8
SHORTEST_PIECE = 8  # words of an answer


@dataclass(frozen=True)
class Sample:
    """A text, the experts that may answer it, where it is from, its register, and the text that it is a variant of."""

    text: str
    accept: tuple[str, ...]
    source: str
    register: str = ""
    variant_of: str = ""

    @property
    def validates(self) -> bool:
        """Whether this one is kept to watch the training with, by hash."""
        return hashlib.sha256(self.text.encode()).digest()[0] % VALIDATED_ONE_IN == 0


def utterances(folder: Path, registry: Registry) -> list[Sample]:
    """`ID.tsv`: register, text, and perhaps further experts; more.tsv: the expert before these.

    Raises InputError, naming file and line.
    """
    found: list[Sample] = []
    for expert in registry.experts:
        path = folder / f"{expert}.tsv"
        if path.exists():
            for number, line in _lines(path):
                found.append(_utterance(path, number, line, expert, registry))
    if (folder / MORE).exists():
        for number, line in _lines(folder / MORE):
            expert, _, rest = line.partition("\t")
            found.append(_utterance(folder / MORE, number, rest, expert, registry))
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith(("#", "register\t")):
            yield number, line


def _utterance(path: Path, number: int, line: str, expert: str, registry: Registry) -> Sample:
    register, _, rest = line.partition("\t")
    text, _, others = rest.partition("\t")
    accept = (expert, *(name.strip() for name in others.split(",") if name.strip()))
    if not text.strip() or any(name not in registry.experts for name in accept):
        raise InputError(f"line {number} of {path.name} is no utterance", "a line is register, text, other experts")
    return Sample(text, tuple(dict.fromkeys(accept)), "utterances", register)


def learnt(corpus: Corpus) -> Iterator[CorpusEntry]:
    """The documents that measure neither the base model nor an expert."""
    return (entry for entry in corpus.train if not is_kept_from_experts(entry.subject))


def medquad(corpus: Corpus, dice: random.Random) -> Iterator[Sample]:
    """Questions about subjects, and pieces of the answers, of one to eight sentences."""
    for entry in learnt(corpus):
        if not entry.specialties or entry.source == "OpenStax":
            continue
        phrasing = dice.choice(QUESTIONS.get(entry.qtype, QUESTIONS["information"]))
        yield Sample(phrasing.format(s=entry.subject), entry.specialties, "questions")
        if entry.rest:
            yield Sample(FURTHER.format(s=entry.subject), entry.specialties, "questions")
        for text in (entry.answer, *entry.passages):
            parts = sentences(text.replace("\n- ", ", ").replace("\n", " "))
            while parts:
                size = dice.choice((1, 2, 3, 5, 8))
                piece = " ".join(parts[:size])
                del parts[:size]
                if len(piece.split()) >= SHORTEST_PIECE:
                    yield Sample(piece, entry.specialties, "answers")


def excerpts(corpus: Corpus) -> Iterator[Sample]:
    """What stands in for the specialties that have no documents: sentences on images, and on medicines."""
    for entry in learnt(corpus):
        for expert, (matter, question) in EXCERPTS.items():
            found = [sentence for sentence in sentences(entry.answer) if matter.search(sentence)]
            if found:
                yield Sample(question.format(s=entry.subject), (expert,), "excerpts")
                yield Sample(" ".join(found[:2]), (expert, *entry.specialties), "excerpts")


def written(registry: Registry) -> Iterator[Sample]:
    for expert in registry.experts:
        path = WRITTEN / f"{expert}.jsonl"
        if path.exists():
            for row in read_rows(path, lambda _: None):
                yield Sample(row.question, (expert,), "written")
                yield Sample(row.answer, (expert,), "written")


# Experts that a patient or a method defines: what makes a question theirs stands beside the terms of another expert.
ACROSS = ("pharmacology", "pediatrics", "womens_health", "radiology", "oncology")
METHODS = ("pharmacology", "radiology")  # experts of means that a paper about anything may use
OWN_SHARE = 0.5  # of the terms in a paper's sentences
_PATIENTS = {"pediatrics": "children", "womens_health": "pregnant"}
ELSEWHERE = 10_000
_REGISTERS = ("literature", "notes", "examinations", "people", "questions")
ASIDES_SHARE = 0.5  # of the stories that have something of everyday life in them
_OWN_REGISTER = 0.85  # how often a lay term stands in what people say


class Framer:
    """Makes sentences of the lexicon's terms, with one set of dice."""

    def __init__(self, entries: Iterable[Entry], dice: random.Random) -> None:
        self._dice = dice
        self._terms: dict[str, list[str]] = {}
        self._drugs: list[str] = []
        self._lay: set[str] = set()
        for entry in entries:
            if entry.counts >= 1 and entry.kind not in ("disease", "drug"):
                self._terms.setdefault(entry.expert, []).append(entry.term)
                if entry.kind == "lay":
                    self._lay.add(entry.term)
            elif entry.kind == "drug":
                self._drugs.append(entry.term)
                if entry.counts >= 2:
                    self._terms.setdefault(entry.expert, []).append(entry.term)
        self._experts = sorted(self._terms)

    def samples(self, times: int, across: int) -> Iterator[Sample]:
        """Each term of each expert in so many sentences; `across` more for each of ACROSS, pharmacology twice."""
        for expert in self._experts:
            for term in self._terms[expert] * times:
                register = self._register(term)
                frame = self._dice.choice(FRAMES["registers"][register])
                yield Sample(self._fill(frame, expert, "patients", term), (expert,), "frames", register)
        for expert in ACROSS:
            for _ in range(across * (2 if expert == "pharmacology" else 1)):
                frame = self._dice.choice(FRAMES["frames"][expert])
                yield Sample(self._fill(frame, expert, _PATIENTS.get(expert, "patients")), (expert,), "across")

    def composed(self, register: str, times: int, longest: int) -> Iterator[Sample]:
        """So many papers, charts or patients' stories for each expert whose matter they may be.

        What else comes in decides nothing. A story is told in lay terms.
        """
        dice, parts = self._dice, FRAMES["composed"][register]
        told = register == "people"
        for expert in [name for name in self._experts if told or name not in METHODS]:
            lay: Sequence[str] = [one for one in self._terms[expert] if one in self._lay] if told else ()
            others = [name for name in self._experts if name != expert]
            leads = [*parts["leads"], *parts.get("leads_of", {}).get(expert, ())]
            for _ in range(times):
                mixed = [*dice.choices(others, k=2), dice.choice(METHODS)]
                sentences = [dice.choice(leads), *dice.sample(parts["sentences"], dice.randrange(longest))]
                text = " ".join(self._fill_mixed(sentence, expert, mixed, lay) for sentence in sentences)
                if told and dice.random() < ASIDES_SHARE:
                    text = with_aside(text, dice)
                yield Sample(text, (expert,), "composed", register)

    def _fill_mixed(self, frame: str, expert: str, mixed: Sequence[str], lay: Sequence[str]) -> str:
        dice = self._dice
        term = dice.choice(lay) if lay else None
        whose = [expert if dice.random() < OWN_SHARE else dice.choice(mixed) for _ in "xyz"]
        slots = {slot: dice.choice(self._terms[name]) for slot, name in zip("xyz", whose, strict=True)}
        return self._fill(frame, expert, "patients", term, **slots, m=str(dice.randrange(2, 90)))

    def _register(self, term: str) -> str:
        if term in self._lay and self._dice.random() < _OWN_REGISTER:
            return "people"
        return self._dice.choice(_REGISTERS)

    def _fill(self, frame: str, expert: str, patients: str, term: str | None = None, **more: str) -> str:
        dice = self._dice
        own = self._terms[expert]
        other = self._terms[dice.choice([name for name in self._experts if name != expert])]
        if term in self._lay:
            own = [one for one in own if one in self._lay]
        slots = {name: dice.choice(own) for name in "uvw"} | {name: dice.choice(other) for name in "op"}
        slots |= {name: dice.choice(self._drugs) for name in "de"}
        slots |= {"t": term or dice.choice(own), "i": dice.choice(FRAMES["imaging"]), "n": str(dice.randrange(2, 90))}
        slots |= more
        return frame.format(**slots, s=dice.choice(FRAMES["sites"]["sites"]), age=dice.choice(FRAMES[patients]))


def with_aside(text: str, dice: random.Random) -> str:
    """A patient's text with something of everyday life before or after it, which decides nothing."""
    aside = dice.choice(FRAMES["asides"]["asides"])
    end = "" if text.rstrip().endswith((".", "?", "!")) else "."
    return f"{aside} {text}" if dice.random() < 0.5 else f"{text.rstrip()}{end} {aside}"


def elsewhere(dice: random.Random) -> Iterator[Sample]:
    """What is not medical: whole sentences, and others put together from parts."""
    parts = FRAMES["elsewhere"]
    for text in (*parts["sentences"], *FRAMES["asides"]["asides"]) * 5:
        yield Sample(text, (GENERAL,), "elsewhere")
    for number in range(ELSEWHERE):
        opening, action = dice.choice(parts["openings"]), dice.choice(parts["actions"])
        if number % 2:
            link, (thing, other) = dice.choice(parts["links"]), dice.sample(parts["things"], 2)
            text = link.format(o=opening, a=action, t=thing, u=other)
        else:
            words = (opening, action, dice.choice(parts["objects"]))
            text = " ".join(words[dice.choice((0, 0, 1)) :] if dice.random() < 0.9 else words[:1] + words[2:])
        yield Sample(text, (GENERAL,), "elsewhere")
