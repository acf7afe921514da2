"""E-mail addresses, and numbers of telephones, fax machines, pagers and extensions."""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.spans import DIGIT, Kind, Span, count_digits

_AT = r"(?:@|\s?[(\[{]\s?at\s?[)\]}]\s?|\s@\s)"
_DOT = r"(?:\.|\s?[(\[{]\s?dot\s?[)\]}]\s?)"
_EMAIL = re.compile(
    rf"[\w.+'’%-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,5}}{_DOT}[^\W\d][\w-]{{1,63}}", re.IGNORECASE
)

# What announces a telephone, and what may stand before its number: "tel (day)", "Ph no:", "mobile of husband is".
_WORD = (
    r"(?:tél|tel(?:ephone|efono|éfono|efone|éphone|efon|efoon|1|e)?|te1|tfno|tlfn?|phone|fone|telemóvel|ph"
    r"|mob(?:ile)?|cell"
    r"|handy|natel|port(?:able)?|móvil|celular|cel|hp|h/p|fax|telefax|télécopie|call(?:ed|back| back)?|cb|ring|rang"
    r"|text|sms|whatsapp|contact|reach(?:able|ed)?|joint?e? au|rückfragen|home|work|office|direct|line|hotline|helpline"
    r"|switchboard|landline|secretary|(?:his|her|my|our|their|own|\w+['’]s)\s(?:number|no))"
)
_BETWEEN = (
    r"(?:[\s.:;#=(),/-]{1,3}(?:no|nr|num|number|n°|nº|day|eve|night|home|work|office|kom|on|at|is|me|us|him|her|them"
    r"|back"
    r"|via|au|ward|of|wife|husband|son|daughter|mother|father|figlio|figlia|hijo|hija|or)\b\.?){0,3}[\s.:;#=(),-]{0,4}"
)
_NO_DATE = r"(?!\d{1,2}(?P<mark>[./-])\d{1,2}(?P=mark)\d{2,4}(?![\d./-]))"
_GROUPS = (
    rf"(?:\+|\(\+?)?\(?{DIGIT}(?:{DIGIT}|(?:(?!\.\s\d{{1,2}}[/.-]\d{{1,2}}[/.-])\s?[().\u2011/-]\s?"
    rf"|\s)(?=[(0-9OolI])){{4,30}}{DIGIT}"
)
_EXTENSION = r"(?:[\s,;]{0,2}\(?(?:ext(?:ension|n)?[.:]?\s?|x\s?|#\s?(?=\d\d))\d{1,6}(?:\))?)?"
_ANNOUNCED = re.compile(
    rf"(?<!\w){_WORD}(?!\w){_BETWEEN}(?P<number>{_NO_DATE}{_GROUPS}{_EXTENSION})(?!\w)", re.IGNORECASE
)
# One letter announces less: only with a sign after it, and before all figures of a number.
_LETTER = re.compile(
    rf"(?:(?<![\w\n])\(|(?<![\w(]))[mtfhwcp](?:\)|[:.])\s?(?P<number>{_NO_DATE}{_GROUPS}{_EXTENSION})(?!\w)",
    re.IGNORECASE,
)

_PAGER = re.compile(
    r"(?:\b(?:bleep|bip|beep|pager|pgr|pg(?=\s?#)|dect|aircall|voalte|vocera|ext(?:ension|n)?"
    r"|(?<!\d)(?<!\d[ ])(?<!sets )(?<!reps )(?-i:[xp](?=\d{4})|x)|durchwahl"
    r"|poste|pieper|funk|page(?:[ ](?:on|at|me|him|her|us))+|page(?=\s#))"
    r"(?:\s?(?:no|nr|number|is|on|at)\b)?[.:#\s]{0,4}"
    r"|\btel(?:efon)?[.:]{0,2}\s-|\b(?:my|our|his|her|their) number is\s"
    r"|\b(?:on|at|call|ring|dial)\s#|\bon\s(?=\d{5}(?:[.,;)\n]|$)))"
    r"(?P<number>\d{3,6}(?:-\d{1,4})?)(?![\w.,]\d|\s?(?:mg|mcg|ml|g|kg|mm|cm|days?|units?|reps?"
    r"|sets?|min|mins|sec|wks?|of|h)\b|\s?%|\w)",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"(?<![\w.,/+-])(?<!\d[ ])(?:"
    r"\(?\+\d{1,3}\)?(?:[ ./-]{0,2}\(?\d{1,5}\)?){1,6}"  # +44 (0)7700 900123, (+44) 7700 900 127
    r"|00[1-9]\d{0,2}(?:[ ./-]\d{1,5}){2,6}"  # 0064 9 555 0113
    r"|(?:1[-. ])?(?:\(\d{3}\)\s?|\d{3}[-.])\d{3}[-. ]\d{4}"  # (312) 555-0187
    r"|(?:1[-. ])?(?:\(\d{3}\)[ ]|\d{3} )\d{3} \d{4}"
    r"|(?:1[-. ])\(\d{3}\)[ ]?\d{3}[-. ]\d{4}"
    r"|555-\d{4}|\d{3}/\d{3}-\d{4}"
    r"|\(\d{2}\)[ ]?9?\d{4}[- ]\d{4}"  # (81) 5555-0134
    r"|\(0\)\d{2,4}(?:[ .-]\d{3,4}){2}"
    r"|\(0\d{1,5}\)(?:[ ./-]{0,3}\d{2,6}){1,4}"  # (0161) 496 0123
    r"|0\d{1,5}(?:[ .-]| / | - |/)\d{2,6}(?:(?:[ .-]| - )\d{2,6}){0,4}"  # 020 7946 0958, 030 / 555 01 - 88
    r"|\d{3} \d{3}-\d{4}"
    r"|1(?:800|850|890|300|900)[ -]\d{3}[ -]?\d{3}"  # 1800 975 711
    r"|0\d{9,10}"
    r"|[6-9]\d{4}[ ]\d{5}"  # 98140 55501
    r"|[67]\d\d \d{3} \d{3}|[679]\d[ .]\d{3}[ .]\d{2}[ .]\d{2}|0\d{2,4}[ /-]\d{6,8}"
    r"|[679]\d[ .]?\d[ .]\d{2,3}[ .]\d{2}[ .]?\d{2}"  # 91 555 01 23
    rf"){_EXTENSION}(?!\w|[-/]\d)",
    re.IGNORECASE,
)
_FEWEST, _MOST = 9, 15  # figures of a number that nothing announces; 555-0142 and its like apart


def find_emails(text: str) -> Iterator[Span]:
    """Yield what looks like an e-mail address, also one that avoids the sign @."""
    for match in _EMAIL.finditer(text):
        yield Span(match.start(), match.end(), Kind.EMAIL, sure=True)


def find_phones(text: str) -> Iterator[Span]:
    """Yield numbers of telephones, fax machines, pagers and extensions."""
    for pattern, fewest in ((_ANNOUNCED, 6), (_LETTER, 7), (_PAGER, 2)):
        for match in pattern.finditer(text):
            if count_digits(match["number"]) >= fewest:
                yield Span(match.start("number"), match.end("number"), Kind.PHONE, sure=True)
    for match in _SHAPES.finditer(text):
        if _FEWEST <= count_digits(match[0]) <= _MOST or match[0].startswith("555-"):
            yield Span(match.start(), match.end(), Kind.PHONE)


def looks_like_phone(number: str) -> bool:
    """Whether a number alone has the form of a telephone's."""
    return _SHAPES.fullmatch(number) is not None and _FEWEST <= count_digits(number) <= _MOST
