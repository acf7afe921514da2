"""The conversations of the history as the screen of sessions shows them. Each function is called in a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from medpocket.errors import HistoryError

if TYPE_CHECKING:  # the store is imported in the history's thread
    from medpocket.store.history import History
    from medpocket.store.records import Conversation, StoredTurn

MOST_ROWS = 400  # that are read at once
_AT_FIRST = 60  # rows that come with a list
_TURNS_SHOWN = 20
_FOUND_SHOWN = 3
_CHARACTERS_SHOWN = 700


@dataclass(frozen=True)
class Session:
    """A conversation as a list shows it; `facts` are when it was last gone on with, how long it is, and so on."""

    title: str
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """All that was found, the latest first, and what stands in some of the rows. `problems` are of what was typed."""

    ids: Sequence[str]
    rows: dict[str, Session]
    problems: tuple[str, ...] = ()
    limited: bool = False  # whether only the latest turns were looked through


@dataclass(frozen=True)
class Piece:
    """Some lines of a preview under a heading. Words that were looked for stand between the two marks."""

    heading: str
    text: str = ""
    is_question: bool = False


@dataclass(frozen=True)
class Preview:
    """The beginning of a conversation, and where the words that were looked for are in it."""

    session: Session
    pieces: tuple[Piece, ...]


def listing(history: "History", text: str, near: str | None = None) -> Listing:
    """Find the conversations of `text`, as in a search box; with the rows around `near`, or the first ones."""
    from medpocket.store.search import Query

    query = Query.of(text, as_you_type=True)
    ids, limited = history.ids_found(query)
    place = ids.index(near) if near in ids else 0
    first = max(0, place - _AT_FIRST // 2)
    return Listing(ids, rows(history, ids[first : first + _AT_FIRST]), query.problems, limited)


def rows(history: "History", ids: Sequence[str]) -> dict[str, Session]:
    """Read what stands in the rows of these conversations; those that are gone are left out."""
    found = history.conversations_with(ids[:MOST_ROWS])
    return {id_: _session(one) for id_, one in found.items()}


def preview(history: "History", id_: str, text: str = "") -> Preview:
    """Read the beginning of a conversation. Raises HistoryError where it is gone."""
    from medpocket.store.search import Query

    conversation = _there(history, id_)
    found = history.snippets(id_, Query.of(text, as_you_type=True), limit=_FOUND_SHOWN)
    pieces = [Piece("found", " ".join(one.split())) for one in found]
    if conversation.signed:
        pieces += _signatures(history, id_)
    turns = history.turns(id_, limit=_TURNS_SHOWN)
    for turn in turns:
        pieces.append(Piece(_turn_words(turn), _short(turn.asked.question), is_question=True))
        pieces.append(Piece("", _short(turn.answer)))
        if turn.note:
            pieces.append(Piece("note", _short(turn.note)))
    if conversation.turns > len(turns):
        pieces.append(Piece(f"{conversation.turns - len(turns)} more turns: Enter opens all of it"))
    return Preview(_session(conversation), tuple(pieces))


def title(history: "History", id_: str) -> str:
    """Return the title of a conversation, cut where it is very long. Raises HistoryError where it is gone."""
    return _short(_there(history, id_).title)


def _there(history: "History", id_: str) -> "Conversation":
    found = history.conversations_with([id_]).get(id_)
    if found is None:
        raise HistoryError("this conversation is gone: it was deleted meanwhile", "choose another one")
    return found


def _session(one: "Conversation") -> Session:
    parts = (
        _local(one.updated_at),
        "1 turn" if one.turns == 1 else f"{one.turns} turns",
        one.expert,
        "demonstration" if one.demonstration else "",
        "signed" if one.signed else "",
    )
    return Session(_short(one.title), tuple(filter(None, parts)))


def _signatures(history: "History", id_: str) -> list[Piece]:
    from medpocket.store.signing import check

    return [
        Piece(
            f"turn {one.signature.number} is signed by {one.signature.signer}, {_local(one.signature.signed_at)}: "
            + ("it holds" if one.valid else "void, something was changed since")
        )
        for one in check(history.whole(id_))
    ]


def _turn_words(turn: "StoredTurn") -> str:
    from medpocket.store.records import State

    states = {
        State.STREAMING: "being answered now",
        State.STOPPED: "stopped",
        State.FAILED: "failed",
        State.COMPLETE: "",
    }
    rated = f"rated {turn.rating.value}" if turn.rating else ""
    return ", ".join(filter(None, (f"turn {turn.number}", turn.asked.expert, states[turn.state], rated)))


def _short(text: str) -> str:
    return text if len(text) <= _CHARACTERS_SHOWN else text[:_CHARACTERS_SHOWN].rstrip() + "…"


def _local(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"
