"""Ages of 90 and more: so old, the age alone may name a person.

A number from 90 to 129 is one where a word for age, a sex or a person stands beside it, and no unit and no measure.
"""

import re
from collections.abc import Iterable, Iterator

from medpocket.store.deidentify.measures import has_unit, names_measure
from medpocket.store.deidentify.spans import CAPITALS, SMALL, Kind, Span
from medpocket.store.deidentify.vocabulary import is_word

_UNITS = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_FIGURES = r"(?:9\d|1[01]\d|12\d)"
_IN_WORDS = (
    rf"(?:ninety(?:[ -]?{_UNITS})?|neunzig|\w{{3,7}}undneunzig|quatre-vingt-(?:dix|onze|douze|treize|quatorze|quinze"
    rf"|seize)(?:-\w+)?"
    r"|noventa(?: y \w+)?|novanta\w*|negentig|\w{3,8}ennegentig)"
)
_HUNDREDS = rf"(?:(?:one|a) hundred(?:(?: and)? (?:\w+teen|ten|eleven|twelve|{_UNITS}))?)"
_NUMBER = re.compile(
    rf"(?<![\w.,/:×^-])(?:(?<=[MF])|(?<=[MF]/)|(?<![MF]))(?P<age>{_FIGURES})(?:[½¼¾])?(?![\d½]|[.,:/-]\d|[×x]\d)"
    rf"|(?<!\w)(?P<word>{_IN_WORDS}|{_HUNDREDS})(?!\w)",
    re.IGNORECASE,
)
_SEX_AND_NUMBER = re.compile(rf"(?<![\w.,/-])[MF♂♀][ /]?(?P<age>{_FIGURES})(?![\w.,/°%-])")

