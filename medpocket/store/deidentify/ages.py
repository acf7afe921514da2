"""Ages of 90 and more: so old, the age alone may name a person."""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.spans import CAPITALS, SMALL, Kind, Span

_OLD = r"(?:9\d|1[01]\d|12\d)"
_UNITS = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_IN_WORDS = (
    rf"(?:ninety(?:[ -]?{_UNITS})?|(?:one|a) hundred(?: and (?:\w+teen|ten|eleven|twelve|{_UNITS}))?"
    r"|neunzig|quatre-vingt-(?:dix|onze|douze|treize|quatorze|quinze|seize)(?:-\w+)?|noventa(?: y \w+)?"
    r"|novanta\w*|negentig)"
)
_YEARS = (
    r"(?:years?|yrs?|yo|y/o|y\.\s?o\.?|y|ans|años|anos|anni|jahre?|jaar|jährig\w*|jr|j\.|år|lat|roku|months?|mths?)"
)
# What makes of a figure after "is" or "at" something else than an age.
_NO_MEASURE = (
    r"(?![\w.,/]\d|\w|\s?(?:%|°|mg|mcg|kg|g\b|ml|mm|cm|bpm|lb|per\s?cent|units?|minutes?|mins?|hours?|days?|beats|degrees"
    r"|on (?:air|RA|room|\d|O2|oxygen))|\s?(?:years\s)?(?:or|and) (?:over|older|more|above))"
)
_PERSON = (
    r"(?:s?he|patient|pt|resident|client|mum|mom|mam|dad|nan|gran\w*|mother(?:-in-law)?|father(?:-in-law)?|wife|husband"
    r"|spouse|partner|aunt|uncle|son|daughter|dtr|sister(?:-in-law)?|brother(?:-in-law)?|neighbour|lady|gentleman|woman|man)"
)
_TITLED = (
    rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Rev|Fr|Frau|Herr)\.? (?:[{CAPITALS}][\w'’.-]{{0,40}} ){{0,2}}[{CAPITALS}][\w'’-]{{1,40}}"
)
_AGES = (
    re.compile(
        rf"(?<![\w.,/-])({_OLD}|{_IN_WORDS})\+?(?:\s?[-/]?\s?{_YEARS}(?:[ -](?:old|of age))?)(?!\w)"
        r"(?!\s(?:old\s)?(?:or|and) (?:over|older|more|above))",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<![\w.,/-])({_OLD})\s?/?\s?(?:M|F|♂|♀|male|female|man|woman|lady|gentleman)(?![\w°])"),
    re.compile(rf"(?<![\w.,/-])[MF♂♀][ /]?({_OLD})(?![\w.,/°%-])"),
    re.compile(
        rf"\b(?:ages?|aged|age of|alter|leeftijd|lat|âge|edad|età|idade|wiek|ålder|anni|turn(?:ed|ing|s)|will be"
        r"|nearly|lived to"
        rf"|survived to|alive at|nonagenarian|centenarian|died (?:at|aged)|dead at|d\. at|who is|who was"
        rf"|{_PERSON}(?:['’]?s|,| is| was| at| says)?|(?:chart|notes?|form|wristband) says)"
        rf"(?: now| only| already| still)?[ :=(]{{1,3}}(?:about |approx\.? |almost |nearly |~)?"
        rf"({_OLD}|{_IN_WORDS}){_NO_MEASURE}",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!\w)({_IN_WORDS})(?=[,.;)]|\s(?:now|today|next|and (?:frail|lives)))", re.IGNORECASE),
    re.compile(rf"(?<!\w)[{CAPITALS}][\w'’-]{{0,40}}[{SMALL}], ({_OLD})(?=[,.;:)!])"),
    re.compile(rf"(?<!\w)[{CAPITALS}][\w'’-]{{0,40}}[{SMALL}] \(({_OLD})\)"),
    re.compile(rf"{_TITLED}(?: \([\w ]{{1,30}}\),)? ({_OLD})(?=[.,;)]|$)"),
    re.compile(
        rf"\b(?:dob|d\.o\.b\.?|born|date of birth)\b[^\n;]{{2,30}}?\d\d[,;]? \(?({_OLD})(?=[.,;)\n]|$)", re.IGNORECASE
    ),
    # A row of a list, with the number of a record: "Bodkin, Ada 93 R hip, T118 204".
    re.compile(
        rf"^[{CAPITALS}][\w'’-]+, [{CAPITALS}][{SMALL}]+ ({_OLD}) (?=[^\n]*\b[A-Z]{{0,3}}\d{{5,}}\b)", re.MULTILINE
    ),
    re.compile(
        r"\bin (?:his|her|their) (?:early |mid(?:dle)?[- ]?|late )?(nineties|90['’]?s|hundreds|100s)\b", re.IGNORECASE
    ),
)
_NO_AGE = re.compile(
    r"\b(?:T|temp(?:erature)?|fever|tmax|sats?|spo2|pulse|heart rate|rate|weight|map|plt)(?: of)?[\s:=(,]{0,5}$",
    re.IGNORECASE,
)


def find_ages(text: str) -> Iterator[Span]:
    """Yield ages of 90 and more, in figures and in words."""
    for pattern in _AGES:
        for match in pattern.finditer(text):
            if not _NO_AGE.search(text, max(0, match.start(1) - 20), match.start(1)):
                yield Span(match.start(1), match.end(1), Kind.AGE)
