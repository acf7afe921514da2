"""Run the engine in a thread of its own, so that the main thread hears Ctrl-C while llama.cpp works."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_POLL_S = 0.1  # Windows does not interrupt a wait without an end


def iterate_in_thread(make: Callable[[], Iterable[Item]]) -> Iterator[Item]:
    """Yield what `make()` yields in a daemon thread; an exception there is raised here."""
    items: queue.SimpleQueue[tuple[Item] | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for item in make():
                items.put((item,))
            items.put(None)
        except BaseException as error:  # handed over, whatever it is
            items.put(error)

    threading.Thread(target=work, name="engine", daemon=True).start()
    while True:
        try:
            item = items.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item[0]
