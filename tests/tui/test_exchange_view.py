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
