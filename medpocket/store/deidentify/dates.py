"""Dates with a day or a month, in figures, in words, and in part. A year, a weekday or a time alone is none."""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.spans import DIGIT, Kind, Span

_FULL_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Januar|Jänner|Februar|März|Mai|Juni|Juli|Oktober|Dezember"
    "|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
    "|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro"
    "|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre"
    "|januari|februari|maart|mei|augustus"
    "|Ionawr|Chwefror|Mawrth|Ebrill|Mehefin|Gorffennaf|Awst|Hydref|Tachwedd|Rhagfyr"
    "|Eanáir|Feabhra|Márta|Aibreán|Bealtaine|Meitheamh|Iúil|Lúnasa|Meán Fómhair|Deireadh Fómhair|Samhain|Samhna"
    "|Nollaig|Nollag"
    "|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
    "|oktober|januar|februar|maj|desember|december"
    "|Muharram|Safar|Rajab|Sha'?ban|Ramadh?an|Shawwal|Dhu al-Hijjah"
)
_SHORT_MONTHS = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Okt|Nov|Dec|Dez|Mrz"
_MONTH = rf"(?:(?:{_FULL_MONTHS})\b|(?:{_SHORT_MONTHS})\b\.?)"
_WEEKDAY = (
    r"(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:s|nesday)?|Thu(?:r(?:s(?:day)?)?)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?"
    r"|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
    r"|lunes|martes|miércoles|jueves|viernes|sábado|domingo)"
)
_NAMED_DAY = rf"(?:\b{_WEEKDAY}\b[.,]?\s{{0,2}}(?:(?:the|den|le|el)\s)?)?"
_YEAR = rf"(?:(?:19|20|2[O])(?:{DIGIT}){{2}}|['’]\d\d|\d\d(?!\d|[:.,/]\d|\s?(?:mg|kg|ml|h\b|%)))"
_DAY = rf"(?:[12lI]{DIGIT}|3[01OlI]|[0O]?[1-9lI])"

_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
).split()
_SPOKEN_DAY = rf"(?:(?:twenty|thirty)[ -](?:{'|'.join(_ORDINALS[:9])})|{'|'.join(_ORDINALS)})"
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_SPOKEN_NUMBER = rf"(?:(?:{_TENS})(?:[ -](?:{_UNITS}))?|{_TEENS}|oh[ -](?:{_UNITS})|{_UNITS})"
_SPOKEN_YEAR = rf"(?:(?:nineteen|twenty)[ -]{_SPOKEN_NUMBER}|two thousand(?:(?: and)? {_SPOKEN_NUMBER})?)"

