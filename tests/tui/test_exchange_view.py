"""An exchange on the screen while messages about it overtake one another."""

import asyncio

import pytest
from textual.app import App

from medpocket.tui.conversation import Choice, Exchange
from medpocket.tui.widgets.answer_text import AnswerText
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.pace import Pace

pytestmark = pytest.mark.anyio


async def test_an_answer_may_end_while_the_place_for_its_text_is_still_being_made() -> None:
    exchange = Exchange("Why?", Choice(), None)
    async with App[None]().run_test() as pilot:
        view = ExchangeView(exchange)
        await pilot.app.mount(view)
        exchange.text = "Because."

        async def show_all() -> None:
            await view.show_text()
            await view.finish()

        await asyncio.gather(show_all(), show_all())
        assert view.query_one(AnswerText).source == "Because."
        assert not view.query(".progress")


async def test_text_that_comes_while_an_exchange_leaves_the_screen_is_not_shown() -> None:
    exchange = Exchange("Why?", Choice(), None)
    async with App[None]().run_test() as pilot:
        view = ExchangeView(exchange)
        await pilot.app.mount(view)
        removal = view.remove()
        while view.query(".tail"):
            await asyncio.sleep(0)
        exchange.text = "Because."
        await view.show_text()
        await view.finish()
        await removal
        assert not view.is_attached and exchange.text == "Because."


async def test_what_comes_too_soon_is_shown_a_little_later_though_nothing_more_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exchange = Exchange("Why?", Choice(), None)
    waits = [0.0, 0.05]
    monkeypatch.setattr(Pace, "wait", lambda _: waits.pop(0) if waits else 0.0)
    async with App[None]().run_test() as pilot:
        view = ExchangeView(exchange)
        await pilot.app.mount(view)
        exchange.text = "Because "
        await view.show_text()
        exchange.text += "of it."
        await view.show_text()
        answer = view.query_one(AnswerText)
        assert answer.source == "Because " and not waits
        while answer.source != "Because of it.":
            await asyncio.sleep(0.01)
