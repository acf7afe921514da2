"""Numbers of records, persons, policies and cases.

Every number of three figures and more is one where a word and a sign announce it ("Locator: 7719", "tag no. 44"), and
every long number or code without: unless it is a value, a time, a year, a place's or one that everybody may know.
"""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.contacts import looks_like_phone
from medpocket.store.deidentify.measures import has_unit, is_measured, is_public, is_time_or_year, names_measure
from medpocket.store.deidentify.spans import Kind, Span, count_digits

# A word of letters and figures, joined by signs; then groups that go on after a blank.
_CODE_WORD = r"(?=[A-Za-z./:_#-]{0,24}\d)[A-Za-z0-9]+(?:[-./:_#]{1,2}[A-Za-z0-9]+){0,8}(?:\([0-9A]\))?"
_GROUP = r"(?=[A-Z/-]{0,3}\d)[A-Z0-9]{1,8}(?:[/-][A-Z0-9]+){0,3}"
_VALUE = re.compile(
    rf"(?<![\w@+])(?<!\d[.,:/])#?(?P<prefix>[A-Z]{{1,5}}[ ](?=\d))?{_CODE_WORD}(?:[ ]{_GROUP}(?!\w|%|[.,:]\d)){{0,6}}"
    r"(?:[ ]/[ ]\d\b)?(?:[ ][A-Z]{1,2}(?=[.,;)\n]|$))?"
)
_FIGURE_WORD = r"(?:zero|oh|o|nought|naught|one|two|three|four|five|six|seven|eight|nine|(?:double|triple) \w+|\d)"
SPOKEN = re.compile(
    rf"(?<!\w)(?:[a-z][ -])?{_FIGURE_WORD}(?:[ ,-]{{1,2}}{_FIGURE_WORD}){{3,15}}(?:[ -][a-z])?(?!\w)", re.IGNORECASE
)

# Words that number somebody or something of somebody: a number of three figures is announced by them alone.
_STRONG = (
    r"m\.?r\.?n\.?|urn?|nhs|nh5|chi|ssn|ni(?:no)?|nric|mykad|hkid|fin|nhi|hcn|hc|uhid|ramq|h&c|ihi|ohip|phn|ahcip"
    r"|crn|upi|upn|"
    r"ubrn|emrn|ehr|emis|rio|epic|cerner|trackcare|nomis|pnc|cris|hpzone|datix|badger|ppsn?|bsn|ahv|svnr|pesel|pnr|"
    r"personn(?:umme)?r|cpr|curp|rfc|rut|dni|nie|nhc|ipp|nip|iep|nir|niss|ins|c\.?\s?f\.?|cpf|nif|cin|cnp|oib|tckn"
    r"|kimlik|hn|an|"
    r"prontuário|aadhaar|abha|nhif|philhealth|iqama|egn|medicare|medicaid|dva|gms|hpcsa|ahpra|gmc|nmc|hcpc|npi|dea"
    r"|crm|edipi|"
    r"eds|hic|grp|a/c|acc(?:oun)?t|acc|accession|specimen|spec|csn|enc|policy|member(?:ship)?|subscriber|claim|"
    r"authori[sz]ation|passport|visa|licen[cs]e|dl|plate|collar|badge|ref(?:erence)?|log|cad|quoting|cert(?:ificate)?|"
    r"wristband|barcode|kardex|id|last\s?(?:4|four)|booking|ticket|account|iban|bin|fall(?:nummer|nr)?|patientennummer|"
    r"pat\.?-?nr|versicherten(?:nummer|nr)?|vers\.?-?nr|kassennr|aktenzeichen|mitglied|sécu(?:rité sociale)?|dossier"
    r"|cartella|"
    r"historia(?: clínica)?|expediente(?: clínico)?|exp|processo|utente|tessera(?: sanitaria)?|nosologico|registro|"
    r"card|script|referral|chart|file|folder|case|prf|docket|warrant|permit|locker|tag|tray|slide|payroll|serial|"
    r"mc|hosp|hospital|group|order|(?<!O\s)(?<!O\.\s)box|invoice|token|locator|unique|identifier|col"
)
# What makes of any word before it one that announces a number.
_NUMBER_SIGN = r"(?:no|nos|nr|num|number|n0|num[eé]ro|nummer|numer|nº|n°|n\.|id|code|ref|serial|card|log|ssn|#)"
_STRONG_BEFORE = re.compile(
    rf"(?<![\w/])(?:{_STRONG})(?:[\s.]?(?:{_STRONG}|{_NUMBER_SIGN}|baby))?[\s.:;=#(/-]{{0,4}}(?:is\s)?$", re.IGNORECASE
)
_NUMBER_BEFORE = re.compile(
    rf"(?<![A-Za-z])(?P<word>[\w'’&/.-]{{1,24}}?)?[ ]?(?:#"
    rf"|(?<![A-Za-z]){_NUMBER_SIGN})(?:\s\(\w+\))?[.:]{{0,2}}\s?[:#=]?\s?(?:is\s|reads\s)?$",
    re.IGNORECASE,
)
_COLON_BEFORE = re.compile(r"(?P<word>[^\W\d][\w'’&/.-]{1,24})\s?[:=]\s{0,4}$")
_LAST_FIGURES = re.compile(
    r"(?i:last\s?(?:4|four)(?:\sdigits)?(?:\s(?:of\s)?\w{2,6})?|(?:card|account|acct|ssn|number|no\.?) ending(?: in"
    r"| with)?)[ :]{1,2}(\d{3,6})\b"
)
_WORD_BEFORE = re.compile(r"(?P<word>[A-Za-zÀ-ÿ&/.-]{2,24})\s$")