_BEFORE_YEAR = r"\s?[,.]?\s?(?:of\s|de\s|del\s)?"
_DAY_MONTH = (
    rf"(?:\bthe\s)?{_NAMED_DAY}(?<![\w.,/])(?:\d{{1,2}}(?:st|nd|rd|th|\.(?=[-–]))?(?:\s?[/–—&-]\s?|\s(?:and"
    rf"|to)\s)(?=\d{{1,2}}(?:st|nd|rd|th|\.(?=[-–]))?\s))?(?:\d{{1,2}}|[lI]\d|\dO)(?:st|nd|rd|th|er|º|°|\.|ú|af|il"
    rf"|ydd|fed|eg|ain)?[\s/-]{{0,2}}(?:of\s|"
    rf"de\s|di\s)?"
    rf"{_MONTH}(?:(?!, \d\d\b)(?:{_BEFORE_YEAR}|[-/\s]){_YEAR})?"
)
_MONTH_DAY = (
    rf"{_NAMED_DAY}\b{_MONTH}[\s-]{{0,2}}(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)?(?![\d:%]|[./]\d|\s?(?:mg|kg|ml|%))"
    rf"(?:,?[\s-]{{1,2}}(?:(?:19|20)\d\d|['’]\d\d)|[–-]\d{{1,2}}(?:st|nd|rd|th)?)?(?!\w)"
)
_MONTH_DAY_YEAR = rf"\b{_MONTH}\s\d{{1,2}}/\d\d(?![\w/])"
_ORDINAL_DAY = rf"\b{_WEEKDAY}\s(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)\b"
_JOINED = rf"(?<![\w.,/])\d{{1,2}}(?:{_SHORT_MONTHS})(?:\d\d)?\d\d(?!\w)"
_OF_THIS_MONTH = (
    r"(?:\bthe )?\b\d{1,2}(?:st|nd|rd|th) (?:inst|ult|prox)\b\.?"
    r"|(?:(?<=\bon )|(?<=\bby )|(?<=\buntil )|(?<=\bsince )|(?<=\bbefore ))the \d{1,2}(?:st|nd|rd|th)(?=[.,;?!)\n]|$)"
)
_MONTH_YEAR = rf"\b{_MONTH}[\s,'’/-]{{0,2}}(?:of\s|de\s)?(?:(?:19|20)\d\d|['’]\d\d)\b"
_MONTH_BRACKET = rf"\b{_MONTH}\s\(\d{{1,2}}(?:st|nd|rd|th)?\)"
# Days that have a name, each year at the same date or within some weeks.
_FEAST = (
    r"\b(?:Christmas (?:Day|Eve)|Boxing Day|New Year['’]?s? (?:Day|Eve)|(?:St\.?|Saint) (?:Stephen|Patrick|Andrew|"
    r"David|George|Valentine|Nicholas)['’]?s Day|Anzac Day|Australia Day|Canada Day|Remembrance Day"
    r"|Thanksgiving(?: Day)?"
    r"|Independence Day|Labou?r Day|Memorial Day|Hogmanay|Good Friday|Easter (?:Sunday|Monday)|Diwali|"
    r"Pancake Day|Bonfire Night|Guy Fawkes Night|Republic Day|Mother['’]?s Day|Father['’]?s Day|Ash Wednesday|"
    r"May Day|Heiligabend|Silvester|Eid(?: al-\w+)?)\b"
)
_SPOKEN = (
    rf"\b(?:the\s)?{_SPOKEN_DAY}\s(?:of\s)?{_MONTH}(?:,?\s(?:{_YEAR}|{_SPOKEN_YEAR}))?"
    rf"|\b{_MONTH}[ ](?:the\s)?{_SPOKEN_DAY}(?:,?\s(?:{_YEAR}|{_SPOKEN_YEAR}))?"
)
_IN_WORDS = re.compile(
    rf"(?:{_DAY_MONTH}|{_MONTH_DAY_YEAR}|{_MONTH_DAY}|{_ORDINAL_DAY}|{_MONTH_YEAR}|{_SPOKEN}|{_JOINED}"
    rf"|{_MONTH_BRACKET}|{_FEAST}|{_OF_THIS_MONTH})(?!\w)",
    re.IGNORECASE,
)

# Where a month, a weekday, a feast or the number of a day stands: the long pattern is tried there alone.
_CUE = re.compile(
    rf"(?<![^\W\d_])(?:{_FULL_MONTHS}|{_SHORT_MONTHS}|{_WEEKDAY}|\d{{1,2}}(?:st|nd|rd|th))(?![^\W\d_])|{_FEAST}",
    re.IGNORECASE,
)
_BEFORE_CUE, _AFTER_CUE = 48, 64  # characters that a date reaches from there

# A month alone is a date after a word that asks for one: "may" and "march" are words, and the first is in every note.
_MONTH_ALONE = re.compile(
    rf"\b(?i:in|since|until|till?|from|by|last|next|this|early|mid|late|during|review|due|appt|seen|rev"
    rf"|rv)[\s:-]{{1,2}}"
    rf"((?:mid-|early |late )?(?:{_FULL_MONTHS}|{_SHORT_MONTHS}))\b(?!\s[a-z]+ed\b)"
)
_MID_MONTH = re.compile(rf"\b((?i:mid|early|late)-(?:{_FULL_MONTHS}))\b")

_SLASHED = re.compile(
    rf"{_NAMED_DAY}(?<![\w./-]){_DAY}\s?([./-])\s?{_DAY}\s?\1\s?['’]?(?:{DIGIT}{{4}}|{DIGIT}{{2}})(?![\w/]|[-.]\d"
    rf"|\s(?:m[lg]|mcg|k?g|units?)\b)",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(
    r"(?<![\w./-])(?:19|20)\d\d([./-])(?:0?[1-9]|1[0-2])(?:\1(?:0?[1-9]|[12]\d|3[01]))?(?!(?!T\d\d:)[\w/])"
)
_COMPACT = re.compile(r"(?<![\w./-])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\w|[./-]\d)")
_MONTH_SLASH_YEAR = re.compile(r"(?<![\w./-])(?:0?[1-9]|1[0-2])[/.-](?:19|20)\d\d(?![\w/])")
_ROMAN = re.compile(
    rf"(?<![\w./-]){_DAY}([./ -])(?:i{{1,3}}|iv|vi{{0,3}}|ix|xi{{0,2}})\1(?:(?:19|20)\d\d|\d\d)\b", re.IGNORECASE
)
_CHINESE = re.compile(r"(?:\d{4}\s?[年년]\s?)?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일]")
_GERMAN_PART = re.compile(
    r"(?<![\w./-])(?<!\d[ ])(?:(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.|(?:(?<=am )|(?<=vom )|(?<=v\. )"
    r"|(?<=bis )|(?<=seit )|"
    r"(?<=zum )|(?<=ab ))"
    r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.)(?!\d|\.\d)"
)
# In an English sentence, which goes on after it: "changed on 10.1. from 20 mg", not "the pH was on 7.1. He".
_GERMAN_PART_IN_ENGLISH = re.compile(
    r"\b(?:on|since|until|till|started) ((?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.)(?=,|\s[a-z])"
)

