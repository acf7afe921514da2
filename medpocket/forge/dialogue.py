"""Make conversations of entries: phrased questions, experts' lines, follow-up questions, invented names."""

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from medpocket.forge.corpus import Corpus, Entry, names_subject
from medpocket.forge.subjects import split_key
from medpocket.toml_file import read_toml

PHRASES = read_toml(Path(__file__).with_name("phrases.toml"))
EXPERT_LINES: list[str] = PHRASES["expert_lines"]
QUESTIONS_PLURAL: list[str] = PHRASES["questions_plural"]
_ByKind = dict[str, list[str]]
QUESTIONS: _ByKind = PHRASES["questions"]
FOLLOW_UPS: _ByKind = PHRASES["follow_ups"]
LEADS: _ByKind = PHRASES["leads"]
INVENTED: _ByKind = PHRASES["invented"]

ONSETS = (
    "b",
    "c",
    "ch",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "qu",
    "r",
    "s",
    "st",
    "t",
    "th",
    "tr",
    "v",
    "w",
    "z",
)
CODAS = ("", "", "", "l", "m", "n", "r", "s", "t", "x", "ck", "rd", "rt", "st")

CHAINED = 0.25  # share of entries that continue a conversation about their subject
EXPERT = 0.18  # share of turns that end with an expert's line
RARE = ("GARD", "GHR")  # the sources on rare diseases
TEXT_WEIGHT = 0.5
LONGEST_CONVERSATION = 3
NAMED_WITHIN = 200  # characters: an answer that names its subject later gets a line that names it


@dataclass(frozen=True)
class Mixture:
    """What an epoch consists of beside the entries themselves.

    `renamed` is the share of single entries from RARE that are told of an invented disease. With `copying`, half as
    many from the other sources are too, the names are also mixed from words of real ones, and questions write them as
    the answers do: practice in taking names from the question. `drills` more such entries are made of each single
    one, only up to the end of the sentence that first names the subject.
    """

    renamed: float = 0.25
    copying: bool = False
    drills: int = 0


PLAIN = Mixture()


@dataclass(frozen=True)
class Exchange:
    """A question and its answer; what comes after an answer that is not `whole` is not learnt."""

    question: str
    answer: str
    whole: bool = True


Conversation = tuple[Exchange, ...]


def epoch(corpus: Corpus, seed: int, number: int, mixture: Mixture = PLAIN) -> list[Conversation | str]:
    """All conversations and plain texts of one epoch, in their order; a function of its arguments alone."""
    dice = random.Random(f"{seed}/{number}")
    entries = [entry for entry in corpus.train for _ in range(_times(entry.weight, dice))]
    dice.shuffle(entries)
    writer = _Writer(corpus, mixture, dice)
    documents: list[Conversation | str] = list(_conversations(entries, writer))
    documents.extend(text for text in corpus.train_texts if dice.random() < TEXT_WEIGHT)
    dice.shuffle(documents)
    return documents


def plain_exchange(entry: Entry) -> Exchange:
    """The entry with its first phrasing and nothing varied: what evaluation asks."""
    return Exchange(_templates(entry)[0].format(s=entry.subject), _with_lead(entry, random.Random(0)))


def _times(weight: float, dice: random.Random) -> int:
    whole = math.floor(weight)
    return whole + (dice.random() < weight - whole)


def _conversations(entries: list[Entry], writer: "_Writer") -> Iterator[Conversation]:
    """Join entries of one subject to conversations, and let the others stand alone."""
    dice = writer.dice
    chains: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if dice.random() < 2 * CHAINED:  # about half of those find a partner
            chains[split_key(entry.subject)].append(entry)
        else:
            yield writer.converse([entry])
            yield from writer.drills(entry)
    for chain in chains.values():
        while chain:
            length = dice.choice((2, 2, LONGEST_CONVERSATION))
            turns = _different(chain[:length])
            del chain[:length]
            yield writer.converse(turns)


def _different(chain: list[Entry]) -> list[Entry]:
    """The chain without a second entry of the same kind of question."""
    return list({entry.qtype: entry for entry in chain}.values())


