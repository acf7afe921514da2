"""Addresses: runs of capitals and figures with a street, a box or a postcode in them, or that a word announces."""

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from medpocket.store.deidentify.address_runs import NO_PLACE, Part, find_runs
from medpocket.store.deidentify.spans import BLOT, CAPITALS, Kind, Span, masked
from medpocket.store.deidentify.street_forms import POSTCODE, STREET, SURE_POSTCODE, UNIT
from medpocket.store.deidentify.vocabulary import is_word

_C = CAPITALS
_UNITS = re.compile(
    r"(?:Flat|Apt|Apartment|Block|Blk|Tower|House|Plot|Suite|Unit|Shop|Floor)\.?\s(?:No\.?\s)?[\w-]{1,5}\b"
)
_MOST_PARTS = 6
_LEADING = re.compile(
    r"(?:(?:Visited|Called|Attended|Moved|Transferred|Discharged|Admitted|Returned|Returns|Mailed|Reviewed|Lived"
    r"|Venue|Location|From|To|Home|"
    r"Clinic|Visit|Rooms|Fax|Send|Ship|Found|At|In|Of|On|Property|Residence|Addr|Add|Adresse|Post_?code|Eircode"
    r"|Postal|\d{1,3} [MF]\.)"
    r"(?:\s(?:to|at|in|of|from|code|visit))?\s(?=[\"#A-Z\d])|(?:of|on|in|at|by|via|near|off|and|under|c/o|care|an|am"
    r"|di|m|al|os)\s(?=[\"#A-Z\d])|[-–&,.\s]+)+"
)
# What announces an address by itself, or a place where somebody lives or was found.
_LABEL = re.compile(
    r"(?:\b(?:(?:home|postal|patient['’]?s?|old|new|mailing|current)\s)?(?:address|addr|add|adresse|adres|anschrift"
    r"|domicilio|morada|indirizzo|direcci[oó]n|"
    r"endereço|end\.?(?=:)|residence|location|street|town|city|suburb|county|post_?code|zip(?:code)?|eircode|r/o"
    r"|residing at|wohnhaft(?: in)?|demeurant(?: au| à)?)"
    r"(?:[_ ]?(?:line)?[_ ]?\d)?(?: on file| is)?\s?[:=]?\s?[-–]?\s?)$",
    re.IGNORECASE,
)
_COLON_LABEL = re.compile(r"[:=]\s?$")
_LIVES = re.compile(
    r"\b(?:live[sd]?|living|resid(?:es|ing|ent|ed)|stay(?:s|ing|ed)?|moved|home is|home|house is|house|address is"
    r"|discharged?|return(?:s|ed)?|found|called|back|"
    r"housing|mail(?:ed)?|sent|send|post(?:ed)?|letters?|we['’]re|i['’]m|he is|she is|daughter|son|deliver(?:y|ed)?"
    r"|ship|disp(?:atched)?|brought)"
    r"(?:\s(?:alone|now|back|goes|home))?(?:\s(?:at|to|in|off|from|@))*:?\s(?:c/o\s|number\s|no\.?\s)?$",
    re.IGNORECASE,
)
_HOUSE_WORD = re.compile(
    r"\b(?:House|Cottages?|Lodge|Farm|Hall|Manor|Court|Bungalow|Villas?|Rectory|Vicarage|Mill|Barn|Grange|Hostel"
    r"|Home|Park|Point|Apartments|Apts|"
    r"Flat|Apt|Tower|Premises|Centre|Station|School|Hotel|Street|Road)\b"
)
_LONG_NUMBER = re.compile(r"\d{5}")
_NUMBERED = re.compile(r"(?:#|No\.?\s|Flat\s|Plot\s|[A-Z]-)?\d")


def find_addresses(text: str, others: Sequence[Span] = ()) -> Iterator[Span]:
    """Yield addresses; no address reaches over one of the `others`."""
    streets = [(_after_breakers(text, match), match.end()) for match in STREET.finditer(text)]
    anchors = sorted([*streets, *(match.span() for match in SURE_POSTCODE.finditer(text))])
    blotted = masked(
        text, (span for span in others if not _overlaps(span, streets if span.kind == Kind.RECORD else anchors))
    )
    starts = [start for start, _ in anchors]
    for parts in find_runs(blotted):
        first, last = bisect_right(starts, parts[0].start - 1), bisect_right(starts, parts[-1].end - 1)
        inside = anchors[first:last] or _weak_anchors(parts)
        before = text[max(0, parts[0].start - 40) : parts[0].start]
        yield from _addresses_in(blotted, parts, inside, before)
    for start, end in anchors:
        small = text[start:end]
        if small.islower():
            yield Span(start, _to_small_postcode(text, end), Kind.ADDRESS)


def _after_breakers(text: str, street: re.Match[str]) -> int:
    """Where a street begins, without words that are in no address: "From Main Street"."""
    breakers = list(NO_PLACE.finditer(text, street.start(), street.end()))
    return breakers[-1].end() + 1 if breakers and breakers[-1].end() + 1 < street.end() else street.start()


