"""Names of persons: beside a title, a label, a relation or an age, and every other mention of a name so found."""

import re
from collections.abc import Iterable, Iterator

from medpocket.store.deidentify.name_words import (
    AFTER_NAME,
    AFTER_ONE_WORD,
    AFTER_SINGLE_NAME,
    COMMON,
    CREDENTIALS,
    LABELS,
    NO_NAMES,
    OFFICES,
    PARTICLES,
    RELATIONS,
    SIGN_OFFS,
    SMALL_TITLES,
    TITLES,
)
from medpocket.store.deidentify.spans import CAPITALS, SMALL, Kind, Span

_MOST_WORDS = 6
_GAP = re.compile(r"[ \t\u00a0]{1,2}")
_GAP_IN_NAME = re.compile(r"[ \t\u00a0]")  # two blanks part the fields of a form
_INITIALS = re.compile(rf"(?:[{CAPITALS}]\.\s?-?){{1,3}}(?=\s?-?[{CAPITALS}{SMALL}])|[{CAPITALS}](?![\w'’])")
_WORD = re.compile(rf"[{CAPITALS}](?:[\w'’-]*\w)?")
_PARTICLE = re.compile(
    rf"(?:{PARTICLES})(?=[\s-])[\s-]?|St\.[ ](?=[{CAPITALS}][{SMALL}])|(?:al|el|d|O|N)['’-](?=[{CAPITALS}])"
)
_NICKNAME = re.compile(rf"(?!\((?:{TITLES})\.?\))[(\"“'‘]{{1,2}}[{CAPITALS}][\w-]*[)\"”'’]{{1,2}}")
_TRAILING_INITIAL = re.compile(rf"[ ][{CAPITALS}]\.(?=\s|$)|[ ][{CAPITALS}](?=\s{{2}}|$|\n)")
_COMMA = re.compile(r",\s?|;(?=\S)")
_SUFFIX = re.compile(r",?\s(?:Jr|Sr(?!\.?\s[A-Z])|II|III|IV)\b\.?")
_SMALL_WORD = re.compile(rf"(?:o['’])?[{SMALL}]+(?:-[{SMALL}]+)*")

