"""From a conversation on the screen to a file: as the history has it, with what the history could not keep."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medpocket.errors import MedpocketError
from medpocket.store import audit
from medpocket.store.export.forms import pieces
from medpocket.store.export.new_file import write_new
from medpocket.store.records import AnsweredBy, Asked, State, StoredTurn, Whole, new_id, title_of
from medpocket.store.records import Conversation as Kept
from medpocket.tui.conversation import Conversation, Exchange

if TYPE_CHECKING:
    from medpocket.store.history import History


@dataclass(frozen=True)
class Exported:
    """What the user should know of a file that was written; `to_read` is what placeholders stand for."""

    notice: str
    to_read: Sequence[str] = ()


def export(
    history: "History | None", conversation: Conversation, target: Path, form: str, deidentified: bool
) -> Exported:
    """Write a conversation to a new file. Raises InputError and HistoryError."""
    wholes = [whole_of(history, conversation)]
    to_read: Sequence[str] = ()
    if deidentified:
        from medpocket.store.export.deidentified import in_words, without_names  # 0.4 s to get its rules ready

        wholes, replaced = without_names(wholes)
        to_read = in_words(replaced)
    write_new(target, pieces(wholes, form, deidentified=deidentified))
    return Exported(written_down("history export", history, "deidentified" if deidentified else "done"), to_read)


def written_down(command: str, history: "History | None", result: str = "done") -> str:
    """Add a line to the audit log; return why that could not be, '' where it was."""
    try:
        audit.write_line(audit.Entry(command, result), history)
    except MedpocketError as error:
        return f"it is not in the audit log: {error.message}; {error.hint}"
    return ""


def whole_of(history: "History | None", conversation: Conversation) -> Whole:
    """Return a conversation with all its turns. What the history lacks of it is taken from the screen."""
    kept = history.whole(conversation.id) if history and conversation.id else None
    turns = {turn.number: turn for turn in kept.turns} if kept else {}
    id_ = kept.conversation.id if kept else new_id()
    numbers: dict[Exchange, int] = {}
    for exchange in list(conversation.exchanges):
        number = exchange.stored if exchange.stored in turns else max([0, *turns]) + 1
        parent = numbers[exchange.parent] if exchange.parent else None
        numbers[exchange] = number or 0
        turn = turns.get(number or 0) or _turn(exchange, id_, numbers[exchange], parent)
        if not exchange.foreign and exchange.text != turn.answer:
            turn = replace(turn, answer=exchange.text, state=_state(exchange))
        turns[turn.number] = turn
    found = tuple(turns.values())
    if kept:
        return replace(kept, turns=found)
    first, last = found[0], found[-1]
    title = title_of(first.asked.question)
    return Whole(Kept(id_, title, first.asked_at, last.asked_at, len(found), last.asked.expert), found)


def _turn(exchange: Exchange, conversation: str, number: int, parent: int | None) -> StoredTurn:
    routed = exchange.routed
    asked = Asked(
        exchange.question.strip(),
        AnsweredBy(exchange.model, demonstration=exchange.demonstration),
        routed.expert if routed else exchange.choice.expert or "",
        title=routed.title if routed else "",
        why=routed.why if routed else "",
        score=routed.score if routed else None,
        adapters=routed.adapters if routed else (),
        notices=tuple(exchange.notices),
    )
    return StoredTurn(
        conversation,
        number,
        parent,
        _state(exchange),
        asked,
        exchange.text,
        exchange.asked_at,
        stop=exchange.stop,
        stats=exchange.stats,
    )


def _state(exchange: Exchange) -> State:
    if exchange.is_open:
        return State.STREAMING
    if exchange.error:
        return State.FAILED
    return State.STOPPED if exchange.stop == "cancelled" else State.COMPLETE
