"""Numbers of records, persons, policies and cases."""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.contacts import looks_like_phone
from medpocket.store.deidentify.spans import Kind, Span, count_digits

# A word that announces a number, then what has a figure in it.
_STRONG = (
    r"(?:m\.?r\.?n\.?|mr\s?#|mr\s?no|nhs|nh5|chi|ssn|s\.s\.n|ni(?:no)?|nric|mykad|hkid|fin|nhi|hcn|hc|uhid|ramq|h&c|ihi|ohip|phn|ahcip|crn|upi|upn"
    r"|ubrn|emrn|ehr|emis|rio|nomis|pnc|cris|hpzone|datix|badger|ppsn?|bsn|ahv|svnr|pesel|pnr|personnummer|curp|rfc|dni|nie"
    r"|nhc|ipp|nip|iep|nir|c\.?\s?f\.?|cpf|nif|prontuário|aadhaar|abha|nhif|philhealth|iqama|emirates id|egn"
    r"|medicare|medicaid|medical aid|dva|gms|hpcsa|gmc|nmc|hcpc|npi|dea|crm"
    r"|hic|grp|a/c|acc(?:oun)?t|acct|acc|accession|specimen|spec|csn|policy|member|subscriber|claim|authori[sz]ation|passport|visa"
    r"|driving licen[cs]e|driver'?s? licen[cs]e|licen[cs]e|dl|plate|collar|ref(?:erence)?|log|cad|quoting"
    r"|cert(?:ificate)?|wristband|id|last\s?(?:4|four)|booking|ticket|account|iban|bin"
    r"|fall(?:nummer|nr)?|patientennummer|pat\.?-?nr|versicherten(?:nummer|nr)?|vers\.?-?nr|kassennr|aktenzeichen"
    r"|n[°ºo]\.? de sécurité sociale|sécurité sociale|sécu|dossier|cartella|historia(?: clínica)?|expediente|exp"
    r"|processo|utente|tessera(?: sanitaria)?)"
)
# Words of every note, which announce a number only beside "no.", "#" or a colon.
_WEAK = (
    r"hosp(?:ital)?|unit|chart|file|folder|case|lab|order|episode|encounter|visit|group|patient|pat|pt|family|individual"
    r"|clinic|call|staff|study|subject|trial|sample|police|incident|inc|emp(?:loyee)?|insurance|custody|home office"
    r"|auth|document|doc|record|badge|reg(?:istration)?|rx|prescription|plan|enquiry|docket|renal|hospice|provider|invoice|prf"
    r"|court|fall|col"
)
# Words that announce one, beside its number alone, where it is long.
_BESIDE = (
    r"badge|script|referral|card|grp|col\.|hosp\.|group|episode|encounter|unit|enquiry|chart|file|folder|case|prf"
    r"|individual|order|inc"
)
_NUMBERED = r"(?:file|folder|no|nr|num|number|n0|num[eé]ro|nº|n°|id|code|ref|card|#|log|baby|ssn)"
_VALUE = (
    r"(?:[#]?(?:[A-Z]{1,5}[ ](?=\d))?(?=[A-Z0-9/,.#-]*\d)[A-Z0-9]+(?:(?:[./#_-]+|,(?=\d+\.))[A-Z0-9]+)*(?:\([0-9A]\))?"
    r"(?:[ ](?=[A-Z0-9/-]*\d)[A-Z0-9]+(?:[/-][A-Z0-9]+)*){0,6}(?:[ ]/[ ]\d\b)?"
    r"(?:[ ][A-Z]\b|[ ][A-Z]{2}(?=[.,;)\n]|$))?|[A-Za-z](?:[ ]\d){4,9})"
)
_LINK = r"[\s.:;=#(-]{0,4}(?:is\s)?"
_INSURER = r"(?:(?<=aid )[A-Z][a-z]+\s|(?<=insurance )[A-Z][a-z]+\s|(?<=insurance: )[A-Z][a-z]+\s)?"
_ANNOUNCED = re.compile(
    rf"(?<![\w/])(?i:(?:{_STRONG}(?!\w)|(?:{_WEAK})(?=[ .]{{0,2}}(?:(?:{_NUMBERED}|{_STRONG})(?!\w)|[:#])))"
    rf"(?:[ ./-]{{0,2}}(?:{_STRONG}|{_NUMBERED})(?!\w)){{0,3}}{_LINK}){_INSURER}(?P<value>{_VALUE})(?!\w)"
)
_BESIDE_NUMBER = re.compile(
    rf"(?<!\w)(?i:{_BESIDE})[ ](?=[^ ]*\d{{4}}|\d{{2,3}}-|[A-Z]{{1,3}} \d)(?P<value>{_VALUE})(?!\w)"
)
_AFTER_NUMBER_WORD = re.compile(
    rf"(?<!\w)(?i:no|nr|number|nº|n°|id|serial)(?!\w|[ ]?\w+[ ]to\b)[.:]?\s?[:#]?\s?(?i:is\s)?"
    rf"(?P<value>{_VALUE})(?!\w)"
)
# A word beside the sign, and the last figures of a card: "Tag# 44-1182", "card ending in 4418".
_WORD_HASH = re.compile(rf"(?<!\w)[A-Za-z]{{2,12}}#[: ]{{0,2}}(?P<value>{_VALUE})(?!\w)")
_ENDING = re.compile(r"(?i:card|account|acct|ssn|number|no\.?) ending(?: in| with)?:? (?P<value>\d{3,6})\b")
_HASH = re.compile(r"(?<![\w/])#\s?(?P<value>[A-Z]{0,3}-?\d{4,}[\w/-]*)")
_SHAPES = re.compile(
    r"(?<![\w.,/+:;-])(?<!\d[ ])(?:"
    r"\d{3}-\d{2}-\d{4}"  # US social security
    r"|[0-9lO]{3}[ -][0-9lO]{3}[ -][0-9lO]{4}"  # NHS
    r"|[STFGM]\d{7}[A-Z]"  # Singapore
    r"|[A-Z]{1,2}\d{6}\([0-9A]\)"  # Hong Kong
    r"|\d{8}[A-Z]|[XYZ]\d{7}[A-Z]"  # Spain
    r"|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"  # UK national insurance
    r"|[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}"  # France
    r"|756\.\d{4}\.\d{4}\.\d{2}"  # Switzerland
    r"|\d{3}\.\d{3}\.\d{3}-\d{2}"  # Brazil
    r"|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"  # Italy
    r"|[A-Z]{4}\d{6}[A-Z0-9]{8}"  # Mexico
    r"|\d{2,4}-\d{2}-\d{2,4}(?:-\d{2,4})?|\d{2,6}(?:-\d{1,6}){2,3}"
    r"|[1-9][A-Z][A-Z\d]\d-?[A-Z][A-Z\d]\d-?[A-Z]{2}\d{2}"  # US Medicare
    r"|[A-Z]{2,4}/[a-z]{2,4}/\d{3,}"  # with the initials of who typed the letter
    r"|\d{2}-[A-Z]{2,4}-\d{3,}"
    r"|\d{5,6}/\d{2}(?!\s?h)"
    r"|[A-Z]{4}(?:\d{8}|[ ]\d{4}[ ]\d{4})"  # Quebec
    r"|[A-Z]{1,2}\d{2}\.\d{5,}|(?!(?:MRN|NHS|CHI|SSN)-)[A-Z]{1,4}-\d{4,}(?:-[A-Z\d]{1,3})?|\d{6,}-\d{2}|\d{6,8}(?!IU|U\b|MG|ML|K\b)[A-Z]{1,2}"
    r"|[A-Z]{1,5}[-/]?\d{2,4}[-/]\d{3,}|[A-Z]{2,5}/\d{3,}|[A-Z]{2,4}(?:/\d{2,6}){2,3}"
    r"|(?:19|20)\d{2}/\d{4,}"
    r"|[A-Z]{1,3}\d{5,}[A-Z]?|\d{2}[A-Z]\d{5,}"
    r"|(?!\d+000\b)\d{6,}"
    r")(?!\w|[.,]\d|[-/]\d|\s?(?:mg|ml|kg|g|mcg|units?|iu|cells|copies|%|/))"
)
_PAIR = re.compile(r"(?<![\w.,/+:;-])(\d{2,6})-(\d{4,8})(?![\w%]|[.,/-]\d|\s?(?:mg|ml|kg|g|mcg|units?|iu|m)\b)")
_DECIMAL = re.compile(r"\d{1,3}\.\d{1,2}(?:-\d{1,3}(?:\.\d{1,2})?)?")  # of a laboratory's "ref: 11.5"
# "visit: 101 yr old", "booking 9/40"
_NO_RECORD_AFTER = re.compile(r"\s?-?(?:yrs?|y/?o|years?)\b", re.IGNORECASE)
_GESTATION = re.compile(r"\d{1,2}/(?:40|52|12|7)")
_FEWEST_OF_SHAPE = 5
_VALUES_IN_TURN = re.compile(r"(\d{2}-\d{2}-\d{2}|\d{3}-\d{3}-\d{3})")  # of a laboratory: "Na 118-123-129"
# Numbers that everybody may know: of papers, trials, terms and batches.
_PUBLIC = re.compile(
    r"(?:PMID|PMC|NCT|ISRCTN|EudraCT|doi|SNOMED(?: CT)?|LOINC|ISBN|ISSN|OMIM|lot|batch)[\s:.#-]{0,3}(?:no\.?\s)?$", re.I
)
_PUBLIC_NUMBER = re.compile(r"(?:NCT|ISRCTN|PMC)\d")
_PHONE_BEFORE = re.compile(
    r"(?:tel|phone|ph|mob|mobile|cell|fax|bleep|pager|dect|ext|contact|call|direct|h/p|hp|my|his|her|own)"
    r"\W{0,3}(?:(?:no|nr|number|n°|nº|id)\b\W{0,3}(?:is )?)?$",
    re.I,
)


