"""What outlives the screen while the app ends."""

import asyncio

import pytest

from tests.tui.scripted_app import scripted_app, start_asking, until

pytestmark = pytest.mark.anyio


async def test_workers_that_outlive_their_widgets_fail_at_nothing() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        chat = app.chat
        await chat.status_line.remove()
        await chat.query_one("#asking").remove()
        await chat.watch_machine().wait()
        chat.preview_soon()
        await pilot.pause(0.3)
        chat.show_expert()
        assert app.crash is None and app._exception is None


@pytest.mark.parametrize("words", [1, 40, 150])
async def test_the_app_ends_in_the_middle_of_an_answer(words: int) -> None:
    app, script = scripted_app("- word\n" * 400, hold_before=words)
    async with app.run_test() as pilot:
        await start_asking(pilot, "Count.")
        await until(pilot, lambda: app.chat.conversation.branch[0].text)
        app.exit()
        script.gate.set()
        await asyncio.sleep(0.1)
    assert app.crash is None and app._exception is None
