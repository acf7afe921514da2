"""Names of persons: beside a title, a label, a role, a relation or an age, and every other mention of a name so found.

Beside a title any capitalised word is a name; elsewhere it is one where no list of words has it.
"""

import re
from collections.abc import Iterable, Iterator

from medpocket.store.deidentify.name_reading import (
    CAPITALIZED,
    TITLE,
    WORD,
    is_abbreviation,
    is_amount,
    is_no_name,
    is_unknown,
    read_name,
    skip_gap,
)
from medpocket.store.deidentify.name_words import (
    AFTER_NAME,
    AFTER_ONE_WORD,
    AFTER_SINGLE_NAME,
    COMMON,
    CREDENTIALS,
    LABELS,
    NO_NAMES,
    NO_ROLES,
    ORGANISATIONS,
    RELATIONS,
    ROLES,
    SIGN_OFFS,
    SMALL_TITLES,
    TITLES,
)
from medpocket.store.deidentify.spans import CAPITALS, SMALL, Kind, Span
from medpocket.store.deidentify.vocabulary import is_word

_SMALL_WORD = re.compile(rf"(?:o['’])?[{SMALL}]+(?:-[{SMALL}]+)*")
_TITLE_OR_WORD = ("Major", "Pan", "Bay", "Don")  # "Major Risk Factors"
_INITIAL_OR_TITLE = ("M.", "D.")  # after a title they are initials
_SMALL_TITLE = re.compile(rf"(?<!\w)(?:{SMALL_TITLES})(?!\w)\.?[ ]?")
_LABEL = re.compile(rf"(?<![^\W_])(?i:{LABELS})(?:\s\d)?\s?[:=]\s{{0,4}}(?:-\s)?")
_BARE_LABEL = re.compile(
    rf"(?<!\w)(?:(?i:(?:{RELATIONS})(?:-in-law)?)|Re|BABY OF|Baby of)(?:,|\s-|\s\(\w+\)|\))?[ ](?=[{CAPITALS}])"
)
_ROLE = re.compile(
    rf"(?<![\w.])(?:(?i:{ROLES})|(?P<short>[A-Z][A-Z&/]{{1,4}}\d?))(?:\s?[:=]\s{{0,3}}|[ ])(?=[{CAPITALS}])"
)
_CREDENTIAL_AFTER = re.compile(
    rf",?[ ](?:{CREDENTIALS})\b|\s\((?:pt|patient|client|resident)\)"
    rf"|\s?\((?:{TITLES}|{CREDENTIALS})\.?\)|,\s(?:{TITLES})\b|-(?:san|sama|sensei|ssi|nim)\b"
)
_CREDENTIAL_AT_END = re.compile(rf"(?<=\w)\s(?:{CREDENTIALS})$")
_SINGLE_AFTER = re.compile(AFTER_SINGLE_NAME)
_AGE_AFTER = re.compile(AFTER_NAME)
_SEX_AFTER = re.compile(AFTER_ONE_WORD)
_SHORT_ROLE = re.compile(rf"[A-Z]{{2,4}} (?=[{CAPITALS}][{SMALL}])")  # "seen by HA Bettencourt"
_SIGN_OFF = re.compile(rf"\b(?:{SIGN_OFFS}),?\s{{1,4}}(?=[{CAPITALS}])")
_MONTH_AS_NAME = re.compile(r"(?:May|March|April|June|August)\b")
# "TRAN, Minh Duc  M  DOB": and after the first names the end of a field, a figure or a sex.
_SURNAME_FIRST = re.compile(
    rf"(?<![\w.])(?P<surname>[{CAPITALS}][\w'’-]+(?:[ '’-][{CAPITALS}]{{2,40}}){{0,3}})(?:,[ ]"
    rf"|\^)(?P<first>[{CAPITALS}][{SMALL}]{{2,}})(?:[ ][{CAPITALS}][{SMALL}]+){{0,2}}"
    r"(?=\s{2,}|\s?[/|;)]|\n|$|,?\s\(?(?:DOB|dob|D\.O\.B|d\.o\.b|MRN|NHS|[MF]\b|\d\d\b))"
)
_FIGURE = re.compile(r"\d")
_POSSESSIVE = re.compile(r"['’]s$")


def find_names(text: str) -> Iterator[Span]:
    """Yield names that their surroundings announce."""
    for title in TITLE.finditer(text):
        at = skip_gap(text, title.end())
        if title[0] in _TITLE_OR_WORD and not _is_unknown_at(text, at):
            continue
        yield from _name_at(text, at, comma=title[0].endswith(":"), titled=True)
    for title in _SMALL_TITLE.finditer(text):
        yield from _small_name_at(text, title.end())
    for label in _LABEL.finditer(text):
        yield from _name_at(text, label.end(), comma=True)
    for label in _BARE_LABEL.finditer(text):
        yield from _name_at(text, label.end(), comma=True, sure=False)
    for ending in _SIGN_OFF.finditer(text):
        yield from _name_at(text, ending.end(), sure=False)
    for role in _ROLE.finditer(text):
        if not NO_ROLES.fullmatch(role[0].rstrip(" :=")):
            yield from _unknown_at(text, role.end(), fewest=2 if role["short"] and is_word(role["short"]) else 1)
    for surname in _SURNAME_FIRST.finditer(text):
        if (
            surname["surname"].isupper() and len(surname["surname"]) > 4 and not _FIGURE.search(surname["surname"])
        ) or (is_unknown(surname["surname"]) and is_unknown(surname["first"])):
            yield from _name_at(text, surname.start(), comma=True, sure=False)
    yield from _names_before(text)


