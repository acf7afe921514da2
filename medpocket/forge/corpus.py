"""Read MedQuAD and OpenStax, clean them, and part them into training and held-out texts."""

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medpocket.errors import InputError
from medpocket.forge.subjects import is_held_out, specialties_of, subject_of
from medpocket.forge.text import clean, normalised, sentences, shorten

MEDQUAD = "medquad.jsonl.gz"
OPENSTAX = "openstax_anatomy_physiology_2e.jsonl.gz"
ANSWER_LIMIT = 1200  # characters: about 280 tokens
SHORTEST_ANSWER = 60

# How often a row is read in one epoch. GARD and GHR are two thirds of the rows, about rare diseases.
SOURCE_WEIGHT = {
    "CancerGov": 0.8,
    "CDC": 1.2,
    "GARD": 0.7,
    "GHR": 0.6,
    "MPlusHealthTopics": 2.0,
    "NHLBI": 2.0,
    "NIDDK": 1.6,
    "NIHSeniorHealth": 1.0,
    "NINDS": 1.4,
}
# What these sources' text has lost between words: a dash with its spaces, or a space.
LOST_MARK = {"NIDDK": ", ", "NHLBI": " "}
COMMON_WORD = 40
# Parts of one word, not words of their own there.
BOUND = frozenset(
    re.findall(r"\w+", "non pre anti hyper hypo over under mid the semi less like fail urea est ests ile ship")
)
QTYPE_WEIGHT = {"frequency": 0.6, "inheritance": 0.5, "genetic changes": 0.8, "research": 0.3, "support groups": 0.0}
THIS_CONDITION = re.compile(r"^(?:This|The) (?:condition|disorder|disease|syndrome|mutation)\b")


# The book's chapters that belong to one specialty, by the last of the names that a module's `chapter` has.
CHAPTERS = {
    "The Integumentary System": "dermatology",
    "Bone Tissue and the Skeletal System": "musculoskeletal",
    "Axial Skeleton": "musculoskeletal",
    "The Appendicular Skeleton": "musculoskeletal",
    "Joints": "musculoskeletal",
    "Muscle Tissue": "musculoskeletal",
    "The Muscular System": "musculoskeletal",
    "The Nervous System and Nervous Tissue": "neurology",
    "Anatomy of the Nervous System": "neurology",
    "The Somatic Nervous System": "neurology",
    "The Neurological Exam": "neurology",
    "The Endocrine System": "endocrinology",
    "The Cardiovascular System: The Heart": "cardiology",
    "The Cardiovascular System: Blood Vessels and Circulation": "cardiology",
    "The Lymphatic and Immune System": "infectious_disease",
    "The Respiratory System": "pulmonology",
    "The Digestive System": "gastroenterology",
    "The Urinary System": "nephrology_urology",
    "Fluid, Electrolyte, and Acid-Base Balance": "nephrology_urology",
    "The Reproductive System": "womens_health",
}


@dataclass(frozen=True)
class Entry:
    """One question's material: `subject` as it is written in a sentence, `answer` cleaned and cut.

    `specialties` are the experts that it belongs to, the best first. `rest` is what the cut left: the base model never
    reads it, and its experts do.
    """

    source: str
    subject: str
    qtype: str
    answer: str
    weight: float
    specialties: tuple[str, ...] = ()
    rest: str = field(default="", repr=False)

    @property
    def passages(self) -> tuple[str, ...]:
        """`rest` in pieces of an answer's length."""
        return tuple(_chunks(self.rest))


@dataclass(frozen=True)
class Corpus:
    """Texts to train on and those held out; no subject is in both.

    The base model reads the answers of `train`; subjects.py says whose `rest` its experts read.
    """

    train: tuple[Entry, ...]
    held_out: tuple[Entry, ...]
    train_texts: tuple[str, ...]
    held_out_texts: tuple[str, ...]


def names_subject(subject: str, answer: str) -> bool:
    """Whether the subject's words stand in the answer one after another; case, punctuation, plural s do not count."""

    def words(text: str) -> str:
        return " " + " ".join(word.rstrip("s") if len(word) > 3 else word for word in normalised(text).split()) + " "

    return words(subject) in words(answer)


def load_corpus(folder: Path) -> Corpus:
    """Read both files of `folder`. Raises InputError where one is missing or has another format."""
    rows = list(_read_rows(folder / MEDQUAD, ("source", "focus", "qtype", "answer")))
    modules = list(_read_rows(folder / OPENSTAX, ("chapter", "title", "text")))
    entries = list(_medquad_entries(rows, Words(str(row["answer"]) for row in rows)))
    by_side: dict[bool, list[Entry]] = {False: [], True: []}
    texts: dict[bool, list[str]] = {False: [], True: []}
    for entry in entries:
        by_side[is_held_out(entry.subject)].append(entry)
    for module in modules:
        held = is_held_out(_module_name(module))
        for heading, body in _sections(str(module["text"])):
            lesson = _lesson(heading, body, module["chapter"][-1])
            if lesson and (held or not is_held_out(heading)):
                by_side[held].append(lesson)
            texts[held].extend(_chunks(body))
    return Corpus(tuple(by_side[False]), tuple(by_side[True]), tuple(texts[False]), tuple(texts[True]))