# Day and month alone look like a score or a span ("6/9", "3/52"): they need a word that asks for a date, or a weekday.
_ASKS_FOR_DATE = (
    r"(?:on|since|from|eval(?:uation|uated)?|assessed|today|tomorrow|yesterday|tonight|wef|until|till?|to|by|before"
    r"|after|due|next|seen|appt|appointment|admitted|admission|discharged?|"
    r"dated?"
    r"|review(?:ed)?|rv|f/?u|follow[- ]?up|theatre|surgery|clinic|visit|born|DOB|DNA(?:'d)?|given|booked|"
    r"stop(?:ped)?|start(?:ed)?"
    r"|intubated|extubated|home|result|phoned|out|updated|HV|RTC|expires?|d/c|sutures|apixaban|warfarin|op|day"
    r"|DOA|DOD|DOI|DOS|LMP|EDD|obs|labs|bloods|scan|CXR|sited|op date|tmrw?|tmro|adm|handover|applied|inserted"
    r"|removed|placed|fitted|changed|repeated|transfused|commenced|ceased|missed"
    r"(?: tx| appt| dose| session)?|return(?:s|ed)?|TKR|THR|TURP|CABG|PCI|LSCS|ORIF|DHS|hemi|CVA|NSTEMI|STEMI|EMLSCS)"
)
_PART = re.compile(
    rf"(?:\b(?i:{_ASKS_FOR_DATE})[\s:,.(]{{1,3}}(?:(?:the|am|w/c|~|\?)\s?)?|[(\[]|(?=\b{_WEEKDAY}))"
    rf"((?:(?i:{_WEEKDAY})[\s,.]{{1,2}})?(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01]))"
    r"(?![\w/%]|[.-]\d|\s?(?:mg|tab|weeks?|days?|months?|hours?))",
    re.IGNORECASE,
)
# "Visit 15.08 14:00", "Echo 21.10: EF 55": a time or a colon follows.
_DOTTED_PART = re.compile(
    rf"\b(?:{_ASKS_FOR_DATE}|echo|CT|MRI|CXR|USS?|X-?ray|OGD|WR|DOA|DOD)\s"
    r"((?:0?[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2]))(?=\s\d{1,2}[:.h]\d\d\b|:(?!\d)|\.\s[A-Z])",
    re.IGNORECASE,
)
# Before a time of day it is a date, and after what was done: "12/11 at 03:10", "attended 9/3".
_BEFORE_TIME = re.compile(
    r"(?<![\w.,/+-])(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])(?=,? (?:at |@ ?)?(?:[01]?\d"
    r"|2[0-3])[:.h][0-5]\d\b)"
    r"|(?<=w/e )\d{1,2}/\d{1,2}\b(?!/)"
    # at the beginning of a line, before what was done: "23/1 WR"
    r"|(?m:^)(?:[12]\d|3[01]|[1-9])/(?:[1-9]|1[0-2])(?=:? (?!R\b|L\b|O[DSU]\b|[RL]E\b)[A-Z])"
)
_AFTER_VERB = re.compile(
    r"\b(?!scored|rated|reduced|increased|improved|dropped|added|hundred|need|bed\b|red\b|med\b|fed\b|ed\b|aged"
    r"|limited|measured|repeated )"
    r"[A-Za-z]{2,}(?:ed|ken|ven|tten|een) (\d{1,2}/\d{1,2})"
    r"(?![\w/%]|[.,-]\d|\s?(?:mg|mmHg|tab|ago|times?|items?|joints?))",
    re.IGNORECASE,
)
# No score and no span of time begins with a nought: "04/11".
_WITH_NOUGHT = re.compile(
    r"(?<![\w.,/+-])(?<![\s(]\d[ ])(?:0[1-9]/(?:0[1-9]|[12]\d|3[01])|(?:[12]\d|3[01])/0[1-9])"
    r"(?![\w/%]|[.,-]\d|\s?(?:mg|mmHg))"
)
# What of a score or a span of time has no form: the greater number first, and no week, year or day below it.
_GREATER_FIRST = re.compile(
    r"(?<![\w.,/+-])(?<!\d[ ])(?:(?:1\d|2\d|3[01])/(?:[1-689]|1[01])|[1-9]/11)(?![\w/%]|[.,-]\d|\s?(?:mg|mmHg|tab))"
    # months and days that nobody counts so: "19/12", "16/7"
    r"|(?<![\w.,/+-])(?<!\d[ ])(?:19|2[0-35-9]|3[01])/12(?![\w/%]|[.,-]\d|\s?(?:mg|mmHg|tab|months))"
    r"|(?<![\w.,/+-])(?<!\d[ ])(?:1[5-9]|2[02-79]|3[01])/7(?![\w/%]|[.,-]\d|\s?(?:mg|mmHg|tab|days))"
    # the month first, over a number that no score is out of: "11/14", "9/28"
    r"|(?<![\w.,/+-])(?<!\d[ ])(?!6/18)(?:[1-9]|1[0-2])/(?:1[346-9]|2[23689]|31)(?![\w/%]|[.,-]\d|\s?(?:mg|mmHg|tab"
    r"|days|patients))"
)
_NO_DAY_BEFORE = re.compile(
    r"\b(?:BP|TA|PA|RR|VA|IOP|NIBP|ratio|tension|T|PS|PC|PEEP|BiPAP|IPAP|VA|RE|LE|R|L|OD|OS|ACE(?:-III)?|M-?ACE|MMSE"
    r"|MoCA|AMTS?|attention|memory|fluency|"
    r"language|visuo\w*|orientation|recall|scor(?:e[ds]?|ing)|PHQ(?:-9)?|GAD(?:-7)?|SPPB|EPDS|Berg|FIM|GCS|Apgars?|"
    r"pain|NRS|teeth|joints?|items?|criteria)[\s:=(]{0,3}(?:was |of |is )?$",
    re.IGNORECASE,
)
_NO_DATE = re.compile(r"(?:section|§|chapter|version|step|table|fig(?:ure)?|item|paragraph)[. ]{0,2}$", re.IGNORECASE)
_SPAN_OF_TIME = re.compile(
    r"\d/(?:24|7)$|^(?:review|rv|f/?u|follow[- ]?up)\W.*/12$", re.IGNORECASE
)  # "3/7" is three days
_SPANS_OF_TIME = ("/7", "/10", "/12", "/24")  # after a verb these are days, a score, months or hours
_CERTAIN = re.compile(r"(?:\b(?:on|since|due|from|seen|TKR|THR|TURP|CABG|PCI|LSCS|ORIF|DHS)|day)\s", re.IGNORECASE)