_YEARS = (
    r"(?:years?|yrs?|yr|y\s?/?\s?o|y\.\s?o\.?|y-o|y|yof|yom|ans|años|a\.(?=[\s;,])|anos|anni|jahre?|jaar"
    r"|jarig\w*|jährig\w*|jr|j\.|år|lat|letni\w*|roku)"
)
_OR_MORE = r"(?!\s(?:old\s)?(?:or|and) (?:over|older|more|above))"
# After the number: years, a sex, a birthday.
_AFTER = re.compile(
    rf"[+½]?\s?[-/(]?\s?{_YEARS}(?:[- ]?(?:old|of age|young))?(?:\s?[MFmf])?(?!\w){_OR_MORE}"
    r"|\s?/?\s?(?:(?-i:M|F)|♂|♀)(?![\w°]|/\d)|[mf](?![\w°]|/\d)|\s(?:male|female|man|woman|lady|gentleman"
    r"|widow(?:er)?)\b"
    r"|\s(?:on (?:his|her) )?(?:next|last|this) (?:birthday|year|month|week|(?-i:[A-Z])\w+)\b"
    r"|\sin (?:Jan|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec)\w*\b",
    re.IGNORECASE,
)
# Before it: a word for age, or for a person, and small words.
_PERSON = (
    r"s?he|they|i|parents|both|twins|grandparents|sisters|brothers|patient(?:in)?|pt|px|resident|client|mum|mom|mam|mam[ma]+|dad|nan(?:a|n[ay])?|pop(?:pa|s)?|gran\w*"
    r"|mother|father|wife|husband|"
    r"spouse|partner|aunt(?:y|ie)?|uncle|son|daughter|dtr|sister|brother|sibling|cousin|neighbour|neighbor|carer"
    r"|lady|gentleman|woman|man|"
    r"widow(?:er)?|farmer|teacher|veteran|person|proband|male|female|g?g[mf]|[mp]g[mf]|ggm|ggf|s?hes|nonagenarian"
    r"|centenarian|"
    r"oma|opa|mutter|vater|mère|père|madre|padre|moeder|vader|mutti|nonna|nonno|abuel[ao]"
)
_AGE_WORDS = (
    r"age(?:[ _-]?(?:\((?:in )?(?:yrs?|years?)\)|in years|/ ?(?:sex|gender)|years|yrs|at[ _]\w+))?|aged|ages?|alter"
    r"|leeftijd|âge|edad|età|idade|wiek|ålder|"
    r"anni|lat|a?et\.?|æt\.?|turn(?:ed|ing|s)?|just gone|going on|coming up to|"
    r"lived to(?: be)?|survived to|alive at|died(?: at| aged)?|dead at|d\.?|will be|['’]ll be|be|years young|yrs"
)
_SMALL = (
    r"is|ist|est|es|was|['’]?s|['’]m|am|are|at|of|to|now|only|already|still|just|gone|about|approx\.?|approximately|around"
    r"|almost|nearly|age|aged|"
    r"well|alive|died|d\.?|lived|will|would|be|['’]ll|turns?|turned|turning|going|on|approaching|pushing|nearing"
    r"|coming up|up|rising|"
    r"reached|hits?|who|says?|said|circa|ca\.?|c\.|over|the|a|an|in|ret(?:ire)?d|year|next|remarkable|delightful"
    r"|who['’]ll|who['’]s|that|very"
)
_BEFORE = re.compile(
    rf"(?:(?<![\w-])(?:{_PERSON})(?:-in-law)?"
    rf"|(?<![\w])(?:{_AGE_WORDS}))(?:[\s,:;=(–~-]{{0,3}}(?<![A-Za-z](?=[A-Za-z]))(?:{_SMALL})(?!\w)){{0,4}}[\s:=(,~_–-]{{1,3}}$",
    re.IGNORECASE,
)
_ALONE_BEFORE = re.compile(
    r"\ba (?:spry|sprightly|fit|frail|very \w+|remarkable|well|delightful|lovely) $", re.IGNORECASE
)
_BIRTH_BEFORE = re.compile(
    r"(?:\bb(?:orn|\.)?|\bdob|\d)\W{1,3}(?:in )?19[0-3]\d,? ?[(–-] ?$|\b19[0-3]\d \($", re.IGNORECASE
)
_NO_AGE_AFTER = re.compile(
    r"\s?(?:[-–]\s?\d|to \d|%|°)|\s(?:or|and) (?:over|older|more|above)|\s(?:to|out of) \d|\s(?:patients|people|men"
    r"|women|mm|mg|kg)\b|-day",
    re.IGNORECASE,
)
_NO_AGE_BEFORE = re.compile(
    r"\b(?:room|rm|bed|bay|ward|flat|page|section|step|number|no\.?|over|under|above|below|until|till|top|first|last"
    r"|hits?|give|"
    r"gave|given|for|than|ages?(?= \d+ to)|fever|reading|did|does)\s(?:of\s)?$|\bover-?$|[<>≤≥]\s?$",
    re.IGNORECASE,
)
# After the name of a person, or what numbers or dates them: "Mavis Budd, 94,", "T118204 91 R ECF", "12/3/31 (93)".
_JOINT = re.compile(
    r"\)?(?:\s\([\w -]{1,30}\))?(?:,?\s?[(–-]?\s?|,?\s(?:so|hence|i\.e\.)\s|\s?,\s?|,?\s(?:who\s)?(?:is|was|turned"
    r"|turns|aged|now|nearly|almost|rising|approaching|will be)(?: now| just| nearly| almost)?\s)"
)
_WORD_BEFORE = re.compile(rf"(?<![\w.])([{CAPITALS}][\w'’-]*[{SMALL}])(?: [A-Z]\.?)?(?:,? ?\(|,? )$")
_END = re.compile(r"\s?(?:[,.;:)!?](?!\d)|$|\n|\s[A-Za-z#?(-])")
_ORDINALS = re.compile(
    rf"(?<!\w)({_FIGURES}(?:st|nd|rd|th)|ninetieth|ninety-\w+(?:th|st|nd|rd)|(?:one )?hundredth) (?=birthday|year\b)"
    rf"|\b(?:her|his|their) ({_FIGURES}(?:st|nd|rd|th))(?=[.,;)!]|$|\s(?:in|on|next|last|this)\b)"
    r"|\bin (?:(?:his|her|their) )?(?:early |mid(?:dle)?[- ]?|late )?(nineties|90['’]?s|hundreds|100s)\b",
    re.IGNORECASE,
)
# Two names in a list of patients, which may be words too: "Beryl Hodgkinson 95 - skin tear".
_LISTED_BEFORE = re.compile(rf"(?:^|\n|[.;)] |\d )(?:[{CAPITALS}][\w'’-]*[{SMALL}] ){{2,3}}$")
_LISTED_AFTER = re.compile(r" [-–] |[,:] ")
_AND_BEFORE = re.compile(r"\s(?:and|&)\s")  # "parents 94 and 91"
_SIDE_AFTER = re.compile(r"\s[LR] [a-z]")  # "91 L inguinal hernia"
_AT_BEFORE = re.compile(r"(?:^|[.!?\n]\s?)At $")
_PERSON_AFTER = re.compile(rf",? (?:the |our )?(?:{_PERSON}|oldest|mrs?|ms|miss)\b", re.IGNORECASE)
_FIRST_IN_LINE = re.compile(r"(?:^|\n|\. )$")
_OF_PERSON: frozenset[Kind] = frozenset({Kind.NAME, Kind.RECORD, Kind.DATE})


