"""Deletions that are held back for a while, so that they can be taken back: what is deleted is gone from the disk."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medpocket.errors import MedpocketError

if TYPE_CHECKING:
    from medpocket.store.history import History

HELD_S = 10.0


@dataclass(frozen=True)
class Deleted:
    """Which conversations are gone, and what is to be known of it."""

    ids: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class Deletions:
    """What is to be deleted, and when. `hold` and `keep` are for the event loop, `carry_out` for any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}  # the last one comes last
        self._working = threading.Lock()

    def __contains__(self, id_: str) -> bool:
        return id_ in self._due

    def __len__(self) -> int:
        return len(self._due)

    def hold(self, id_: str) -> None:
        """Have a conversation deleted after HELD_S."""
        self._due[id_] = self._clock() + HELD_S

    def keep(self, id_: str | None = None) -> bool:
        """Take back the deletion of a conversation, or the one that was held last; False where there is none, or it
        has begun.
        """
        try:
            return bool(self._due.popitem() if id_ is None else self._due.pop(id_))
        except KeyError:
            return False

    def seconds_left(self) -> float:
        """Until the next one is due; 0 where one is."""
        return max(0.0, min(list(self._due.values()), default=0.0) - self._clock())

    def carry_out(self, history: "History", *, due_only: bool = False) -> Deleted:
        """Delete what is held, or of it what is due, and every copy of it.

        Raises MedpocketError where that failed; the conversations are then there, and no longer held. Whoever calls
        this while it is at work waits: so what was begun is done before the history is closed.
        """
        with self._working:
            now = self._clock()
            ids = [id_ for id_, due in list(self._due.items()) if not due_only or due <= now]
            taken = tuple(id_ for id_ in ids if self._due.pop(id_, None) is not None)
            there = list(history.conversations_with(taken)) if taken else []
            if not there:
                return Deleted(taken)
            history.delete(there)
            wholly = history.scrub()
            notices = [] if wholly else ["another MedPocket reads at this moment; what it reads goes when it is done"]
            return Deleted(taken, (*notices, *_written_down(history)))


def _written_down(history: "History") -> list[str]:
    """Add a line to the audit log; where that fails, return what is to be told: what is gone is gone."""
    from medpocket.store.audit import Entry, write_line

    try:
        write_line(Entry("history delete", "done"), history)
    except MedpocketError as error:
        return [f"not in the audit log: {error.message}; {error.hint}"]
    return []
