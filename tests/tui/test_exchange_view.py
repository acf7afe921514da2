"""An exchange on the screen while messages about it overtake one another."""

import asyncio

import pytest
from textual.app import App

from medpocket.tui.conversation import Choice, Exchange
from medpocket.tui.widgets.exchange_view import AnswerText, ExchangeView

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
