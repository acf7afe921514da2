"""From the history's turns to a conversation on the screen."""

from collections.abc import Iterable

from medpocket.store.records import State, StoredTurn, as_turns
from medpocket.tui.conversation import Choice, Conversation, Exchange
from medpocket.types import Routed


def conversation_of(id_: str, turns: Iterable[StoredTurn]) -> Conversation:
    """Return the conversation with these turns, the branch of the last one shown."""
    conversation = Conversation(id_=id_)
    extend(conversation, turns)
    return conversation


def extend(conversation: Conversation, turns: Iterable[StoredTurn]) -> list[Exchange]:
    """Add the turns that the conversation lacks; return them as exchanges. Those that are there are brought up to date.

    The branch that is shown stays, unless the new turns go on with it.
    """
    by_number = {one.stored: one for one in conversation.exchanges if one.stored is not None}
    added = []
    for turn in turns:
        known = by_number.get(turn.number)
        if known:
            if known.is_open and known.foreign:
                _update(known, turn)
            known.rating, known.note = turn.rating.value if turn.rating else "", turn.note
            continue
        exchange = Exchange(turn.asked.question, _choice(turn), by_number.get(turn.parent or 0), foreign=True)
        exchange.stored = turn.number
        _update(exchange, turn)
        exchange.rating, exchange.note = turn.rating.value if turn.rating else "", turn.note
        by_number[turn.number] = exchange
        conversation.exchanges.append(exchange)
        if conversation.leaf is exchange.parent:
            conversation.leaf = exchange
        added.append(exchange)
    return added


def _choice(turn: StoredTurn) -> Choice:
    asked = turn.asked
    return Choice(None, route=True) if asked.score is not None else Choice(asked.expert)


def _update(exchange: Exchange, turn: StoredTurn) -> None:
    asked = turn.asked
    exchange.text = turn.answer
    exchange.is_open = turn.state is State.STREAMING
    exchange.stop = turn.stop or ("cancelled" if turn.state is State.STOPPED else None)
    exchange.stats = turn.stats
    exchange.demonstration = asked.model.demonstration
    exchange.asked_at = turn.asked_at
    exchange.model = f"{asked.model.name} {asked.model.quantization}".removeprefix("MedPocket ").strip()
    exchange.routed = Routed(asked.expert, asked.title, asked.why, asked.score, asked.adapters)
    exchange.notices = list(asked.notices)
    if turn.state is State.FAILED:
        exchange.notices.append("the answer could not be given to its end")
    if turn.answer and not exchange.is_open:
        exchange.turns = (*exchange.before, *as_turns([turn]))
