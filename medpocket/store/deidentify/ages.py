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
    r"(?![\w.,/]\d|\w|\s?(?:%|°|mg|mcg|kg|g\b|ml|mm|cm|bpm|lb|per\s?cent|units?|m\b|met(?:re|er)s?|feet|ft\b|paces|seconds?|secs?|minutes?|mins?|hours?|reps?|sats|bpm|watts?|points?|pack|doses?|steps|days?|beats|degrees"
    r"|on (?:air|RA|room|\d{1,2}(?:\.\d)?\s?(?:L\b|l\b|litres?|%)|O2|oxygen))|\s?(?:years\s)?(?:or"
    r"|and) (?:over|older|more|above))"
)
_PERSON = (
    r"(?:s?he|patient|pt|resident|client|mum|mom|mam|dad|nan(?:a|n[ay])?|pop(?:pa)?|gran\w*|mother(?:-in-law)?|father(?:-in-law)?|wife|husband"
    r"|spouse|partner|aunt|uncle|son|daughter|dtr|sister(?:-in-law)?|brother(?:-in-law)?|neighbour|lady|gentleman|woman|man"
    r"|G?G[MF]|[MP]G[MF]|gg?[mf]\b)"
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
        rf"\b(?:ages?(?! \d+ to)|aged|age of|alter|leeftijd|lat|âge|edad|età|idade|wiek|ålder|anni|turn(?:ed"
        rf"|ing|s)|will be"
        r"|nearly|lived to"
        rf"|survived to|alive at|nonagenarian|centenarian|died (?:at|aged)|dead at|d\. at|who is|who was"
        rf"|{_PERSON}(?:['’]?s|,| is| was| at| says| to| died| d\.| lived to| will be| will turn|['’]ll be"
        rf"|(?: is|['’]s)? (?:approaching|pushing|nearing|going on|coming up to|rising)| reached| hits?)?"
        r"|pushing|a?et\.|æt\.|(?:lady|gentleman|woman|man|widow(?:er)?|farmer|teacher) of|I am|I['’]?m"
        r"|(?:chart|notes?|form|wristband) says)"
        rf"(?: now| only| already| still| just)?[ :=(,]{{1,3}}(?:about |approx\.? |almost |nearly |~)?"
        rf"({_OLD}|{_IN_WORDS}){_NO_MEASURE}",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<!\w)({_IN_WORDS})(?=[,.;)]|\s(?:now|today|next|and (?:frail|lives)))", re.IGNORECASE),
    re.compile(rf"(?<!\w)[{CAPITALS}][\w'’-]{{0,40}}[{SMALL}], ({_OLD})(?=[,.;:)!])"),
    re.compile(rf"(?<!\w)[{CAPITALS}][\w'’-]{{0,40}}[{SMALL}] \(({_OLD})\)"),
    # A row of a ward's list: "Mr Tsoukalas 90 NOF", "Mavis 94 bed 17", "D119001, 90, gastric".
    re.compile(rf"{_TITLED},? ({_OLD})(?= (?![a-z]{{0,4}}\d)[A-Za-z#]){_NO_MEASURE}"),
    re.compile(rf"(?<!\w)[{CAPITALS}][{SMALL}]+,? ({_OLD}) (?=(?:bed|bay|side ?room|room)\b)", re.IGNORECASE),
    re.compile(rf"\b[A-Z]{{0,3}}\d{{5,}}, ({_OLD})(?=[,;!])"),
    re.compile(
        rf"^(?:bed|bay|b|sr|side ?room|room|rm|cubicle"
        rf"|chair)\s?\w{{1,3}}[ :.)-]{{1,3}}[{CAPITALS}][\w'’-]+(?: [A-Z]\.?)?,? ({_OLD})"
        r"(?= [A-Za-z#])",
        re.MULTILINE | re.IGNORECASE,
    ),
    # "Age (yrs): 94", "Age-94", "94yoF", "is now 92" after a titled name
    re.compile(
        rf"\bage\s?(?:\((?:in )?(?:yrs?|years?)\)|in years|/ ?(?:sex|gender))?\s?[:=–-]?\s?({_OLD})(?![\w.,]|\s?%)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<![\w.,/-])({_OLD})\s?y(?:/?o)?\s?[MFmf]\b"),
    re.compile(
        rf"{_TITLED},?(?:['’]s| is| was| will be| turned| turns| has turned)(?: now| just"
        rf"| already)? ({_OLD}){_NO_MEASURE}"
    ),
    # "99 next birthday"
    re.compile(rf"(?<![\w.,/-])({_OLD}) (?:on (?:his|her) )?(?:next|last) birthday", re.IGNORECASE),
    # "her 103rd birthday", "ninetieth birthday", "in his 95th year"
    re.compile(
        rf"(?<!\w)({_OLD}(?:st|nd|rd|th)|ninetieth|ninety-\w+(?:th|st|nd|rd)|(?:one )?hundredth) (?=birthday|year\b)"
        rf"|\b(?:her|his|their) ({_OLD}(?:st|nd|rd|th))(?=[.,;)!]|$|\s(?:in|on|next|last|this)\b)",
        re.IGNORECASE,
    ),
    # "At 91 she", "At 99, our": at the beginning of a sentence, before a person.
    re.compile(rf"(?:^|[.!?]\s)At ({_OLD}),? (?:s?he|they|the (?:patient|lady|gentleman)|{_TITLED})\b", re.MULTILINE),
    # After a date of birth: "22/12/1926 (97)", "15.8.1931 - 93".
    re.compile(rf"\d[/.-]\d{{1,2}}[/.-](?:\d\d)?\d\d,? ?[(–-] ?({_OLD})(?= ?[),;.]|\s(?:y|M|F)\b)"),
    re.compile(rf"\b19[0-3]\d \(({_OLD})\)"),
    re.compile(rf"{_TITLED},? ({_OLD})(?= (?:this|next|last|in|on|now|soon|years)\b)"),
    re.compile(rf"{_TITLED}(?: \([\w ]{{1,30}}\),)? ({_OLD})(?=[.,;:!)](?!\d)|$)"),
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
            start = match.start(match.lastindex or 0)
            if not _NO_AGE.search(text, max(0, start - 20), start):
                yield Span(start, match.end(match.lastindex or 0), Kind.AGE)
