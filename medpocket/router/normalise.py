"""Text to words: small letters, one spelling, ages as words of their own, marks where a clause or sentence ends."""

import re
import unicodedata
from functools import lru_cache

SENTENCE_END = "."
CLAUSE_END = ","
AGES = {
    "agebaby": "a baby's age",
    "agechild": "a child's age",
    "ageteen": "a teenager's age",
    "ageadult": "an adult's age",
    "ageold": "an old age",
}


def word_set(words: str) -> frozenset[str]:
    """The words of `words`, parted by spaces."""
    return frozenset(words.split())


# They stand between the words of a term and say nothing about the specialty: "pain in my knee" is "pain in knee".
DETERMINERS = word_set("the a an my his her your our their its this that these those")

_AGE = re.compile(
    r"\b(\d{1,3})[\s-]*(years?|yrs?|y|months?|mos?|weeks?|wks?|days?|hours?)[\s-]*"
    r"(?:/?o(?:ld)?\b|of age\b|(?=(?:(?:fe)?male |premature |preterm )?"
    r"(?:child|boy|girl|infant|baby|neonate|newborn|kid|toddler|man|woman|lady|male|female)\b))(?:[\s-]*([mf])\b)?"
)
_AGE_AND_SEX = re.compile(r"\b(\d{1,3})\s?([mf])\b(?!/)|\bage[d:]?\s+(\d{1,3})\b")
_MONTHS = {"y": 12.0, "m": 1.0, "w": 0.23, "d": 0.033, "h": 0.0}
# Prefixes that some write with a hyphen and others without.
_PREFIX = re.compile(
    r"\b(anti|bi|co|counter|extra|hyper|hypo|in|inter|intra|micro|macro|mid|multi|neo|non|over|para|peri|poly|post|pre"
    r"|pseudo|re|semi|sub|super|supra|trans|ultra|un|under)-(?=[a-z])"
)
# A line that goes on in the next one; any other line end ends a sentence.
_WRAPPED = re.compile(r"(?<=[\w,-])[ \t]*\n[ \t]*(?=[a-z])")
_NOT = re.compile(r"\b(ca|wo|do|does|did|is|are|was|were|have|has|had|could|would|should)n'?t\b")
_WORD = re.compile(r"[a-z](?:/[a-z])+(?![a-z])|[a-z]+[a-z0-9]*|\d+(?:[.,/:]\d+)*[a-z]*|[.!?;\n]+|[,:()]")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2013": "-", "\u2014": ",", "\u00a0": " "})

_BRITISH = (
    (re.compile(r"ae(?=[mdscvot].)"), "e"),
    (re.compile(r"oe(?=dem|soph|str|t(?!$)|li|a|b|u)"), "e"),
    (re.compile(r"^(tum|col|behavi|hum|lab|od|fav|flav|neighb|rum|vap|hon|vig|harb)our"), r"\1or"),
    (re.compile(r"(?<=[a-z]{3}[lrdcnt])is(ation|ing|ed|e|es)$"), r"iz\1"),
    (re.compile(r"lys(e|ed|es|ing)$"), r"lyz\1"),
    (re.compile(r"^(cent|fib|lit|met|tit|calib|goit)re"), r"\1er"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"^leuco"), "leuko"),
    (re.compile(r"ll(?=ed$|ing$|er$)"), "l"),
)


def tokens_of(text: str) -> list[str]:
    """Return the words of `text` in their usual form, and the marks at which a sentence or a clause ends.

    Determiners are left out. A number keeps only what it measures: "20mg" becomes "mg".
    """
    if "\n" in text:
        text = _WRAPPED.sub(" ", text)
    text = text.lower().translate(_APOSTROPHES)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _AGE.sub(_age_in_units, text)
    text = _AGE_AND_SEX.sub(_age_in_years, text)
    text = _NOT.sub(lambda match: f"{_AUXILIARY.get(match[1], match[1])} not", text)
    if "-" in text:
        text = _PREFIX.sub(r"\1", text)
    return [token for word in _WORD.findall(text.replace("'s", "")) if (token := usual_form(word))]


_AUXILIARY = {"ca": "can", "wo": "will"}


@lru_cache(maxsize=65536)
def usual_form(word: str) -> str:
    """Return the American singular of a word, a mark for punctuation, and nothing for what carries no meaning."""
    first = word[0]
    if first in ".!?;\n":
        return SENTENCE_END
    if first in ",:()":
        return CLAUSE_END
    if first.isdigit():
        return word.lstrip("0123456789.,/:")
    if word in DETERMINERS:
        return ""
    if "/" in word:
        return word
    if len(word) > 4:
        for pattern, put in _BRITISH:
            word = pattern.sub(put, word)
    return _singular(word)


def _singular(word: str) -> str:
    if len(word) < 4 or word[-1] != "s" or word[-2] in "sui" or word == "does":
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def _age_in_units(match: "re.Match[str]") -> str:
    return _age(float(match[1]) * _MONTHS[match[2][0]], match[3])


def _age_in_years(match: "re.Match[str]") -> str:
    return _age(float(match[1] or match[3]) * 12, match[2])


def _age(months: float, sex: str | None) -> str:
    bounds = ((24, "agebaby"), (156, "agechild"), (216, "ageteen"), (780, "ageadult"))
    word = next((word for bound, word in bounds if months < bound), "ageold")
    return f" {word} {({'m': 'male', 'f': 'female'}).get(sex or '', '')} "
