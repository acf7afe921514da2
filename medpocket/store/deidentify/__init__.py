"""Replace what names a person in the texts of one export. An aid, never a guarantee: somebody must read the result.

Names, dates, numbers of telephones and records, addresses, e-mail and ages over 89 become placeholders, the same for
the same: `[NAME-1]`, `[DATE-2]`. Rules find them, so they also miss some: a first name that nothing announces, a town
alone, what a story gives away. Each kind is found beside what the kinds before it left: `find_spans` has their order.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from medpocket.store.deidentify.addresses import find_addresses
from medpocket.store.deidentify.ages import find_ages
from medpocket.store.deidentify.contacts import find_emails, find_phones
from medpocket.store.deidentify.dates import find_dates
from medpocket.store.deidentify.names import find_mentions, find_names, name_parts
from medpocket.store.deidentify.record_numbers import find_records
from medpocket.store.deidentify.spans import Kind, Span, masked, resolved
from medpocket.store.deidentify.unannounced import find_unannounced


@dataclass(frozen=True)
class Replaced:
    """A placeholder, the texts it stands for, and how often it was put."""

    placeholder: str
    kind: Kind
    originals: tuple[str, ...]
    count: int


def deidentify(texts: Sequence[str]) -> tuple[list[str], list[Replaced]]:
    """Return the texts with placeholders, and what they replaced. What is found in one text is known in all."""
    found = [find_spans(text) for text in texts]
    names = [
        text[span.start : span.end]
        for text, spans in zip(texts, found, strict=True)
        for span in spans
        if span.kind == Kind.NAME
    ]
    placeholders = _Placeholders(names)
    replaced = []
    for text, spans in zip(texts, found, strict=True):
        pieces, position = [], 0
        for span in resolved(text, [*spans, *find_mentions(text, names)]):
            pieces += [text[position : span.start], placeholders.of(span.kind, text[span.start : span.end])]
            position = span.end
        replaced.append("".join((*pieces, text[position:])))
    return replaced, placeholders.put()


def find_spans(text: str) -> list[Span]:
    """Return what one text alone tells to be replaced, in order and without overlap."""
    found = [*find_emails(text), *find_dates(text)]
    phones = list(find_phones(text))
    found += phones
    found += find_records(masked(text, [span for span in found if span.sure]))
    names = list(find_names(text))
    barriers = [span for span in found if span.sure or span.kind == Kind.PHONE] + names
    found += names
    found += find_addresses(text, barriers)
    found += find_unannounced(text, [span for span in found if span.kind in (Kind.NAME, Kind.ADDRESS)])
    found += find_ages(text, found)
    return resolved(text, found)


class _Placeholders:
    """Gives each thing one placeholder, however it is written."""

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._highest = dict.fromkeys(Kind, 0)
        self._put: dict[tuple[Kind, int], list[str]] = {}
        self._whole_names = sorted({" ".join(name_parts(name)) for name in names})

    def of(self, kind: Kind, original: str) -> str:
        key = (kind, self._key(kind, original))
        if key not in self._numbers:
            self._highest[kind] += 1
            self._numbers[key] = self._highest[kind]
        number = self._numbers[key]
        self._put.setdefault((kind, number), []).append(original)
        return _written(kind, number)

    def put(self) -> list[Replaced]:
        return [
            Replaced(_written(kind, number), kind, tuple(dict.fromkeys(originals)), len(originals))
            for (kind, number), originals in sorted(self._put.items())
        ]

    def _key(self, kind: Kind, original: str) -> str:
        if kind in (Kind.PHONE, Kind.RECORD):
            return re.sub(r"[^\w+]", "", original).casefold()
        if kind == Kind.NAME:
            return self._whole_name(" ".join(name_parts(original)) or original.casefold())
        return " ".join(original.casefold().split())

    def _whole_name(self, name: str) -> str:
        """The one longer name that has all parts of `name`; `name` itself where there is none, or several."""
        parts = set(name.split())
        longer = [whole for whole in self._whole_names if parts < set(whole.split())]
        longest = [whole for whole in longer if not any(set(whole.split()) < set(other.split()) for other in longer)]
        return longest[0] if len(longest) == 1 else name


def _written(kind: Kind, number: int) -> str:
    return "[AGE OVER 89]" if kind == Kind.AGE else f"[{kind.name}-{number}]"