# Numbers that stand at a place, in a list or on the calendar: those and telephones are no records.
_NO_RECORDS = re.compile(
    r"(?:room|rm|bed|bay|ward|flat|apt|apartment|app|house|[dhs]\.?|qr|door|plot|lot|suite|addr\w*|adress\w*|add"
    r"|anschrift"
    r"|domicilio|morada|ste|floor|level|block|blk|bldg|"
    r"street|road|rd|box|po|site|comp|page|pg|day|week|cycle|time|date|dob|year|age|sex|size|gauge|pin|zip|"
    r"post_?(?:code)?|cep|eircode|postal|tel\w*|tél\w*|phone|fone|ph|mob\w*|cell|fax|bleep|pager|pgr|dect|ext\w*|"
    r"contact|call|direct|hp|h/p|handy|hotline|line|switchboard|text|ring|rang|cb|callback|my|his|her|own|their"
    r"|whatsapp|"
    r"lot|batch|gravida|para|dx|sx|tx|hx|fx|t|p|hr|bp|received|admitted|arrived|arrival|seen|onset|start|end|out|in|"
    r"due|delivered|born|died|called|updated|printed|dose|qty|"
    r"surgery|work|home|office|mobile|day|eve|night|secretary|helpline|text|sms|to|at|on|from|and|or|of|by)\.?",
    re.IGNORECASE,
)
_PHONE_NEAR = re.compile(
    r"\b(?:tel|te1|phone|ph|mob|mobile|cell|fax|bleep|pager|dect|ext|contact|call|ring|rang|direct|h/p|hp|whatsapp"
    r"|text|"
    r"line)\b[\w\s.:;'’(),-]{0,14}$",
    re.IGNORECASE,
)
_SHORT = re.compile(r"[A-Za-z]+[-.:/]?\d{1,2}|\d{1,2}[-./:]\d{1,2}")
_GESTATION = re.compile(r"\d{1,2}/(?:40|52|12|7|24)")
_AGE_AFTER = re.compile(r"\s?-?(?:yrs?|y/?o|years?|jahre|ans|años|anni)\b", re.IGNORECASE)
_CODE_GROUP = re.compile(r"(?=.*\d)(?=.*[A-Z])[A-Z\d]{4,}")
_CODE_AND_TRIPLES = re.compile(r"(?P<code>[A-Z][A-Z\d]{1,3})(?: \d{3}){2,3}")  # "RXK 702 194", as hospitals number
_FEWEST_ANNOUNCED = 3  # figures
_FEWEST_BARE = 5

