"""The app's history, closed while something of it is still being read."""

import asyncio
import threading

import pytest

from medpocket.errors import HistoryError
from medpocket.tui.services.history import ChatHistory

pytestmark = pytest.mark.anyio


async def test_it_is_closed_when_what_is_being_read_has_been_read() -> None:
    history = ChatHistory()
    await history.open()
    reading, go_on = threading.Event(), threading.Event()

    def read(opened: object) -> str:
        reading.set()
        go_on.wait(10)
        assert opened.conversations() is not None  # type: ignore[attr-defined]
        return "read"

    running = asyncio.ensure_future(history.call(read))
    while not reading.is_set():
        await asyncio.sleep(0.01)
    closing = threading.Thread(target=history.close)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive()
    go_on.set()
    assert await running == "read"
    closing.join(10)
    assert not closing.is_alive()
    with pytest.raises(HistoryError):
        await history.call(read)
