"""Other ways of writing the same: slips of the hand, abbreviations, denials, histories, greetings, endings."""

import random
import re
from collections.abc import Mapping, Sequence

ABBREVIATIONS = {
    "hypertension": "htn", "diabetes mellitus": "dm", "type 2 diabetes": "t2dm", "atrial fibrillation": "af",
    "myocardial infarction": "mi", "heart failure": "hf", "shortness of breath": "sob", "chest pain": "cp",
    "history of": "h/o", "patient": "pt", "with": "w/", "without": "w/o", "blood pressure": "bp", "years old": "yo",
    "year-old": "yo", "treatment": "tx", "diagnosis": "dx", "symptoms": "sx", "history": "hx", "fracture": "fx",
    "urinary tract infection": "uti", "abdominal": "abd", "bilateral": "b/l", "chronic kidney disease": "ckd",
    "magnetic resonance imaging": "mri", "computed tomography": "ct", "because": "bc", "please": "pls", "you": "u",
    "nausea and vomiting": "n/v", "right": "rt", "left": "lt", "medication": "med", "temperature": "temp",
    "doctor": "doc", "complains of": "c/o", "status post": "s/p", "follow-up": "f/u", "pregnant": "preg",
}  # fmt: skip
GREETINGS = (
    "Hello doctor, ", "hi, ", "Good morning. ", "Hi everyone, I have a question. ", "Sorry to bother you but ", "Doc, ",
    "Quick question: ", "I'm really worried. ", "hey ", "Dear colleague, ", "Thanks in advance! ", "Please help. ",
)  # fmt: skip
CLOSINGS = (
    " Should I be worried?", " What should I do?", " Any advice?", " Thanks.", " What could it be?", " Please advise.",
    " Is it serious?", " Do I need to see someone?", " Next step?", " Plan?", " Thoughts?", " help!!", " What is it?",
)  # fmt: skip
ENDINGS = (
    " Which of the following is the most likely diagnosis?", " What is the most appropriate next step in management?",
    " Which of the following is the most likely cause of this patient's condition?", " What is the best initial test?",
    " Which of the following would confirm the diagnosis?", " Which of the following is the best treatment?",
    " The most likely underlying mechanism is which of the following?", " Which finding is most likely on examination?",
)  # fmt: skip
OPENINGS = (
    "A 34-year-old woman comes to the physician because of this. ", "A 61-year-old man is brought to the emergency "
    "department. ", "A 27-year-old man comes to the office for evaluation. ", "A 70-year-old woman is evaluated. ",
)  # fmt: skip
NORMALS = (
    " Temperature is 37.0 C, pulse is 82/min, respirations are 16/min, and blood pressure is 124/78 mm Hg.",
    " Vital signs are within normal limits.", " Physical examination shows no other abnormalities.",
    " He is in no acute distress.", " Review of systems otherwise negative.", " She does not smoke or drink alcohol.",
    " Laboratory studies show hemoglobin 13.5 g/dL, leukocyte count 7,800/mm3, creatinine 0.9 mg/dL.",
    " He has no medical problems and takes no medications.", " Her temperature is 36.8 C and blood pressure 118/70.",
)  # fmt: skip
DENIALS = ("No {t}.", "Denies {t}, {u}.", "no {t} or {u}", "There is no {t}.", "without {t}", "negative for {t}")
HISTORIES = (
    "Past medical history includes {t}.", "PMH {t}, {u}.", "Her mother had {t}.", "Family history of {t}.",
    "History of {t}.", "Known {t}.", "He was treated for {t} ten years ago.",
)  # fmt: skip
BY_EAR = (
    ("ph", "f"), (r"([a-z])\1", r"\1"), ("ea", "ee"), ("ie", "ei"), ("ei", "ie"), ("c(?=[eiy])", "s"), ("y", "i"),
    ("tion", "shun"), ("ous", "us"), ("or$", "er"), ("er$", "or"), ("rh", "r"), ("ch", "k"), ("ae|oe", "e"),
    ("au", "o"), ("ant$", "ent"), ("able$", "ible"), ("e$", ""), ("gh", ""), ("x", "ks"), ("qu", "kw"), ("z", "s"),
    ("i(?=[a-z])", "e"),
)  # fmt: skip
"""How a word is written by those who know how it sounds: what stands there, and what is put."""
STORIES = (
    "{c}", "{c}, {b}", "{c} and {b}", "{c}. {b}.", "i have {c}", "my husband has {c}, {b}", "my mum: {c}",
    "for two weeks now {c}", "{c} since monday, also {b}", "{c}?", "I keep having this: {c}. And {b}.",
    "what helps with {c}", "{b}, but what worries me is {c}", "54 f, {c}, {b}", "the doctor shrugged at {c}",
    "It started with {b}. Now {c}.", "is {c} normal", "who do i see about {c}", "{c}, worse at night", "{c}, {b}, {a}",
)  # fmt: skip
DRUG_LISTS = ("Takes {t} and {u}.", "Medications: {t}, {u}.", "He is on {t}.", "on {t}, {u}", "Current meds: {t}.")


