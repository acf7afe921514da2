"""Names that nothing announces: capitalised words that no list of words has."""

import re
from collections.abc import Iterator, Sequence

from medpocket.router.language import is_foreign
from medpocket.store.deidentify.name_reading import CAPITALIZED, WORD, is_amount, is_unknown
from medpocket.store.deidentify.name_words import ORGANISATIONS
from medpocket.store.deidentify.spans import BLOT, CAPITALS, Kind, Span, masked

# What follows a single word that is a name: whose it is, what the person says or does, how old or whose kin.
_PERSON_AFTER = re.compile(
    r"['’]s\s[a-z]|\s\((?:his|her|their|my|the|pt['’]?s|\d{1,3}\)|son|daughter|dtr|wife|husband|mum|mother|father"
    r"|dad|sister|brother|niece|"
    r"nephew|aunt|uncle|friend|neighbou?r|partner|carer|spouse|cousin|gran\w*)|"
    r"\s(?:says|said|reports?|reported|called|rang|phoned|attended|came|denies|wants|asks|asked|feels|felt|lives"
    r"|told|thinks|"
    r"complain(?:s|ed)|presents|presented|agreed|agrees|declined|refused|is (?:a|an|keen|happy|well|aware|worried"
    r"|upset|very|now)|was (?:seen|brought|admitted|"
    r"referred|reviewed|here)|has (?:been|had|a)|will (?:be|call|ring|attend)|rolled|drives|visits|stayed|needs)\b"
)
_LABEL_BEFORE = re.compile(rf"(?<!\w)([{CAPITALS}][\w-]{{2,}})\s?:\s?$")
_LAST_BEFORE = re.compile(r"(?:[.!?,)]\s|\n|^)[-–—]?\s?$")  # who signs a message
_LOWER_BEFORE = re.compile(
    r"(?:^|[\s(])(?!(?:in|at|from|to|near|the|of|via|an?|and|or|on|for|with|by)\s)[a-z]{2,}[,;]?[ ]$"
)
_PERSON_BEFORE = re.compile(
    r"\b(?:(?:call|message|email|letter|note) from|with|by|told|met|visited|named|called|it['’]?s|its|i['’]?m|w/|d/w"
    r"|per|and|see|contact|ask|rang)\s(?:me\s)?$",
    re.IGNORECASE,
)
_AGE_AFTER = re.compile(r"\s\d{2,3}(?=[MF]?\s?[-–,:])")  # of a list: "Sadie Prosser 23, DKA"
_CLOSES = re.compile(r"\s?(?:[,.;:)!?](?!\d)|\n|$)|\s(?:and|who|on|at|re|about|in clinic|for)\b")
_INITIAL_BEFORE = re.compile(rf"(?<![\w-])(?:[{CAPITALS}]\. ?){{1,2}}$")


def find_unannounced(text: str, announced: Sequence[Span]) -> Iterator[Span]:
    """Yield capitalised words that no list of words has: two in a row, or one that something beside it makes a person.

    What is `announced` already is left out, and so are texts in languages that the lists of words lack.
    """
    if is_foreign(text):
        return
    known = masked(text, announced)
    for run in CAPITALIZED.finditer(text):
        if BLOT in known[run.start() : run.end()] or ORGANISATIONS.match(text, run.end()):
            continue
        words = list(WORD.finditer(text, run.start(), run.end()))
        unknown = [word for word in words if is_unknown(word[0]) and len(word[0]) > 1]
        if not unknown or any(ORGANISATIONS.fullmatch(f" {word[0]}") for word in words):
            continue
        start, end = unknown[0].start(), unknown[-1].end()
        if 2 <= len(words) < 4 and unknown[0] is words[-1] and _is_ready(text, run.start()):
            start = run.start()  # "saw Caspian Oyelaran", "Optom: Hew Oyelaran": one of the words is in no list
        elif initial := _INITIAL_BEFORE.search(text, run.start(), start):
            start = initial.start()
        elif len(unknown) == 1 and not _is_person(text, start, end):
            continue
        if not is_amount(text, end) or (len(words) > 1 and _AGE_AFTER.match(text, end)):
            yield Span(start, end - 2 * text[start:end].endswith(("'s", "’s")), Kind.NAME)


def _is_person(text: str, start: int, end: int) -> bool:
    """Whether what stands beside one unknown word makes a person of it."""
    if text.endswith(("St. ", "St "), 0, start):
        return False
    if _LAST_BEFORE.search(text, max(0, start - 4), start) and re.compile(r"\s*(?:\n|$)").match(text, end):
        return True
    if _PERSON_AFTER.match(text, end - 2 * text[start:end].endswith(("'s", "’s"))):
        return True
    return _PERSON_BEFORE.search(text, max(0, start - 16), start) is not None and _CLOSES.match(text, end) is not None


def _is_ready(text: str, start: int) -> bool:
    """Whether a verb in small letters, or a label that is no word, stands before a run of capitalised words."""
    before = text[max(0, start - 24) : start]
    if label := _LABEL_BEFORE.search(before):
        return is_unknown(label[1])
    return _LOWER_BEFORE.search(before) is not None
