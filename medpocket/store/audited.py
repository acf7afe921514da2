"""A line of the audit log for each answer, whether or not the answer itself is kept."""

from collections.abc import Iterable, Iterator

from medpocket.errors import MedpocketError
from medpocket.store.audit import Entry, write_line
from medpocket.store.connected import Connected
from medpocket.store.records import AnsweredBy
from medpocket.types import Event, Finished, Notice, Routed


def audited(
    events: Iterable[Event], command: str, model: AnsweredBy, history: Connected | None = None
) -> Iterator[Event]:
    """Yield the events of an answer, and write down how it ended: complete, stopped or failed.

    `history` is the open database, where there is one. An answer whose line cannot be written goes on, and says so.
    """
    routed: Routed | None = None
    try:
        for event in events:
            if isinstance(event, Routed):
                routed = event
            elif isinstance(event, Finished):
                result = "stopped" if event.stop == "cancelled" else "complete"
                yield from map(Notice, _write(_entry(command, result, model, routed, event), history))
            yield event
    except MedpocketError:
        _write(_entry(command, "failed", model, routed), history)
        raise


def _entry(
    command: str, result: str, model: AnsweredBy, routed: Routed | None, finished: Finished | None = None
) -> Entry:
    return Entry(
        command,
        result,
        model=model.sha256,
        fingerprint=model.fingerprint,
        expert=routed.expert if routed else "",
        adapters=routed.adapters if routed else (),
        prompt_tokens=finished.stats.prompt_tokens if finished else None,
        answer_tokens=finished.stats.answer_tokens if finished else None,
    )


def _write(entry: Entry, history: Connected | None) -> list[str]:
    """Write a line; return what the user should know where it could not be written."""
    try:
        write_line(entry, history)
    except MedpocketError as error:
        return [f"this answer is not in the audit log: {error.message}; {error.hint}"]
    return []