class Augmenter:
    """Varies texts with one set of dice; `terms` are each expert's terms that may be denied or long past."""

    def __init__(self, terms: Mapping[str, Sequence[str]], drugs: Sequence[str], dice: random.Random) -> None:
        self._terms, self._drugs, self._dice = terms, drugs, dice
        self._experts = sorted(name for name, own in terms.items() if own)

    def vary(self, text: str, accept: Sequence[str]) -> str:
        """One variant of `text`, which stays a text that those in `accept` may answer."""
        dice = self._dice
        medical = accept[0] != "general"
        if dice.random() < 0.15:
            text = self._cut(text)
        if medical and dice.random() < 0.25:
            text = self._join(text, self._filled(DENIALS, self._others(accept)))
        if medical and dice.random() < 0.15:
            text = self._join(text, self._filled(HISTORIES, self._others(accept)), first=True)
        if medical and dice.random() < 0.12 and self._drugs:
            text = self._join(text, self._filled(DRUG_LISTS, self._drugs), first=dice.random() < 0.5)
        if medical and dice.random() < 0.12:
            text = text.rstrip() + dice.choice(NORMALS)
        if dice.random() < 0.2:
            text = dice.choice(GREETINGS) + text
        if dice.random() < 0.15:
            text = text.rstrip() + dice.choice(CLOSINGS)
        elif medical and dice.random() < 0.12:
            text = dice.choice((*OPENINGS, "")) + text.rstrip() + dice.choice(ENDINGS)
        if dice.random() < 0.25:
            text = self._abbreviate(text)
        if dice.random() < 0.3:
            text = self.misspell(text, 0.06)
        elif dice.random() < 0.1:
            text = self.written_by_ear(text, 0.3)
        return text

    def told(self, complaint: str, others: Sequence[str]) -> str:
        """A complaint as a patient tells it, perhaps with more of `others`, which the same expert hears."""
        one, other = self._dice.choices(others, k=2)
        return self._dice.choice(STORIES).format(c=complaint, b=one, a=other)

    def misspell(self, text: str, share: float) -> str:
        """Let so many of the words of five letters or more slip by one letter."""
        return re.sub(r"[a-zA-Z]{5,}", lambda m: self._slip(m[0]) if self._dice.random() < share else m[0], text)

    def written_by_ear(self, text: str, share: float) -> str:
        """Write so many of the longer words as they sound, in one place each."""
        return re.sub(r"[a-z]{6,}", lambda m: self._heard(m[0]) if self._dice.random() < share else m[0], text)

    def _heard(self, word: str) -> str:
        fitting = [(pattern, put) for pattern, put in BY_EAR if re.search(pattern, word)]
        if not fitting:
            return word
        pattern, put = self._dice.choice(fitting)
        return re.sub(pattern, put, word, count=1)

    def _slip(self, word: str) -> str:
        place = self._dice.randrange(1, len(word) - 1)
        match self._dice.randrange(4):
            case 0:
                return word[:place] + word[place + 1 :]
            case 1:
                return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
            case 2:
                return word[:place] + word[place] + word[place:]
            case _:
                return word[:place] + self._dice.choice("aeiourstn") + word[place + 1 :]

    def _abbreviate(self, text: str) -> str:
        for long, short in ABBREVIATIONS.items():
            if self._dice.random() < 0.7:
                text = re.sub(rf"\b{long}\b", short, text, flags=re.IGNORECASE)
        return text

    def _cut(self, text: str) -> str:
        """A stretch of a longer text that is at least a third of it and twelve words long."""
        words = text.split()
        least = max(12, len(words) // 3)
        if len(words) <= least:
            return text
        size = self._dice.randrange(least, len(words))
        start = self._dice.randrange(len(words) - size + 1)
        return " ".join(words[start : start + size])

    def _others(self, accept: Sequence[str]) -> Sequence[str]:
        return self._terms[self._dice.choice([name for name in self._experts if name not in accept])]

    def _filled(self, frames: Sequence[str], terms: Sequence[str]) -> str:
        return self._dice.choice(frames).format(t=self._dice.choice(terms), u=self._dice.choice(terms))

    def _join(self, text: str, added: str, *, first: bool = False) -> str:
        end = "" if text.rstrip().endswith((".", "?", "!")) else "."
        return f"{added.rstrip('.')}. {text}" if first else f"{text.rstrip()}{end} {added}"