_SHAPES = re.compile(
    r"\d{3}-\d{2}-\d{4}|\d{4}-\d{4}|\d{2,4}(?:-\d{2,4}){2,5}|\d{2,7}(?:-\d{1,7}){2,4}|\d{6,}-\d{1,4}[A-Z]?"
    r"|\d{1,3}(?:\.\d{2,6}){2,4}(?:-[\dA-Z]{1,2})?|\d{4}(?:[ ]\d{4}){2,4}|\d{3}[ -]\d{3}[ -]\d{4}"
    r"|\d{4} \d{5} ?\d(?:/\d)?"
    r"|\d{4,7}/\d{2,}|(?:19|20)\d\d/\d{3,}|\d{2}/\d{5,}|\d{2,}/\d{2,}/\d{3,}"
)
_VALUES_IN_TURN = re.compile(r"\d{2}-\d{2}-\d{2}|\d{3}-\d{3}-\d{3}|(?:19|20)\d\d[/-](?:19|20)\d\d")
_ROUND = re.compile(r"\d+000|\d{2,3}(?:00|50)")
_WORD_AND_YEAR = re.compile(r"[A-Za-z]{3,}-?(?:19|20)\d\d")
_SMALL_UNIT = re.compile(
    r"\d[\d.,/-]*(?:mg|ml|mcg|kg|iu|u|mm|cm)|\d{1,4}(?:k|g|m|h|x|st|nd|rd|th|hrs?|min|yo|y|f|ch|s)", re.IGNORECASE
)
# Capitals before a number, which announce it or are measured, and are no part of it.
_ANNOUNCES_ITSELF = re.compile(
    r"(?:ID|FIN|CAD|HCN|PHN|BP|PS|RR|TA|PA|INR|TSH|HR|N[OoRr0]|n[o0]|R[Ee][Ff])[ ]|(?:URN?|MRN|NHS|CHI|SSN)[ #-]?(?=\d)"
)


def find_records(text: str) -> Iterator[Span]:
    """Yield numbers of records, persons, policies and cases."""
    for match in _VALUE.finditer(text):
        start, end = match.span()
        if count_digits(match[0]) < _FEWEST_ANNOUNCED and not any(map(str.isupper, match[0])):
            continue
        triples = _CODE_AND_TRIPLES.fullmatch(match[0])
        if triples and not names_measure(f"{triples['code']} ") and not _NO_RECORDS.fullmatch(triples["code"]):
            yield Span(start, end, Kind.RECORD)
            continue
        if match["prefix"] and not _announces(text[max(0, start - 48) : start], text[start:end]):
            start = match.end("prefix")  # "NHS 943": the word announces the number
        if itself := _ANNOUNCES_ITSELF.match(text, start, end):
            start = itself.end()
        start, end = _without_values(text, start, end)
        if start == end:
            continue
        announced = _announces(text[max(0, start - 48) : start], text[start:end])
        if not _is_harmless(text, start, end, announced) and (announced or _is_long(text, start, end)):
            yield Span(start, end, Kind.RECORD, sure=announced)
    for match in _LAST_FIGURES.finditer(text):
        yield Span(match.start(1), match.end(1), Kind.RECORD, sure=True)
    for match in SPOKEN.finditer(text):
        if any(map(str.isalpha, match[0])) and not _PHONE_NEAR.search(text[max(0, match.start() - 24) : match.start()]):
            yield Span(match.start(), match.end(), Kind.RECORD)


