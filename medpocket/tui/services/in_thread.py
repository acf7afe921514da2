"""Call what may take its time, from the app's event loop."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from medpocket.errors import unexpected

Result = TypeVar("Result")


class Lane:
    """A daemon thread that does one thing after the other. It does not keep the app from ending."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return `function(*arguments)`, called in the lane's thread. Raises MedpocketError, whatever went wrong."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        future, call = _handed_over(function, arguments)
        self._calls.put(call)
        return await future

    def _work(self) -> None:
        while True:
            self._calls.get()()


class OneAtATime:
    """Calls a coroutine function; what is asked for while it runs is done once, when it has ended."""

    def __init__(self, function: Callable[[], Awaitable[None]]) -> None:
        self._function = function
        self._running = self._asked = False

    async def __call__(self) -> None:
        self._asked = True
        if self._running:
            return
        self._running = True
        try:
            while self._asked:
                self._asked = False
                await self._function()
        finally:
            self._running = False


async def in_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """Return `function(*arguments)`, called in a daemon thread of its own. Raises MedpocketError, and nothing else."""
    future, call = _handed_over(function, arguments)
    threading.Thread(target=call, name="in-thread", daemon=True).start()
    return await future


def _handed_over(
    function: Callable[..., Result], arguments: tuple[Any, ...]
) -> "tuple[asyncio.Future[Result], Callable[[], None]]":
    """A future of this event loop, and what another thread calls to settle it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def call() -> None:
        result, problem = None, None
        try:
            result = function(*arguments)
        except Exception as error:  # a screen tells it, whatever it is
            problem = unexpected(error)
        with suppress(RuntimeError):  # the app has ended meanwhile
            loop.call_soon_threadsafe(settle, result, problem)

    return future, call