def _read_rows(path: Path, keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"{path} is missing", "docs/demo-model.md says where the data comes from and its format")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if any(key not in row for key in keys):
                    raise ValueError("a row lacks one of " + ", ".join(keys))
                yield row
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", "docs/demo-model.md describes its format") from error


class Words:
    """How often the sources write which word, to mend names and words with."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._all: Counter[str] = Counter()
        for text in texts:
            self._all.update(re.findall(r"[a-z]+", text))
            # Words in the midst of a sentence: after another word, so that no sentence's first word is counted.
            for word in re.findall(r"(?<=[a-z,] )[A-Za-z][A-Za-z'\u2019-]*", text):
                counts[word.lower()][word] += 1
        self._usual = {word: forms.most_common(1)[0][0] for word, forms in counts.items()}

    def in_sentence(self, name: str) -> str:
        """Write a title-case name as running text does: words that texts mostly write small become small."""
        return re.sub(r"[A-Za-z][A-Za-z'\u2019-]*", self._usual_form, name)

    def part_joined(self, text: str, mark: str) -> str:
        """Put `mark` between two common words that have lost the dash or space between them."""
        return re.sub(r"(?<![A-Za-z-])[a-z]{7,}(?![A-Za-z-])", lambda match: self._parted(match.group(), mark), text)

    def _parted(self, word: str, mark: str) -> str:
        if self._all[word] > 3:
            return word
        places = [i for i in range(3, len(word) - 1) if word[:i] not in BOUND and word[i:] not in BOUND]
        rarer, place = max((min(self._all[word[:i]], self._all[word[i:]]), i) for i in places)
        return f"{word[:place]}{mark}{word[place:]}" if rarer >= COMMON_WORD else word

    def _usual_form(self, match: re.Match[str]) -> str:
        word = match.group()
        if not (word[0].isupper() and word[1:].islower()):
            return word
        return self._usual.get(word.lower(), word)


def _medquad_entries(rows: list[dict[str, Any]], words: Words) -> Iterator[Entry]:
    seen: set[str] = set()
    for row in rows:
        subject = words.in_sentence(subject_of(str(row["focus"])))
        text = str(row["answer"])
        if row["source"] in LOST_MARK:
            text = words.part_joined(text, LOST_MARK[row["source"]])
        answer, rest = shorten(clean(text), ANSWER_LIMIT)
        if answer.startswith(("This ", "The ")):
            answer = THIS_CONDITION.sub(lambda _: subject[0].upper() + subject[1:], answer, count=1)  # noqa: B023
        weight = SOURCE_WEIGHT.get(str(row["source"]), 1.0) * QTYPE_WEIGHT.get(str(row["qtype"]), 1.0)
        key = normalised(answer)
        if not subject or len(answer) < SHORTEST_ANSWER or answer.endswith("?") or key in seen or not weight:
            continue
        seen.add(key)
        specialties = specialties_of(subject)
        yield Entry(str(row["source"]), subject, str(row["qtype"]), answer, weight, specialties, rest)


def _module_name(module: dict[str, Any]) -> str:
    """The module's title; every chapter has an "Introduction", so there the chapter's name decides."""
    title = str(module["title"]).strip()
    return f"{title} {module['chapter'][-1]}" if normalised(title) == "introduction" else title


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Headings of a module, each with its paragraphs."""
    heading = ""
    body: list[str] = []
    for line in [*text.split("\n"), ""]:
        paragraph = line.strip()
        is_heading = 0 < len(paragraph) < 60 and paragraph[-1].isalpha() and len(paragraph.split()) < 9
        if (is_heading or not paragraph) and body:
            yield heading, "\n\n".join(body)
            body = []
        if is_heading:
            heading = paragraph
        elif len(paragraph) > 120 and not paragraph.endswith("?"):
            body.append(clean(paragraph))


def _lesson(heading: str, body: str, chapter: str) -> Entry | None:
    """A section as the answer to a question about its heading, where the answer begins by naming it."""
    answer, _ = shorten(body, ANSWER_LIMIT)
    subject = re.sub(r"^(?:The|A|An) ", "", heading)
    if len(subject) < 4 or len(subject.split()) > 4 or not names_subject(subject, " ".join(sentences(answer)[:2])):
        return None
    specialty = CHAPTERS.get(chapter)
    return Entry("OpenStax", subject.lower(), "information", answer, 1.0, (specialty,) if specialty else ())


def _chunks(body: str) -> Iterator[str]:
    while body:
        chunk, body = shorten(body, ANSWER_LIMIT)
        if not chunk:
            return
        if len(chunk) > 200:
            yield chunk
