"""The terminal is closed, or the system asks the app to end: what came is saved first."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

INTERRUPTED = 130
_PATIENCE_S = 2.0  # for the toolkit, which can wait for ever for a terminal that is gone


def end_on_signals(save: Callable[[], None], end: Callable[[], None]) -> None:
    """Have SIGHUP and SIGTERM call `save`, then `end`; where the app has not ended soon after, the process does."""

    def come() -> None:
        save()
        patience = threading.Timer(_PATIENCE_S, os._exit, (INTERRUPTED,))
        patience.daemon = True
        patience.start()
        end()

    loop = asyncio.get_running_loop()
    for name in ("SIGHUP", "SIGTERM"):
        with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
            loop.add_signal_handler(getattr(signal, name), come)