class _Writer:
    """Write conversations of entries, with one set of dice."""

    def __init__(self, corpus: Corpus, mixture: Mixture, dice: random.Random) -> None:
        self.mixture, self.dice = mixture, dice
        words = (word.strip(",;:()") for entry in corpus.train for word in entry.subject.split())
        self._words = list(dict.fromkeys(word for word in words if len(word) > 3))

    def converse(self, turns: list[Entry]) -> Conversation:
        renamed = len(turns) == 1 and self._renames(turns[0])
        if renamed:
            turns = [_renamed(turns[0], self._name())]
        exchanges = []
        for number, entry in enumerate(turns):
            follows = number > 0 and entry.qtype in FOLLOW_UPS and self.dice.random() < 0.6
            if follows:
                question = self.dice.choice(FOLLOW_UPS[entry.qtype])
            else:
                question = _question(entry, self.dice, varied=not (renamed and self.mixture.copying))
            if self.dice.random() < EXPERT:
                question += "\n\n" + self.dice.choice(EXPERT_LINES)
            exchanges.append(Exchange(question, _with_lead(entry, self.dice)))
        return tuple(exchanges)

    def _renames(self, entry: Entry) -> bool:
        share = self.mixture.renamed if entry.source in RARE else self.mixture.renamed / 2 * self.mixture.copying
        return share > 0 and self.dice.random() < share and entry.subject.lower() in entry.answer.lower()

    def drills(self, entry: Entry) -> Iterator[Conversation]:
        """Beginnings of the entry, each with another invented name."""
        for _ in range(self.mixture.drills):
            drill = _renamed(entry, nonsense_name(self.dice) if self.dice.random() < 0.3 else self._name())
            answer = _with_lead(drill, self.dice)
            first = re.match(r"[^\n]{0,300}?[.:](?=\s)", answer)
            if first and names_subject(drill.subject, first.group()):
                yield (Exchange(_question(drill, self.dice, varied=False), first.group(), whole=False),)

    def _name(self) -> str:
        if self.mixture.copying and self.dice.random() < 0.6:
            return " ".join(self.dice.sample(self._words, self.dice.choice((1, 2, 2, 3, 3, 4))))
        return invented_name(self.dice)


def _templates(entry: Entry) -> list[str]:
    if entry.qtype == "information" and _is_plural(entry.subject):
        return QUESTIONS_PLURAL
    return QUESTIONS.get(entry.qtype, QUESTIONS["information"])


def _is_plural(subject: str) -> bool:
    several = re.search(r"(?<![siu])s$", subject) and not subject.endswith(("etes", "pes", "bies"))
    return bool(several) or " and " in subject


def _question(entry: Entry, dice: random.Random, varied: bool = True) -> str:
    """One of the questions that the entry answers; `varied` also in letter case."""
    templates = _templates(entry)
    template = templates[0] if dice.random() < 0.4 else dice.choice(templates)
    if not varied:
        return template.format(s=entry.subject)
    manner = dice.random()
    subject = entry.subject.lower() if manner < 0.2 else entry.subject
    if 0.2 <= manner < 0.3:
        subject = " ".join(word[0].upper() + word[1:] for word in subject.split())
    question = template.format(s=subject)
    if dice.random() < 0.15:
        question = question.lower().rstrip("?.")
    elif question[0].islower() and dice.random() < 0.5:
        question = question[0].upper() + question[1:]
    return question


def _with_lead(entry: Entry, dice: random.Random) -> str:
    """The answer, after a line that names the subject where the answer does not soon do so itself."""
    if names_subject(entry.subject, entry.answer[:NAMED_WITHIN]):
        return entry.answer
    lead = dice.choice(LEADS.get(entry.qtype, LEADS["information"])).format(s=entry.subject)
    return f"{lead}\n\n{entry.answer}"


def _renamed(entry: Entry, name: str) -> Entry:
    """The same text about a disease that does not exist: names must be read from the question, not known."""
    at_start = name[0].upper() + name[1:]
    pattern = re.compile(rf"(^|[.!?]\s+)?\b{re.escape(entry.subject)}\b", re.IGNORECASE)
    answer = pattern.sub(lambda m: m.group(1) + at_start if m.group(1) is not None else name, entry.answer)
    return replace(entry, subject=name, answer=answer)


def invented_name(dice: random.Random) -> str:
    """A disease name in the manner of real ones: eponyms, Greek compounds, numbered types."""
    eponym = dice.choice(INVENTED["head"]) + dice.choice(INVENTED["tail"])
    second = dice.choice(INVENTED["head"]) + dice.choice(INVENTED["tail"])
    compound = dice.choice(INVENTED["organ"]) + dice.choice(INVENTED["middle"]) + dice.choice(INVENTED["process"])
    kind = dice.choice(INVENTED["kind"])
    return dice.choice(
        (
            f"{eponym} {kind}",
            f"{eponym}-{second} {kind}",
            compound,
            f"{dice.choice(INVENTED['adjective'])} {compound}",
            f"{dice.choice(INVENTED['adjective'])} {compound} type {dice.choice('123456')}",
            f"{compound.removesuffix('ia')} {kind}",
            f"{dice.choice(INVENTED['organ'])}{dice.choice(INVENTED['middle'])}ase deficiency",
        )
    )


def nonsense_name(dice: random.Random) -> str:
    """Words of random syllables, in either case, before a kind of disease or alone."""
    words = []
    for _ in range(dice.choice((1, 1, 2, 3))):
        syllables = ("".join((dice.choice(ONSETS), dice.choice("aeiouy"), dice.choice(CODAS))) for _ in range(4))
        word = "".join(list(syllables)[: dice.choice((1, 2, 2, 3, 4))])
        words.append(word.capitalize() if dice.random() < 0.5 else word)
    kind = dice.choice([*INVENTED["kind"], "", "type 3", "cancer", "forest fever"])
    return f"{dice.choice((' ', '-')).join(words)} {kind}".strip()
