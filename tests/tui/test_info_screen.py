"""What a screen does that is left while it still finds out what it is to show."""

import asyncio
import threading

import pytest
from textual.app import ComposeResult
from textual.widgets import Static

from medpocket.tui.screens.base import InfoScreen
from tests.tui.scripted_app import scripted_app, until

pytestmark = pytest.mark.anyio


class SlowToGo(Static):
    async def on_unmount(self) -> None:
        await asyncio.sleep(0.2)


class SlowScreen(InfoScreen[str]):
    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.shown: list[str] = []

    def compose_body(self) -> ComposeResult:
        yield SlowToGo()

    def fetch(self) -> str:
        self.go_on.wait(10)
        return "found"

    async def show(self, found: str) -> None:
        self.shown.append(found)


async def test_what_is_found_after_a_screen_was_left_is_not_shown() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        screen = SlowScreen()
        await app.push_screen(screen)
        screen.action_close()
        while screen.query(".saying"):
            await asyncio.sleep(0)
        assert screen.query(SlowToGo), "the screen is still on its way out"
        screen.go_on.set()
        await until(pilot, lambda: not screen.is_attached)
        assert app.screen is app.chat and screen.shown == []
    assert app.crash is None