def find_mentions(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Yield where a part of one of `names` stands again, with a capital.

    A part that the text also has in small letters is a word ("May", "Young"): only as a name it is replaced.
    """
    parts = {part for name in names for part in name_parts(name)}
    if not parts:
        return
    words = set(re.findall(rf"(?<![\w'’])[{SMALL}][\w'’-]*", text))
    for match in re.finditer(rf"(?<!\w)[{CAPITALS}][\w'’-]*", text):
        word = _POSSESSIVE.sub("", match[0])
        pieces = [word, *word.split("-")] if "-" in word else [word]
        if any(piece.casefold() in parts and piece.lower() not in words for piece in pieces):
            yield Span(match.start(), match.start() + len(word), Kind.NAME)


def name_parts(name: str) -> list[str]:
    """The parts of a name that can stand for it, without initials and particles, folded."""
    parts = re.findall(r"[^\W\d_][\w'’-]*", name)
    return [part.casefold() for part in parts if len(part) > 1 and not part.islower() and part not in NO_NAMES]


def _name_at(text: str, start: int, *, comma: bool = False, sure: bool = True, titled: bool = False) -> Iterator[Span]:
    """Yield the name that begins at `start`, if one does.

    `comma` allows "SURNAME, First". Where it is not `sure` that a name follows, one of short capitals is none.
    """
    if (title := TITLE.match(text, start)) and not (titled and title[0] in _INITIAL_OR_TITLE):
        start = skip_gap(text, title.end())
    if not titled and (short := _SHORT_ROLE.match(text, start)):
        start = short.end()
    end, words = read_name(text, start, comma=comma)
    if not sure and "," not in text[start:end] and ORGANISATIONS.match(text, end):
        return  # "a disorder called Coats disease"
    if titled and not words and not text[:start].endswith("Rev ") and (month := _MONTH_AS_NAME.match(text, start)):
        end, words = month.end(), [month[0]]
    if not words or (not sure and len(words) == 1 and (len(words[0]) < 3 or is_abbreviation(words[0]))):
        return
    yield Span(start, end, Kind.NAME)


def _is_unknown_at(text: str, at: int) -> bool:
    word = WORD.match(text, at)
    return word is not None and is_unknown(word[0])


def _unknown_at(text: str, start: int, *, fewest: int) -> Iterator[Span]:
    """Yield the name that begins at `start` if its words, `fewest` of them at least, are in no list of words."""
    if (title := TITLE.match(text, start)) and title[0] not in _INITIAL_OR_TITLE:
        start = skip_gap(text, title.end())
    end, words = read_name(text, start)
    if (
        len(words) >= fewest
        and is_unknown(words[0])
        and all(map(is_unknown, words[:fewest]))
        and not is_amount(text, end)
    ):
        yield Span(start, end, Kind.NAME)


def _small_name_at(text: str, start: int) -> Iterator[Span]:
    """Yield the name in small letters that begins at `start`."""
    first = _SMALL_WORD.match(text, start)
    if not first or first[0] in COMMON or len(first[0]) < 2:
        return
    end = first.end()
    second = _SMALL_WORD.match(text, end + 1) if text[end : end + 1] == " " else None
    if second and len(second[0]) > 2 and second[0] not in COMMON and not second[0].endswith(("ed", "ing", "ly")):
        end = second.end()
    yield Span(start, end, Kind.NAME)


def _names_before(text: str) -> Iterator[Span]:
    """Yield names that what follows announces: a credential, a title, an age, a date of birth."""
    for match in CAPITALIZED.finditer(text):
        end = match.end()
        if credential := _CREDENTIAL_AT_END.search(match[0]):
            end = match.start() + credential.start()
        sure = (credential and (" " in text[match.start() : end] or is_unknown(text[match.start() : end]))) or any(
            after.match(text, match.end()) for after in (_CREDENTIAL_AFTER, _SINGLE_AFTER, _SEX_AFTER)
        )
        if not sure and not _AGE_AFTER.match(text, match.end()):
            continue
        start = match.start()
        for word in WORD.finditer(text, match.start(), end):
            is_role = (
                word.start() == start and is_word(word[0]) and _ROLE.match(f"{word[0]} X") and len(match[0].split()) > 1
            )
            if not (is_no_name(word[0]) or TITLE.fullmatch(word[0]) or is_role):
                continue
            if start < word.start() and is_abbreviation(word[0]):
                end = len(text[: word.start()].rstrip())
                break
            start = skip_gap(text, word.end())
        words = WORD.findall(text, start, end)
        is_code = bool(words) and words[0].isupper() and _FIGURE.search(words[0]) is not None
        if words and not is_code and not is_abbreviation(words[-1]) and (sure or len(words) > 1):
            yield Span(start, end, Kind.NAME)
