"""One answer, kept while it arrives."""

import threading

from medpocket.errors import HistoryError, MedpocketError
from medpocket.store.connected import Connected
from medpocket.store.records import State, StoredTurn, now, to_ms
from medpocket.store.rows import stats_text, storable
from medpocket.types import GenerationStats, StopReason

INTERVAL_S = 0.25  # between two writes; what came since the last one is lost with the process

# SQLite gives the row of a turn that was deleted to another one.
_THIS = "row = ? AND number = ? AND conversation = (SELECT key FROM conversations WHERE id = ?)"


class Recording:
    """Writes an answer into its turn, a few times a second, in a thread of its own.

    `append` never waits and never fails: an answer goes on when the disk is full. `finish` tells.
    """

    def __init__(self, history: Connected, turn: StoredTurn) -> None:
        self.turn = turn
        self._history = history
        self._pieces: list[str] = []
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def append(self, text: str) -> None:
        """Take the next piece of the answer."""
        self._pieces.append(text)
        self._changed.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_as_it_comes, name="history", daemon=True)
            self._thread.start()

    def finish(
        self,
        state: State,
        *,
        answer: str | None = None,
        stop: StopReason | None = None,
        stats: GenerationStats | None = None,
    ) -> None:
        """Keep how the answer ended, and wait for the disk; without `answer`, it is what came. Once is enough.

        Raises HistoryError and DiskShortError; then the turn is as it was last written, and counts as stopped.
        """
        if self._ended.is_set():
            return
        self._ended.set()
        self._changed.set()
        if self._thread:
            self._thread.join()
        text = "".join(self._pieces) if answer is None else answer
        with self._history.transaction() as connection:
            written = connection.execute(
                "UPDATE turns SET state = ?, writer = NULL, answer = ?, stop = ?, stats = ?, "
                f"finished_at = ? WHERE {_THIS}",
                [state.value, storable(text), stop, stats_text(stats), to_ms(now()), *self._this],
            )
            if not written.rowcount:
                raise HistoryError(
                    "the conversation was deleted while it was answered", "the answer is on the screen alone"
                )

    @property
    def _this(self) -> tuple[int, int, str]:
        return self.turn.row, self.turn.number, self.turn.conversation

    def _write_as_it_comes(self) -> None:
        try:
            while not self._ended.is_set():
                self._changed.wait()
                self._changed.clear()
                if self._ended.is_set():
                    return
                try:
                    with self._history.transaction() as connection:
                        connection.execute(
                            f"UPDATE turns SET answer = ? WHERE {_THIS}",
                            [storable("".join(self._pieces)), *self._this],
                        )
                except MedpocketError:
                    self._changed.set()  # tried again; `finish` tells where it fails to the end
                self._ended.wait(INTERVAL_S)
        finally:
            self._history.close_here()
