"""E-mail addresses, numbers of telephones and of records, and ages over 89."""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.spans import CAPITALS, DIGIT, Kind, Span

_AT = r"(?:@|\s?[(\[{]\s?at\s?[)\]}]\s?|\s@\s)"
_DOT = r"(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)"
_EMAIL = re.compile(rf"[\w.+'’%-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,6}}", re.IGNORECASE)

# Telephones: after a word that announces one almost any figures; without it, the shapes that countries write.
_PHONE_WORD = (
    r"(?:tel(?:ephone|efono|éfono|éphone|efon|efoon|1)?|te1|tfno|tlf|phone|ph|mob(?:ile)?|cell|handy|portable|móvil|"
    r"hp|m|t|f|h|w|c"
    r"|fax|telefax|call(?:ed|back)?|cb|cb#|ring|rang|text|sms|whatsapp|contact|reach(?:able|ed)?(?:\s(?:at|on))?|"
    r"joint?e? au|number"
    r"|rückfragen|home|work|direct|line|switchboard|landline|secretary)"
)
_PAGER_WORD = r"(?:bleep|pager|page|beep|dect|ext(?:ension|n)?|x|durchwahl|poste)"
_EXTENSION = r"(?:[\s,]{0,2}(?:ext(?:ension|n)?\.?|x|#)\s?\d{1,6})?"
_GROUPS = rf"(?:\+|\(\+?)?\(?{DIGIT}(?:{DIGIT}|[ ().\u2011/-](?=[ ()./-]?[(0-9OolI])){{3,20}}{DIGIT}"
_ANNOUNCED_PHONE = re.compile(
    rf"\b{_PHONE_WORD}\b(?:\s?(?:no|nr|number|num|#|n°|nº)\b\.?)?(?:\s(?:on|at|is|me|us|back|ward|au|"
    rf"via))?[.:;#=\s(-]{{0,4}}"
    rf"({_GROUPS}{_EXTENSION})(?!\w)",
    re.IGNORECASE,
)
_ANNOUNCED_PAGER = re.compile(
    rf"\b{_PAGER_WORD}(?:\s?(?:no|nr|number)\b)?[.:#\s]{{0,3}}(\d{{3,6}}(?:-\d{{1,4}})?)(?![\w.,]\d|\s?(?:mg|ml|g|"
    rf"kg)\b|\w)",
    re.IGNORECASE,
)
_PHONE_SHAPES = re.compile(
    r"(?<![\w.,/-])(?:"
    r"\+\d{1,3}[ .-]?(?:\(0?\d{0,4}\)[ .-]?)?\d{1,5}(?:[ ./-]?\d{1,5}){1,5}"  # +44 7700 900123
    r"|(?:1[-. ])?(?:\(\d{3}\)\s?|\d{3}[-.])\d{3}[-. ]\d{4}"  # (312) 555-0187
    r"|(?:1[-. ])?\d{3} \d{3} \d{4}"
    r"|555-\d{4}"
    r"|\(0\d{1,5}\)[ -]?\d{3,4}[ -]?\d{3,6}"  # (0161) 496 0123
    r"|0\d{2,4}[ -/]\d{3,4}[ -]?\d{3,4}(?:[ -]?\d{2,4})?"  # 020 7946 0958, 0221 4710815
    r"|0\d{10}"
    r"|0\d(?:[ .-]\d{2}){4}"  # 04 72 00 11 22
    r"|[679]\d[ .]?\d[ .]\d{2,3}[ .]\d{2}[ .]?\d{2}"  # 91 555 01 23
    rf"){_EXTENSION}(?!\w|[-/]\d)",
    re.IGNORECASE,
)

