"""The beginning of a conversation, laid out for reading."""

import re

from textual.content import Content

from medpocket.text import printable
from medpocket.tui.services.sessions import Preview
from medpocket.tui.widgets.wording import BETWEEN

_FOUND = re.compile("\ufdd0(.*?)\ufdd1", re.DOTALL)  # as the store marks what was looked for


def drawn(preview: Preview) -> Content:
    """Lay it out: title and facts, then piece by piece."""
    session = preview.session
    parts = [
        Content.assemble((printable(session.title), "bold")),
        Content.assemble((printable(BETWEEN.join(session.facts)), "dim")),
    ]
    for piece in preview.pieces:
        if piece.heading:
            parts += [Content(""), Content.assemble((printable(piece.heading), "$text-primary"))]
        if piece.text:
            text = _marked(printable(piece.text))
            parts.append(text.stylize("bold") if piece.is_question else text)
    return Content("\n").join(parts)


def _marked(text: str) -> Content:
    """Underline what was looked for."""
    pieces: list[str | tuple[str, str]] = []
    for number, piece in enumerate(_FOUND.split(text)):
        pieces.append((piece, "bold underline") if number % 2 else piece)
    return Content.assemble(*pieces)