_ONE_TITLE = rf"(?:(?:{TITLES})(?!\w)[.:]?(?:\s\(ret(?:d|ired|\.)?\)|\s\((?:{TITLES})\.?\))?|(?:{OFFICES})(?!\w):?)"
_MORE_TITLES = (
    rf"(?:(?:[ ,&+]|and|und|et|y){{0,3}}(?![MD]\.)(?:{TITLES}|{OFFICES}|Kollege|Kollegin|Dame|med\.|rer\.|nat\.|"
    rf"h\.c\.)(?!\w)\.?)*"
)
_TITLE = re.compile(rf"(?<![\w.]){_ONE_TITLE}{_MORE_TITLES}")
_INITIAL_OR_TITLE = ("M.", "D.")  # after a title they are initials
_SMALL_TITLE = re.compile(rf"(?<!\w)(?:{SMALL_TITLES})(?!\w)\.?[ ]?")
_LABEL = re.compile(rf"(?<!\w)(?i:{LABELS})(?:\s\d)?\s?[:=]\s{{0,4}}(?:-\s)?")
_BARE_LABEL = re.compile(rf"(?<!\w)(?:(?i:{RELATIONS})|Re|BABY OF|Baby of)(?:,|\s-|\s\(\w+\))?[ ](?=[{CAPITALS}])")
_CAPITALIZED = re.compile(
    rf"(?<![\w.])(?:[{CAPITALS}]\.[ ]?){{0,3}}[{CAPITALS}](?:[\w'’-]*\w)?(?:[ ](?:(?:{PARTICLES})[ ]|"
    rf"[{CAPITALS}]\.[ ]?)*[{CAPITALS}](?:[\w'’-]*\w)?){{0,6}}"
)
_CREDENTIAL_AFTER = re.compile(
    rf",?[ ](?:{CREDENTIALS})\b|\s\((?:pt|patient|client|resident)\)"
    rf"|\s?\((?:{TITLES}|{CREDENTIALS})\.?\)|,\s(?:{TITLES})\b|-(?:san|sama|sensei|ssi|nim)\b"
)
_CREDENTIAL_AT_END = re.compile(rf"(?<=\w)\s(?:{CREDENTIALS})$")
_SINGLE_AFTER = re.compile(AFTER_SINGLE_NAME)
_AGE_AFTER = re.compile(AFTER_NAME)
_SEX_AFTER = re.compile(AFTER_ONE_WORD)
_SIGN_OFF = re.compile(rf"\b(?:{SIGN_OFFS}),?\s{{1,4}}(?=[{CAPITALS}])")
_MONTH_AS_NAME = re.compile(r"(?:May|March|April|June|August)\b")
# "TRAN, Minh Duc  M  DOB": a surname in capitals, and after the first names the end of a field, or a figure.
_SURNAME_FIRST = re.compile(
    rf"(?<![\w.])[{CAPITALS}]{{2,}}(?:[ '’-][{CAPITALS}]{{2,}})*,[ ]"
    rf"[{CAPITALS}][{SMALL}]{{2,}}(?:[ ][{CAPITALS}][{SMALL}]+){{0,2}}"
    r"(?=\s{2,}|\s?/|,?\s\(?(?:DOB|dob|MRN|NHS|[MF]\b|\d\d))"
)
_SURNAME_BEFORE_BIRTH = re.compile(
    rf"(?<![\w.])[{CAPITALS}][\w'’-]+, [{CAPITALS}][{SMALL}]{{2,}}(?=,?\s\(?(?:DOB|dob|D\.O\.B|d\.o\.b|MRN|NHS)\b)"
    rf"|^[{CAPITALS}][\w'’-]+, [{CAPITALS}][{SMALL}]{{2,}}(?= \d{{2,3}} [^\n]*\b[A-Z]{{0,3}}\d{{5,}}\b)",
    re.MULTILINE,
)
_PROFESSION = re.compile(r"\w+(?:ologist|iatrist|ician|therapist|surgeon)s?", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['’]s$")


def find_names(text: str) -> Iterator[Span]:
    """Yield names that their surroundings announce."""
    for title in _TITLE.finditer(text):
        yield from _name_at(text, _skip_gap(text, title.end()), comma=title[0].endswith(":"), titled=True)
    for title in _SMALL_TITLE.finditer(text):
        yield from _small_name_at(text, title.end())
    for label in _LABEL.finditer(text):
        yield from _name_at(text, label.end(), comma=True)
    for label in _BARE_LABEL.finditer(text):
        yield from _name_at(text, label.end(), comma=True, sure=False)
    for ending in _SIGN_OFF.finditer(text):
        yield from _name_at(text, ending.end(), sure=False)
    for pattern in (_SURNAME_FIRST, _SURNAME_BEFORE_BIRTH):
        for surname in pattern.finditer(text):
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


def _skip_gap(text: str, start: int) -> int:
    gap = _GAP.match(text, start)
    return gap.end() if gap else start


def _name_at(text: str, start: int, *, comma: bool = False, sure: bool = True, titled: bool = False) -> Iterator[Span]:
    """Yield the name that begins at `start`, if one does.

    `comma` allows "SURNAME, First". Where it is not `sure` that a name follows, one of short capitals is none.
    """
    if (title := _TITLE.match(text, start)) and not (titled and title[0] in _INITIAL_OR_TITLE):
        start = _skip_gap(text, title.end())
    end, words = _read_name(text, start, comma=comma)
    if titled and not words and (month := _MONTH_AS_NAME.match(text, start)):
        end, words = month.end(), [month[0]]
    if not words or (not sure and len(words) == 1 and (len(words[0]) < 3 or _is_abbreviation(words[0]))):
        return
    yield Span(start, end, Kind.NAME)


def _is_abbreviation(word: str) -> bool:
    return word.isupper() and len(word) <= 4


def _read_name(  # noqa: PLR0912 - one loop over the words of a name
    text: str, start: int, *, comma: bool = False
) -> tuple[int, list[str]]:
    """Return where the name that begins at `start` ends, and its words without initials and particles."""
    words: list[str] = []
    position = end = start
    for _ in range(_MOST_WORDS + 4):
        if particle := _PARTICLE.match(text, position):
            position = particle.end()
            continue
        if word := _WORD.match(text, position):
            initial = _INITIALS.match(text, position)
            if initial and initial.end() >= word.end():
                position = initial.end()
                if words and (words[-1].isupper() or text[position - 1] == "."):
                    end = position
                position = _skip_gap(text, position)
                continue
            if not _is_name_word(word[0], words) or len(words) == _MOST_WORDS:
                break
            words.append(word[0])
            end = word.end()
            if suffix := _SUFFIX.match(text, end):
                end = suffix.end()
            if comma and len(words) == 1 and (after := _COMMA.match(text, end)):
                first = _WORD.match(text, after.end())
                if first and _is_name_word(first[0], words) and not _TITLE.match(text, after.end()):
                    position, comma = after.end(), False
                    continue
        elif words and (nickname := _NICKNAME.match(text, position)):
            end = nickname.end()
        else:
            break
        gap = _GAP_IN_NAME.match(text, end)
        if not gap:
            break
        position = gap.end()
    if words and (trailing := _TRAILING_INITIAL.match(text, end)):
        end = trailing.end()
    elif text[start:end].endswith(("'s", "’s")):
        end -= 2
    return end, words


def _is_name_word(word: str, before: list[str]) -> bool:
    """Whether a capitalised word goes on with a name that has the words `before`."""
    if _is_no_name(word):
        return False
    if any(character.isdigit() for character in word) and sum(character.islower() for character in word) < 2:
        return False
    mixed_before = any(not part.isupper() for part in before)
    return not (mixed_before and word.isupper() and len(word) > 1)


def _is_no_name(word: str) -> bool:
    if _PROFESSION.fullmatch(word):
        return True
    return word in NO_NAMES or word.lower() in COMMON or (word.isupper() and word.capitalize() in NO_NAMES)


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
    for match in _CAPITALIZED.finditer(text):
        end = match.end()
        if credential := _CREDENTIAL_AT_END.search(match[0]):
            end = match.start() + credential.start()
        sure = (credential and " " in text[match.start() : end]) or any(
            after.match(text, match.end()) for after in (_CREDENTIAL_AFTER, _SINGLE_AFTER, _SEX_AFTER)
        )
        if not sure and not _AGE_AFTER.match(text, match.end()):
            continue
        start = match.start()
        for word in _WORD.finditer(text, match.start(), end):
            if _is_no_name(word[0]) or _TITLE.fullmatch(word[0]):
                start = _skip_gap(text, word.end())
        words = _WORD.findall(text, start, end)
        if words and not _is_abbreviation(words[-1]) and (sure or len(words) > 1):
            yield Span(start, end, Kind.NAME)