# Records: a word that announces a number, then what has a figure in it.
_RECORD_WORD = (
    r"(?:m\.?r\.?n\.?|mr\s?#|mr\s?no|nhs|nh5|chi|ssn|s\.s\.n|ni(?:no)?|nric|fin|uhid|crn|upi|emrn|ehr|ppsn?|bsn|"
    r"pesel|curp|rfc|dni|nie|nhc|ipp|nir"
    r"|c\.?\s?f\.?|cpf|aadhaar|abha|iqama|emirates id|egn|medicare|medicaid|dva"
    r"|acc(?:oun)?t|acct|accession|specimen|csn"
    r"|policy|member|subscriber|claim|authori[sz]ation|passport|visa|driving licen[cs]e|driver'?s? licen[cs]e|"
    r"licen[cs]e|dl|plate"
    r"|gmc|npi|dea|collar|ref(?:erence)?|log|quoting"
    r"|cert(?:ificate)?|wristband|id|last4|last 4|booking|ticket|serial|account|iban"
    r"|fall(?:nummer|nr)?|patientennummer|pat\.?-?nr|versicherten(?:nummer|nr)?|vers\.?-?nr|aktenzeichen"
    r"|n[°ºo]\.? de sécurité sociale|sécurité sociale|dossier|historia(?: clínica)?|expediente|processo|utente|tessera)"
)
# Words of every note, which announce a number only beside "no.", "#" or a colon.
_WEAK_RECORD_WORD = (
    r"hosp(?:ital)?|unit|chart|file|folder|case|lab|order|episode|encounter|visit|group|patient|pat|pt|family|clinic|"
    r"call|staff|study|subject"
    r"|trial|sample|police|incident|emp(?:loyee)?|insurance|custody|home office|auth|document|doc|record|badge|"
    r"reg(?:istration)?"
)
_NUMBER_WORD = r"(?:no|nr|num|number|n0|num[eé]ro|nº|n°|id|code|ref|#|log|baby)"
_VALUE = (
    r"(?:[#]?(?:[A-Z]{1,5}[ ](?=\d))?(?=[A-Z0-9/-]*\d)[A-Z0-9]+(?:[./#-]+[A-Z0-9]+)*"
    r"(?:[ ](?=[A-Z0-9/-]*\d)[A-Z0-9]+(?:[/-][A-Z0-9]+)*){0,6}(?:[ ][A-Z]\b)?|[A-Za-z](?:[ ]\d){4,9})"
)
_ANNOUNCED_RECORD = re.compile(
    rf"(?<!\w)(?i:(?:{_RECORD_WORD}(?!\w)|(?:{_WEAK_RECORD_WORD})(?=[ ]{{0,2}}(?:{_NUMBER_WORD}|{_RECORD_WORD}|[:#])))"
    rf"(?:[ ]{{0,2}}(?:{_RECORD_WORD}|{_NUMBER_WORD})(?!\w)){{0,3}}[\s.:;=#(-]{{0,4}}(?:is\s)?)({_VALUE})(?!\w)"
)
_NUMBERED = re.compile(rf"(?<!\w)(?i:no|nr|number|nº|n°|id)[.:]?\s?[:#]?\s?({_VALUE})(?!\w)")
_HASH = re.compile(r"(?<![\w/])#\s?(\d{4,}[\w/-]*)")
_RECORD_SHAPES = re.compile(
    r"(?<![\w.,/+-])(?:"
    r"\d{3}-\d{2}-\d{4}"  # US social security
    r"|\d{3}[ -]\d{3}[ -]\d{4}"  # NHS
    r"|[STFGM]\d{7}[A-Z]"  # Singapore
    r"|\d{8}[A-Z]|[XYZ]\d{7}[A-Z]"  # Spain
    r"|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"  # UK national insurance
    r"|[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}"  # France
    r"|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"  # Italy
    r"|[A-Z]{4}\d{6}[A-Z0-9]{8}"  # Mexico
    r"|\d{2,4}-\d{2}-\d{2,4}(?:-\d{2,4})?|0\d{3}-\d{4}"
    r"|[A-Z]{1,5}[-/]?\d{2,4}[-/]\d{3,}"
    r"|[A-Z]{1,3}\d{5,}[A-Z]?"
    r"|\d{6,}"
    r")(?!\w|[.,]\d|[-/]\d|\s?(?:mg|ml|kg|g|mcg|units?|iu|cells|copies|%|/))"
)

