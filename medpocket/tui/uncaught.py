"""What nobody caught: Python would print a traceback, and with it values, onto the terminal."""

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

Tell = Callable[[BaseException], object]


def hand_over(thread_failed: Tell, task_failed: Tell) -> None:
    """Give what no thread and no task of this event loop caught to these, and print nothing of it."""

    def of_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            thread_failed(found.exc_value)

    def of_loop(_loop: asyncio.AbstractEventLoop, found: dict[str, Any]) -> None:
        if isinstance(found.get("exception"), BaseException):
            task_failed(found["exception"])

    threading.excepthook = of_thread
    sys.unraisablehook = lambda _found: None
    asyncio.get_running_loop().set_exception_handler(of_loop)
