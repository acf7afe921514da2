import pytest
from textual.widgets import Markdown

from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.status_line import StatusLine
from tests.tui.scripted_app import ask, scripted_app, start_asking, until

pytestmark = pytest.mark.anyio


async def test_a_question_is_answered_in_markdown_under_a_line_that_names_who_answers() -> None:
    app, _ = scripted_app("# Glaucoma\n\nRaised **pressure** in the eye.")
    async with app.run_test() as pilot:
        chat = await ask(pilot, "What are the symptoms of glaucoma?")
        view = chat.query_one(ExchangeView)
        assert view.query_one(Markdown).source == "# Glaucoma\n\nRaised **pressure** in the eye."
        assert "eye_ent" in str(view.query_one(".head").render())
        assert "prompt only, no adapter" in str(view.query_one(".head").render())
        assert "Scripted F16" in str(chat.query_one(StatusLine).render())


async def test_escape_stops_an_answer_at_once_and_keeps_what_came() -> None:
    app, _ = scripted_app("one two three four", hold_before=2)
    async with app.run_test() as pilot:
        await start_asking(pilot, "Count.")
        await until(pilot, lambda: app.chat.conversation.leaf and app.chat.conversation.leaf.routed)
        await pilot.press("escape")
        await until(pilot, lambda: app.chat.conversation.leaf and not app.chat.conversation.leaf.is_open)
        last = app.chat.conversation.leaf
        assert last and last.stop == "cancelled"
        assert last.text == "one two"
        assert "stopped" in str(app.chat.query_one(".tail").render())
