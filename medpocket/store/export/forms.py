"""The forms in which conversations leave the history."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from medpocket.store.export import json_format
from medpocket.store.export.people import MARKDOWN, PLAIN, Document
from medpocket.store.records import Whole

FORMS = ("md", "txt", "json", "soap")


def form_of(file: Path | None) -> str:
    """Return the form that a file's name asks for; Markdown where it asks for none."""
    ending = file.suffix[1:].lower() if file else ""
    return ending if ending in FORMS else "md"


def pieces(wholes: Iterable[Whole], form: str, *, deidentified: bool = False) -> Iterator[str]:
    """Yield the text of an export in one of FORMS, one conversation after the other."""
    if form == "json":
        yield from json_format.written(wholes, deidentified=deidentified)
        return
    document = partial(Document, style=PLAIN if form == "txt" else MARKDOWN, deidentified=deidentified)
    if deidentified:
        document = partial(document, dated=lambda time: f"{time.year}")
    for place, whole in enumerate(wholes):
        if place:
            yield "\n\n"
        one = document(whole)
        yield from one.soap() if form == "soap" else one.text()