def _without_values(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave away groups that are no part of the number: an amount before it, an age or a value after it."""
    groups = list(re.finditer(r"[^ ]+", text[start:end]))
    while (
        groups
        and (_SMALL_UNIT.fullmatch(groups[0][0]) or re.fullmatch(r"[A-Z]\d{1,2}|\d{1,2}[/:.]\d{1,2}", groups[0][0]))
        and len(groups) > 1
    ):
        del groups[0]
    count = 1
    while count < len(groups):
        too_long = count_digits(groups[count - 1][0]) > _FEWEST_BARE and count_digits(groups[count][0]) < 4
        if too_long and any(map(str.isdigit, groups[count][0])) and not _CODE_GROUP.fullmatch(groups[count][0]):
            break
        count += 1
    while (
        count
        and count_digits(groups[count - 1][0]) < 4
        and (has_unit(text, start + groups[count - 1].end()) or _AGE_AFTER.match(text, start + groups[count - 1].end()))
    ):
        count -= 1
    return (start + groups[0].start(), start + groups[count - 1].end()) if count else (start, start)


def _announces(before: str, value: str) -> bool:
    """Whether the text before a value announces the number of a record."""
    if count_digits(value) < _FEWEST_ANNOUNCED and not _is_code(value):
        return False
    if strong := _STRONG_BEFORE.search(before):
        return not (looks_like_phone(value) and _PHONE_NEAR.search(before[: strong.start()]))
    if value.startswith("#") and count_digits(value) >= 4 and not re.fullmatch(r"#\d\d-\d{2,4}", value):
        return not looks_like_phone(value)
    for pattern in (_NUMBER_BEFORE, _COLON_BEFORE):
        if match := pattern.search(before):
            word = match["word"] or ""
            if pattern is _COLON_BEFORE and len(value) <= 4 and (is_time_or_year(value) or _ROUND.fullmatch(value)):
                return False
            return not (_NO_RECORDS.fullmatch(word) or names_measure(f"{word} ") or looks_like_phone(value))
    return False


def _is_code(value: str) -> bool:
    """Whether it is of capitals and figures, short as it may be: "PN-77", "XJ49K"."""
    return re.fullmatch(r"[A-Z]{2,5}[-/]\d{2}|(?=.*[A-Z])(?=(?:.*\d){2})[A-Z\d]{5,}", value) is not None


def _is_harmless(text: str, start: int, end: int, announced: bool) -> bool:
    """Whether a number is a value, a time, a paper's or a place's."""
    value = text[start:end]
    if is_public(text, start, end) or _GESTATION.fullmatch(value) or _AGE_AFTER.match(text, end):
        return True
    if _SMALL_UNIT.fullmatch(value):
        return True
    return not announced and bool(_SHORT.fullmatch(value) or is_measured(text, start, end) or is_time_or_year(value))


def _is_long(text: str, start: int, end: int) -> bool:
    """Whether a number that nothing announces is too long, or too much of a code, for anything else."""
    value = text[start:end]
    digits = count_digits(value)
    first, *others = value.split(" ")
    if others:
        enough = digits >= 8 or (digits >= 6 and first[0].isalpha() and count_digits(first) >= 3)
        return enough and len(first) > 1 and not any(map(str.isalpha, "".join(others[:-1])))
    if value.isdigit():
        return _is_long_in_figures(text[max(0, start - 26) : start], value)
    if any(map(str.isalpha, value)):
        capitals = sum(one.isupper() for one in value)
        small = sum(one.islower() for one in value)
        if not capitals:
            return re.fullmatch(r"[a-z]\d{6,}", value) is not None
        return digits >= 4 >= small and capitals + small <= digits + 3 and not _WORD_AND_YEAR.fullmatch(value)
    if _VALUES_IN_TURN.fullmatch(value) or digits < _FEWEST_BARE:
        return False
    return (digits >= 8 and ":" not in value) or _SHAPES.fullmatch(value) is not None or _is_pair(value)


def _is_long_in_figures(before: str, value: str) -> bool:
    """Whether figures without a sign are a record's: five and more, or four after capitals ("EDS 3301")."""
    if _ROUND.fullmatch(value):
        return False
    if len(value) >= _FEWEST_BARE:
        return len(value) > _FEWEST_BARE or not value.endswith("0")
    word = _WORD_BEFORE.search(before)
    if len(value) < 4 or not word or is_time_or_year(value):
        return False
    return word["word"].isupper() and not _NO_RECORDS.fullmatch(word["word"])


def _is_pair(value: str) -> bool:
    """Whether two numbers with a hyphen are one: "24-1187734", and not pages or years from one to the other."""
    pair = re.fullmatch(r"(\d{2,6})-(\d{3,8})", value)
    if not pair:
        return False
    first, second = pair.groups()
    return len(first) >= 6 or len(second) >= len(first) + 3 or second.startswith("0") or first.startswith("0")
