"""The history, as the app uses it: opened behind the first frame, read in a thread of its own."""

import threading
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from medpocket.errors import DamagedHistoryError, HistoryError, LockedHistoryError, MedpocketError
from medpocket.tui.services.deletions import Deleted, Deletions
from medpocket.tui.services.in_thread import Lane

if TYPE_CHECKING:  # the store is imported behind the first frame, in the history's thread
    from pathlib import Path

    from medpocket.store.history import History
    from medpocket.store.records import AnsweredBy, StoredTurn
    from medpocket.store.writer import Keep
    from medpocket.tui.conversation import Conversation
    from medpocket.tui.services.exporting import Exported

Result = TypeVar("Result")

_CLOSING_S = 5.0
_OPENING_S = 30.0  # a slow disk, another process that migrates


class HistoryState(str, Enum):
    """Whether what is asked is kept; the values are what the status line says."""

    CLOSED = "history off"
    OPEN = "history on"
    ENCRYPTED = "history on, encrypted"
    LOCKED = "history locked"


class ChatHistory:
    """One history, or none. `keep` is for the engine's thread, everything else for the event loop."""

    def __init__(self) -> None:
        self.state = HistoryState.CLOSED
        self.problem: MedpocketError | None = None  # why it could not be opened
        self.undeleted: MedpocketError | None = None  # why what was to be deleted is still there
        self.deletions = Deletions()
        self.notice = ""  # what the user is to know of how it was opened
        self._history: History | None = None
        self._lane = Lane("history")
        self._in_use = threading.Lock()  # SQLite may not be closed under a call of the lane
        self._tried = threading.Event()  # to open it; a question asked before that is kept too

    async def open(self, passphrase: str | None = None) -> None:
        """Open the user's history; `state` says how that ended. Raises MedpocketError, and nothing is kept then."""
        self.problem = None
        try:
            await self._lane.call(self._open, passphrase)
        except MedpocketError as error:
            self.problem = error
            raise
        finally:
            self._tried.set()

    async def lock(self) -> None:
        """Forget the key; nothing is kept or shown until it is opened again."""
        await self._lane.call(self._close)
        self.state = HistoryState.LOCKED

    def close(self) -> None:
        """Carry out the deletions that are held back, then end every connection, for good."""
        self._tried.set()
        self._close()

    def keep(self, model: "AnsweredBy", conversation: str | None, parent: int | None) -> "Keep | None":
        """Say where a question is kept, None where it is not; wait until the history was opened first."""
        self._tried.wait(_OPENING_S)
        from medpocket.store.writer import Keep

        return Keep(self._history, model, conversation, parent) if self._history else None

    async def call(self, function: "Callable[[History], Result]") -> Result:
        """Return `function(history)`, called in the history's thread. Raises HistoryError where it is not open."""
        return await self._in_lane(lambda: function(self._opened()))

    async def turns(self, conversation: str) -> "list[StoredTurn]":
        """Return the turns of a conversation as they were asked."""
        return await self.call(lambda history: history.turns(conversation))

    async def turn(self, conversation: str, number: int) -> "StoredTurn":
        """Return one turn."""
        return await self.call(lambda history: history.turn(f"{conversation}.{number}"))

    async def rate(self, turn: "StoredTurn", good: bool | None) -> None:
        """Keep what the clinician thought of an answer."""
        from medpocket.store.records import Rating

        rating = None if good is None else Rating.GOOD if good else Rating.BAD
        await self.call(lambda history: history.rate(turn, rating))

    async def annotate(self, turn: "StoredTurn", note: str) -> None:
        """Keep a note on a turn."""
        await self.call(lambda history: history.annotate(turn, note))

    async def sign(self, conversation: str, number: int, signer: str) -> str:
        """Sign a turn and all that led to it; return what the user should know."""
        from medpocket.tui.services import signing

        return await self.call(lambda history: signing.sign(history, conversation, number, signer))

    async def signatures(self, conversation: str) -> dict[int, str]:
        """Return, by the numbers of the turns, who signed them and whether that holds, in words."""
        from medpocket.tui.services import signing

        return await self.call(lambda history: signing.signatures(history, conversation))

    async def export(self, conversation: "Conversation", target: "Path", form: str, deidentified: bool) -> "Exported":
        """Write a conversation into a new file, kept or not."""
        from medpocket.tui.services import exporting

        return await self._in_lane(lambda: exporting.export(self._history, conversation, target, form, deidentified))

    async def delete_held(self, *, due_only: bool) -> Deleted:
        """Carry out the deletions that are held back, or those that are due. Raises MedpocketError."""
        if not self.deletions:
            return Deleted()
        return await self.call(lambda history: self.deletions.carry_out(history, due_only=due_only))

    async def changes(self) -> int:
        """Return a number that differs from the last one where somebody else wrote meanwhile; 0 while it is closed."""
        return await self._in_lane(lambda: self._history.changes() if self._history else 0)

    def _opened(self) -> "History":
        if self._history is None:
            raise HistoryError("the history is not open", "`medpocket doctor` says why")
        return self._history

    def _open(self, passphrase: str | None) -> None:
        from medpocket.store import switch

        self._close()
        if not switch.is_on():
            return
        try:
            history = self._open_or_begin(passphrase)
        except LockedHistoryError:
            self.state = HistoryState.LOCKED
            return
        problem = _kept_from(history)
        if problem:
            history.close()
            raise problem
        self._history = history
        self.state = HistoryState.ENCRYPTED if history.locked else HistoryState.OPEN

    def _open_or_begin(self, passphrase: str | None) -> "History":
        """Open the history; a damaged one is set aside, and a new one begun."""
        from medpocket.store.recovery import set_aside

        try:
            return _open(passphrase)
        except DamagedHistoryError as error:
            kept = set_aside()
            self.notice = f"{error.message}; it is kept as {kept.name}, and a new one was begun"
            return _open(passphrase)

    async def _in_lane(self, function: "Callable[[], Result]") -> Result:
        def use() -> Result:
            with self._in_use:
                return function()

        return await self._lane.call(use)

    def _close(self) -> None:
        if not self._in_use.acquire(timeout=_CLOSING_S):
            return  # a call takes too long: the process ends under it, which loses nothing
        try:
            if self._history:
                try:
                    self.deletions.carry_out(self._history)
                except MedpocketError as error:
                    self.undeleted = error
                self._history.close()
                self._history = None
            self.state = HistoryState.CLOSED
        finally:
            self._in_use.release()


def _open(passphrase: str | None) -> "History":
    from medpocket import paths
    from medpocket.store.history import History
    from medpocket.store.passphrase import from_surroundings

    def find() -> str | None:
        return passphrase if passphrase is not None else from_surroundings(paths.history_folder())

    history = History.open(passphrase=find)
    assert history  # it is created where there is none
    return history


def _kept_from(history: "History") -> HistoryError | None:
    """Why nothing may be written to it, if so."""
    from medpocket.config import load_settings

    if history.read_only:
        return HistoryError(f"nothing is kept: {history.read_only}", "`medpocket history path` shows where it is")
    if load_settings().require_encrypted_history and not history.locked:
        return HistoryError(
            "nothing is kept: this machine keeps only a locked history", "`medpocket history lock` locks it"
        )
    return None
