"""Work on the files of models that goes on while the user does something else: downloads, copies, checks."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medpocket.errors import InputError, unexpected
from medpocket.tui.messages import TransferEnded

if TYPE_CHECKING:  # what needs it is imported when something begins, behind the first frame
    pass

_JOIN_S = 3.0  # the downloading process keeps what came well within it


class StoppedError(Exception):
    """The user ended it."""


@dataclass(frozen=True)
class Transfer:
    """What is going on with a model's files, in a word; how far it is (0 to 1), and in which words."""

    model: str
    doing: str
    share: float
    words: str


class Task:
    """One piece of work of `size` bytes, which its thread does and others look at.

    `writes` is whether it fills the disk. `when_stopped` is said where the user ends it.
    """

    def __init__(self, model: str, doing: str, size: int, *, writes: bool, when_stopped: str) -> None:
        from medpocket.models.download import Stop
        from medpocket.models.pace import Pace

        self.model, self.size, self.writes, self.when_stopped = model, size, writes, when_stopped
        self.stop: Stop = Stop()
        self._pace = Pace(size)
        self.seen = Transfer(model, doing, 0.0, "beginning")

    @property
    def bytes_left(self) -> int:
        return self.size - self._pace.done

    def reached(self, done: int, doing: str | None = None) -> None:
        """Note that so many bytes are done. Raises StoppedError where the user ended it."""
        from medpocket.models.pace import Pace

        if self.stop.is_set():
            raise StoppedError
        doing = doing or self.seen.doing
        if doing != self.seen.doing:
            self._pace = Pace(self.size)
        self._pace.reached(done)
        self.seen = Transfer(self.model, doing, self._pace.share, self._pace.words)

    def say(self, words: str) -> None:
        """Say why nothing comes at the moment."""
        self.seen = Transfer(self.model, self.seen.doing, self.seen.share, words)


class Transfers:
    """Does each task in a thread of its own, one for a model at a time. `post` hears how each ended, `ended` counts."""

    def __init__(self, post: Callable[[TransferEnded], object]) -> None:
        self._post = post
        self.ended = 0
        self._lock = threading.Lock()
        self._running: dict[str, tuple[Task, threading.Thread]] = {}

    def begin(self, task: Task, work: Callable[[Task], str]) -> None:
        """Start `work(task)`, which returns what to tell the user. Raises InputError where its model has work."""
        thread = threading.Thread(target=self._run, args=(task, work), name=f"transfer {task.model}", daemon=True)
        with self._lock:
            if task.model in self._running:
                raise busy(self._running[task.model][0].seen)
            self._running[task.model] = task, thread
        thread.start()

    def running(self) -> list[Transfer]:
        """What is going on, in the order in which it began."""
        with self._lock:
            return [task.seen for task, _ in self._running.values()]

    def of(self, model: str) -> Transfer | None:
        """What is going on with this model."""
        return next((one for one in self.running() if one.model == model), None)

    def bytes_to_come(self) -> int:
        """Bytes of the disk that are spoken for."""
        with self._lock:
            return sum(task.bytes_left for task, _ in self._running.values() if task.writes)

    def stop(self, model: str) -> None:
        """End what is going on with this model; what came is kept."""
        with self._lock:
            found = self._running.get(model)
        if found:
            found[0].stop.set()

    def close(self) -> None:
        """End everything, and wait a moment for it."""
        with self._lock:
            running = list(self._running.values())
        for task, _ in running:
            task.stop.set()
        until = time.monotonic() + _JOIN_S
        for _, thread in running:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, task: Task, work: Callable[[Task], str]) -> None:
        try:
            ended = TransferEnded(task.model, work(task))
        except Exception as error:
            if task.stop.is_set():
                ended = TransferEnded(task.model, task.when_stopped)
            else:
                ended = TransferEnded(task.model, error=unexpected(error))
        with self._lock:
            del self._running[task.model]
            self.ended += 1
        self._post(ended)


def busy(transfer: Transfer) -> InputError:
    """An error that says what is going on with a model."""
    return InputError(f"{transfer.model}: {transfer.doing}, {transfer.words}", "wait for it, or stop it")