def find_dates(text: str) -> Iterator[Span]:
    """Yield what looks like a date."""
    whole = (_SLASHED, _YEAR_FIRST, _COMPACT, _MONTH_SLASH_YEAR, _ROMAN, _CHINESE, _GERMAN_PART)
    for match in (*_in_words(text), *(match for pattern in whole for match in pattern.finditer(text))):
        if not _NO_DATE.search(text, max(0, match.start() - 12), match.start()):
            yield Span(match.start(), match.end(), Kind.DATE, sure=True)
    for pattern in (_MONTH_ALONE, _MID_MONTH, _GERMAN_PART_IN_ENGLISH, _DOTTED_PART):
        for match in pattern.finditer(text):
            yield Span(match.start(1), match.end(1), Kind.DATE)
    for pattern in (_WITH_NOUGHT, _GREATER_FIRST, _BEFORE_TIME):
        for match in pattern.finditer(text):
            if not _NO_DAY_BEFORE.search(text, max(0, match.start() - 12), match.start()):
                yield Span(match.start(), match.end(), Kind.DATE)
    for match in _AFTER_VERB.finditer(text):
        if _is_day_and_month(match[1]) and not match[1].endswith(_SPANS_OF_TIME):
            yield Span(match.start(1), match.end(1), Kind.DATE)
    for match in _PART.finditer(text):
        if (not _SPAN_OF_TIME.search(match[0]) or _CERTAIN.match(match[0])) and _is_day_and_month(match[1]):
            yield Span(match.start(1), match.end(1), Kind.DATE, sure=True)


def _is_day_and_month(part: str) -> bool:
    first, second = (int(number) for number in re.findall(r"\d+", part))
    return 0 < min(first, second) <= 12 and max(first, second) <= 31


def _in_words(text: str) -> Iterator[re.Match[str]]:
    """Yield dates with a word in them."""
    begin = end = 0
    for cue in _CUE.finditer(text):
        if cue.start() - _BEFORE_CUE > end:
            yield from _IN_WORDS.finditer(text, begin, end)
            begin = cue.start() - _BEFORE_CUE
        begin, end = max(0, begin), cue.end() + _AFTER_CUE
    yield from _IN_WORDS.finditer(text, begin, end)