def _weak_anchors(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """What makes an address of a run without a street's word: a house's number before a town's, or two units."""
    before_town = [
        (one.start, other.end)
        for one, other in pairwise(parts)
        if _is_house_number([one]) and POSTCODE.fullmatch(other.text)
    ]
    units = [(part.start, part.end) for part in parts if _UNITS.match(part.text)]
    return before_town or (units if len(units) > 1 else [])


def _overlaps(span: Span, anchors: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(anchors, (span.end - 1, sys.maxsize)) - 1
    return place >= 0 and anchors[place][1] > span.start


def _addresses_in(text: str, parts: list[Part], anchors: list[tuple[int, int]], before: str) -> Iterator[Span]:
    """Yield the addresses of one run."""
    done = 0
    while anchors:
        places = [_index(parts, start) for start, _ in anchors]
        first = places[0]
        begin = _first_part(parts, first, done, after_person=BLOT in text[max(0, parts[0].start - 3) : parts[0].start])
        last = first
        for (start, end), place in zip(anchors, places, strict=True):
            if place - last > _MOST_PARTS or any(_is_barrier(part) for part in parts[last + 1 : place]):
                break
            last = max(last, _index(parts, end - 1))
            reached = max(end, parts[last].start)
            if SURE_POSTCODE.search(text, max(start, parts[place].start), end):
                break
        stop, has_postcode = _last_place(text, parts, last, reached)
        start = _without_leading(text, max(parts[begin].start, done), anchors[0][0])
        yield Span(start, max(stop, anchors[0][1]), Kind.ADDRESS, sure=has_postcode)
        done = max(stop, anchors[0][1])
        anchors = [anchor for anchor in anchors if anchor[0] >= done]
    if not done and (_LABEL.search(before) or _LIVES.search(before)):
        yield from _announced(
            parts, labelled=_LABEL.search(before) is not None, colon=_COLON_LABEL.search(before) is not None
        )


def _index(parts: Sequence[Part], at: int) -> int:
    return max(number for number, part in enumerate(parts) if part.start <= at)


def _is_barrier(part: Part) -> bool:
    return len(part.text) > 60


def _first_part(parts: Sequence[Part], anchor: int, done: int, *, after_person: bool) -> int:
    """The first part that belongs to the address whose street or postcode stands in the part `anchor`."""
    begin = anchor
    for _ in range(_MOST_PARTS):
        if begin == 0 or parts[begin - 1].start < done:
            break
        part, following = parts[begin - 1], parts[begin]
        if _is_barrier(part) or not any(map(str.isalnum, part.text)):
            break
        if part.text.isdigit() and (
            (begin == 1 and after_person) or len(part.text) > 5 or not STREET.match(f"{part.text} {following.text}")
        ):
            break  # an age: "Mrs Winterbourne, 104, Quince Cottage"
        if _LONG_NUMBER.search(part.text) and not POSTCODE.search(part.text):
            break
        if _looks_like_person(part, following):
            break
        begin -= 1
    return begin


def _looks_like_person(part: Part, following: Part) -> bool:
    """Whether a part before a house's number is the name of who lives there, and not of a house."""
    if not _NUMBERED.match(following.text) or any(map(str.isdigit, part.text)):
        return False
    words = [word for word in part.text.split() if word[0].isupper()]
    return len(words) > 1 and not _HOUSE_WORD.search(part.text) and not any(is_word(word) for word in words)


def _last_place(text: str, parts: Sequence[Part], last: int, reached: int) -> tuple[int, bool]:
    """Where the address ends whose last street or postcode ends at `reached` in the part `last`."""
    if SURE_POSTCODE.search(text, parts[last].start, reached):
        return reached, True
    for place in range(last, min(len(parts), last + _MOST_PARTS)):
        part = parts[place]
        if place > last and _is_barrier(part):
            break
        postcode = POSTCODE.search(text, reached if place == last else part.start, part.end)
        if postcode and (place > last or postcode.start() >= reached):
            return postcode.end(), True
    end = parts[last].end if len(parts[last].text) < 60 and not _is_barrier(parts[last]) else reached
    for part in parts[last + 1 : last + 4]:
        if _is_barrier(part) or "\n" in text[end : part.start] or (part.text.isdigit() and len(part.text) < 4):
            break
        end = part.end
    return end, False


def _without_leading(text: str, start: int, at: int) -> int:
    """Leave away verbs and labels before the address."""
    if leading := _LEADING.match(text, start):
        return min(leading.end(), at) if leading.end() > start else start
    return start


def _announced(parts: list[Part], *, labelled: bool, colon: bool) -> Iterator[Span]:
    """Yield the address that a word announces: all parts up to one that is no place."""
    taken: list[Part] = []
    for part in parts[: _MOST_PARTS + 1]:
        if _is_barrier(part):
            break
        taken.append(part)
    if not taken:
        return
    figures = any(map(str.isdigit, " ".join(part.text for part in taken[:2])))
    house = any(_HOUSE_WORD.search(part.text) or re.match(UNIT, part.text) for part in taken)
    if (
        (labelled and (colon or figures or len(taken) > 1))
        or (figures and _is_house_number(taken))
        or (house and len(taken) > 1)
    ):
        yield Span(taken[0].start, taken[-1].end, Kind.ADDRESS, sure=labelled)


def _is_house_number(parts: Sequence[Part]) -> bool:
    """Whether the first part is a house's number and a name: "7 Ty Mawr", and no time, bed or dose."""
    return re.match(rf"(?:{UNIT},?\s?)?#?\d{{1,5}}[A-Za-z]?,?\s[{_C}][\w'’-]+", parts[0].text) is not None


def _to_small_postcode(text: str, end: int) -> int:
    """Where an address in small letters ends: at its postcode, or at its street."""
    postcode = re.compile(r",?\s[a-z ,]{0,40}?\b[a-z]{1,2}\d[a-z\d]?\s?\d[a-z]{2}\b").match(text, end)
    return postcode.end() if postcode else end