def find_ages(text: str, persons: Iterable[Span] = ()) -> Iterator[Span]:
    """Yield ages of 90 and more, in figures and in words; `persons` are names, records and dates found before."""
    ends = {span.end: span.kind for span in persons if span.kind in _OF_PERSON}
    for pattern in (_NUMBER, _SEX_AND_NUMBER):
        last = len(text)  # where the last age ends
        for match in pattern.finditer(text):
            group = "age" if match["age"] else "word"
            start, end = match.span(group)
            end += text[end : end + 1] in ("½", "¼", "¾")
            another = last < start and _AND_BEFORE.fullmatch(text, last, start) and not has_unit(text, end)
            if another or pattern is _SEX_AND_NUMBER or _is_age(text, start, end, ends, in_words=group == "word"):
                last = end
                yield Span(start, end, Kind.AGE)
    for match in _ORDINALS.finditer(text):
        yield Span(*match.span(match.lastindex or 0), Kind.AGE)


def _is_age(  # noqa: PLR0911 - one return for each thing that decides
    text: str, start: int, end: int, ends: dict[int, Kind], *, in_words: bool
) -> bool:
    before = text[max(0, start - 48) : start]
    if _NO_AGE_AFTER.match(text, end) or _NO_AGE_BEFORE.search(before):
        return False
    if _AFTER.match(text, end) and (before.endswith("Pt ") or not names_measure(before)):
        return True
    if has_unit(text, end) and not _SIDE_AFTER.match(text, end):
        return False
    if any(cue.search(before) for cue in (_BEFORE, _ALONE_BEFORE, _BIRTH_BEFORE)):
        return True
    if _LISTED_BEFORE.search(before) and _LISTED_AFTER.match(text, end) and not names_measure(before):
        return True
    if _AT_BEFORE.search(before) and _PERSON_AFTER.match(text, end):
        return True
    if in_words or not _END.match(text, end):
        return in_words and "hundred" not in text[start:end].casefold() and _END.match(text, end) is not None
    if _FIRST_IN_LINE.search(before):
        return text[end : end + 2] == ", " and text[end + 2 : end + 3].isalpha()
    return _stands_after_person(text, start, ends)


def _stands_after_person(text: str, start: int, ends: dict[int, Kind]) -> bool:
    """Whether a name, a number of a record or a date of birth ends just before `start`."""
    for at in range(start - 1, max(-1, start - 44), -1):
        if at in ends:
            joint = text[at:start]
            if ends[at] == Kind.DATE and not re.search(r"[(,–-]", joint):
                break
            return _JOINT.fullmatch(joint) is not None
    word = _WORD_BEFORE.search(text, max(0, start - 40), start)
    return word is not None and not is_word(word[1])
