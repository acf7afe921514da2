"""Read a name that begins at a place in a text: its capitalised words, initials, particles, nicknames."""

import re

from medpocket.store.deidentify.measures import has_unit, names_measure
from medpocket.store.deidentify.name_words import COMMON, CREDENTIALS, NO_NAMES, OFFICES, PARTICLES, TITLES
from medpocket.store.deidentify.spans import CAPITALS, SMALL
from medpocket.store.deidentify.vocabulary import is_word

_MOST_WORDS = 6
_GAP_IN_NAME = re.compile(r"[ \t\u00a0]")  # two blanks part the fields of a form
_INITIALS = re.compile(rf"(?:[{CAPITALS}]\.\s?-?){{1,3}}(?=\s?-?[{CAPITALS}{SMALL}])|[{CAPITALS}](?![\w'’])")
WORD = re.compile(rf"[{CAPITALS}](?:[\w'’-]*\w)?")
_PARTICLE = re.compile(
    rf"(?:{PARTICLES})(?=[\s-])[\s-]?|St\.[ ](?=[{CAPITALS}][{SMALL}])|(?:al|el|d|O|N)['’-](?=[{CAPITALS}])"
)
_NICKNAME = re.compile(rf"(?!\((?:{TITLES})\.?\))[(\"“'‘]{{1,2}}[{CAPITALS}][\w-]*[)\"”'’]{{1,2}}")
_TRAILING_INITIAL = re.compile(rf"[ ][{CAPITALS}]\.(?=\s|$)|[ ][{CAPITALS}](?=\s{{2}}|$|\n)")
_COMMA = re.compile(r",\s?|\^|;(?=\S)|(?<=[A-Z]{2})/(?=[A-Z]{2})")
_SUFFIX = re.compile(r",?\s(?:Jr|Sr(?!\.?\s[A-Z])|II|III|IV)\b\.?")
_PROFESSION = re.compile(r"\w+(?:ologist|iatrist|ician|therapist|surgeon)s?", re.IGNORECASE)

_ONE_TITLE = rf"(?:(?:{TITLES})(?!\w)[.:]?(?:\s\(ret(?:d|ired|\.)?\)|\s\((?:{TITLES})\.?\))?|(?:{OFFICES})(?!\w):?)"
_MORE_TITLES = (
    rf"(?:(?:[ ,&+]|and|und|et|y){{0,3}}(?![MD]\.)(?:{TITLES}|{OFFICES}|Kollege|Kollegin|Dame|med\.|rer\.|nat\.|"
    rf"h\.c\.)(?!\w)\.?)*"
)
TITLE = re.compile(rf"(?<![\w.]){_ONE_TITLE}{_MORE_TITLES}")

_NO_FIRST_NAME = re.compile(rf"{TITLE.pattern}|(?:{CREDENTIALS})\b")
CAPITALIZED = re.compile(
    rf"(?<![\w.-])(?:[{CAPITALS}]\.[ ]?){{0,3}}[{CAPITALS}](?:[\w'’-]*\w)?(?:[ ](?:(?:{PARTICLES})[ ]|"
    rf"[{CAPITALS}]\.[ ]?)*[{CAPITALS}](?:[\w'’-]*\w)?){{0,6}}"
)
_CONTRACTED = re.compile(r"['’](?:m|ve|re|ll|d|t)$")
_NUMBER_NEXT = re.compile(r"\s\d")


def read_name(  # noqa: PLR0912 - one loop over the words of a name
    text: str, start: int, *, comma: bool = False
) -> tuple[int, list[str]]:
    """Return where the name that begins at `start` ends, and its words without initials and particles.

    `comma` allows "SURNAME, First".
    """
    words: list[str] = []
    position = end = start
    for _ in range(_MOST_WORDS + 4):
        if particle := _PARTICLE.match(text, position):
            position = particle.end()
            continue
        if word := WORD.match(text, position):
            initial = _INITIALS.match(text, position)
            if initial and initial.end() >= word.end():
                position = initial.end()
                if words and (words[-1].isupper() or text[position - 1] == "."):
                    end = position
                position = skip_gap(text, position)
                continue
            if not _is_name_word(word[0], words) or len(words) == _MOST_WORDS:
                break
            if words and _NUMBER_NEXT.match(text, word.end()) and names_measure(f"{word[0]} "):
                break  # "Mr Galanis Cr 142"
            words.append(word[0])
            end = word.end()
            if suffix := _SUFFIX.match(text, end):
                end = suffix.end()
            if comma and len(words) == 1 and (after := _COMMA.match(text, end)):
                first = WORD.match(text, after.end())
                if first and _is_name_word(first[0], words) and not _NO_FIRST_NAME.match(text, after.end()):
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


def skip_gap(text: str, start: int) -> int:
    gap = re.compile(r"[ \t\u00a0]{1,2}").match(text, start)
    return gap.end() if gap else start


def is_no_name(word: str) -> bool:
    """Whether a capitalised word is none even beside a title."""
    if _PROFESSION.fullmatch(word):
        return True
    return word in NO_NAMES or word.lower() in COMMON or (word.isupper() and word.capitalize() in NO_NAMES)


def is_unknown(word: str) -> bool:
    """Whether a capitalised word is in no list of words, and no short form: so it may be a name by itself."""
    if is_abbreviation(word) or _CONTRACTED.search(word) or any(character.isdigit() for character in word):
        return False
    return not any(is_no_name(part) or is_word(part) for part in word.split("-") if len(part) > 1)


def is_abbreviation(word: str) -> bool:
    return word.isupper() and len(word) <= 4


def _is_name_word(word: str, before: list[str]) -> bool:
    """Whether a capitalised word goes on with a name that has the words `before`."""
    if is_no_name(word):
        return False
    if any(character.isdigit() for character in word) and sum(character.islower() for character in word) < 2:
        return False
    mixed_before = any(not part.isupper() for part in before)
    return not (mixed_before and word.isupper() and len(word) > 1)


def is_amount(text: str, end: int) -> bool:
    """Whether a dose follows at `end`: what stands before it is a medicine."""
    number = re.compile(r"\s\d+(?:[.,/-]\d+)*").match(text, end)
    return number is not None and has_unit(text, number.end())