_OLD = r"(?:9\d|1[01]\d|12\d)"
_NINETIES = (
    r"(?:ninety(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?: and (?:\w+teen|"
    r"ten|eleven|twelve|one|two|three|four|five|six|seven|eight|nine))?)"
)
_YEARS = r"(?:years?|yrs?|yo|y/o|y\.o\.?|y|ans|años|anos|anni|jahre?|jaar|jährig\w*)"
_AGES = (
    re.compile(rf"(?<![\w.,/-])({_OLD}|{_NINETIES})\+?(?:[ -]?{_YEARS}(?:[ -](?:old|of age))?)(?!\w)", re.IGNORECASE),
    re.compile(rf"(?<![\w.,/-])({_OLD})\s?/?\s?(?:M|F|♂|♀|male|female|man|woman|lady|gentleman)(?![\w°])"),
    re.compile(
        rf"\b(?:ages?|aged|age of|turned|turning|lived to|survived to|alive at|died at|dead at|d\. at|who is|who was)"
        rf"[ :=]{{1,2}}(?:about |approx\.? |~)?({_OLD}|{_NINETIES})(?![\w.,]\d|\w|\s?(?:%|mg|kg|ml|mm))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:mother|father|sister|brother|wife|husband|mum|mom|dad|aunt|uncle|grandmother|grandfather|partner|"
        rf"neighbour),?\s(?:is |now )?"
        rf"({_OLD})(?![\w.,/]\d|\w|\s?(?:%|mg|kg|ml))",
        re.IGNORECASE,
    ),
    re.compile(rf"[{CAPITALS}][\w'’-]+, ({_OLD})(?=[,.;)])"),
    re.compile(rf", ({_NINETIES})(?=[,.;)])"),
)
_FEVER = re.compile(r"(?:\bT|temp(?:erature)?|fever|tmax)[\s:=of]{0,5}$", re.IGNORECASE)


def find_emails(text: str) -> Iterator[Span]:
    """Yield what looks like an e-mail address, also one that avoids the sign @."""
    for match in _EMAIL.finditer(text):
        yield Span(match.start(), match.end(), Kind.EMAIL, sure=True)


def find_phones(text: str) -> Iterator[Span]:
    """Yield numbers of telephones, fax machines, pagers and extensions."""
    for pattern, fewest in ((_ANNOUNCED_PHONE, 6), (_ANNOUNCED_PAGER, 3)):
        for match in pattern.finditer(text):
            if _digits(match[1]) >= fewest:
                yield Span(match.start(1), match.end(1), Kind.PHONE, sure=True)
    for match in _PHONE_SHAPES.finditer(text):
        yield Span(match.start(), match.end(), Kind.PHONE)


def find_records(text: str) -> Iterator[Span]:
    """Yield numbers of records, persons, policies and cases."""
    for pattern, fewest in ((_ANNOUNCED_RECORD, 3), (_NUMBERED, 4), (_HASH, 4)):
        for match in pattern.finditer(text):
            if _digits(match[1]) >= fewest:
                yield Span(match.start(1), match.end(1), Kind.RECORD, sure=pattern is _ANNOUNCED_RECORD)
    for match in _RECORD_SHAPES.finditer(text):
        yield Span(match.start(), match.end(), Kind.RECORD)


def find_ages(text: str) -> Iterator[Span]:
    """Yield ages of 90 and more; so old, the age alone may name a person."""
    for pattern in _AGES:
        for match in pattern.finditer(text):
            if not _FEVER.search(text, max(0, match.start() - 20), match.start()):
                yield Span(match.start(1), match.end(1), Kind.AGE)


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