def find_records(text: str) -> Iterator[Span]:
    """Yield numbers of records, persons, policies and cases."""
    for pattern, fewest in (
        (_ANNOUNCED, 3),
        (_BESIDE_NUMBER, 4),
        (_AFTER_NUMBER_WORD, 4),
        (_WORD_HASH, 4),
        (_ENDING, 3),
        (_HASH, 4),
    ):
        for match in pattern.finditer(text):
            if (count_digits(match["value"]) >= fewest or _is_code(match["value"])) and _is_record(match):
                yield Span(match.start("value"), match.end("value"), Kind.RECORD, sure=pattern is not _HASH)
    for match in _SHAPES.finditer(text):
        is_known = _VALUES_IN_TURN.fullmatch(match[0]) or _is_public(text, match.start())
        if count_digits(match[0]) >= _FEWEST_OF_SHAPE and not is_known:
            yield Span(match.start(), match.end(), Kind.RECORD)
    for match in _PAIR.finditer(text):
        if _is_no_range(match[1], match[2]):
            yield Span(match.start(), match.end(), Kind.RECORD)


def _is_record(match: re.Match[str]) -> bool:
    """Whether what a word announces is a record's number, and no telephone's, no paper's, no measurement."""
    value = match["value"]
    if _is_public(match.string, match.start("value")) or _DECIMAL.fullmatch(value) or _GESTATION.fullmatch(value):
        return False
    if value.isdigit() and _NO_RECORD_AFTER.match(match.string, match.end("value")):
        return False
    if match.re is _ANNOUNCED:
        return True
    before = match.string[max(0, match.start() - 12) : match.start("value")]
    return not looks_like_phone(value) and not _PHONE_BEFORE.search(before)


def _is_code(value: str) -> bool:
    """Whether it is one word of capitals and figures: "XJ49K"."""
    return re.fullmatch(r"(?=.*[A-Z])(?=(?:.*\d){2})[A-Z\d]{5,}", value) is not None


def _is_no_range(first: str, second: str) -> bool:
    """Whether two numbers with a hyphen are one: "24-1187734", and not pages or years from one to the other."""
    return len(first) >= 6 or len(second) >= len(first) + 3 or second.startswith("0") or first.startswith("0")


def _is_public(text: str, start: int) -> bool:
    return bool(_PUBLIC_NUMBER.match(text, start) or _PUBLIC.search(text, max(0, start - 24), start))
