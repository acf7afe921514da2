"""Keys and commands of the chat that no other test presses, each with what it changes."""

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList

from medpocket.tui.app import MedpocketApp
from medpocket.tui.screens.choose_expert import ChooseExpert
from medpocket.tui.screens.export import ExportScreen
from medpocket.tui.screens.help import HelpScreen
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.why_panel import WhyPanel
from tests.tui.screen_text import screen_text
from tests.tui.scripted_app import ask, idle, scripted_app, texts, until

pytestmark = pytest.mark.anyio


def question_of_focus(app: MedpocketApp) -> str:
    focused = app.chat.focused
    return focused.exchange.question if isinstance(focused, ExchangeView) else ""


async def test_the_focus_goes_up_through_the_answers_and_down_to_the_question() -> None:
    app, _ = scripted_app("one", "two")
    async with app.run_test() as pilot:
        await ask(pilot, "First.")
        await ask(pilot, "Second.")
        seen = []
        for key in ("ctrl+up", "ctrl+up", "ctrl+up", "ctrl+down", "ctrl+down"):
            await pilot.press(key)
            seen.append(question_of_focus(app))
        assert seen == ["Second.", "First.", "First.", "Second.", ""]
        assert app.chat.focused is app.chat.box


async def test_an_answer_is_asked_again_by_its_own_key() -> None:
    app, _ = scripted_app("one", "two", "one again")
    async with app.run_test() as pilot:
        await ask(pilot, "First.")
        await ask(pilot, "Second.")
        await pilot.press("ctrl+up", "ctrl+up", "r")
        await idle(pilot, answers=3)
        assert texts(app) == ["one again"]
        assert app.chat.conversation.exchanges[2].question == "First."


async def test_an_answer_is_compared_by_its_own_key() -> None:
    app, _ = scripted_app("one", "two")
    async with app.run_test() as pilot:
        await ask(pilot, "First.")
        await pilot.press("ctrl+up", "b")
        assert isinstance(app.screen, ChooseExpert)
        app.screen.query_one(OptionList).highlighted = 3
        await pilot.press("enter")
        await idle(pilot, answers=2)
        beside = app.chat.conversation.beside
        assert beside and (beside.text, texts(app)) == ("one", ["two"])


async def test_shift_and_enter_break_the_line() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("a", "shift+enter", "b")
        await until(pilot, lambda: app.chat.box.text == "a\nb")


async def test_the_palette_finds_a_command_by_its_name_and_runs_it() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await ask(pilot, "Question.")
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query(Input))
        await pilot.press(*"begin a new conversation")
        await until(pilot, lambda: _highlighted(app.screen))
        await pilot.press("enter")
        await until(pilot, lambda: texts(app) == [] and app.screen is app.chat)


def _highlighted(screen: Screen[object]) -> bool:
    return any("New" in str(one.prompt) for one in screen.query_one(OptionList).options)


async def test_ctrl_q_ends_the_app_also_over_another_screen() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f1", "ctrl+q")
        await until(pilot, lambda: not app.is_running)
    assert app.return_code == 0


async def run_command(pilot: Pilot[None], command: str) -> MedpocketApp:
    app = pilot.app
    assert isinstance(app, MedpocketApp)
    app.chat.box.put(command)
    await pilot.press("enter")
    await pilot.pause()
    return app


async def test_commands_do_what_their_keys_do() -> None:
    app, _ = scripted_app("answer", "answer again")
    async with app.run_test(size=(120, 40)) as pilot:
        await ask(pilot, "Question.")
        await run_command(pilot, "/copy")
        assert app.clipboard == "answer"
        await run_command(pilot, "/copyall")
        assert app.clipboard.startswith("> Question.")
        await run_command(pilot, "/why")
        assert app.chat.query_one(WhyPanel).display
        await run_command(pilot, "/again")
        await idle(pilot, answers=2)
        assert texts(app) == ["answer again"]
        for command, screen in (("/beside", ChooseExpert), ("/export", ExportScreen), ("/help", HelpScreen)):
            await run_command(pilot, command)
            await until(pilot, lambda wanted=screen: isinstance(app.screen, wanted))
            await pilot.press("escape")
            assert app.screen is app.chat
        await run_command(pilot, "/expert none")
        assert not app.chat.choice.route
        await run_command(pilot, "/new")
        await until(pilot, lambda: texts(app) == [])
        await run_command(pilot, "/quit")
        await until(pilot, lambda: not app.is_running)


async def test_what_cannot_be_done_yet_does_nothing() -> None:
    app, script = scripted_app("answer")
    async with app.run_test() as pilot:
        for key in ("ctrl+r", "ctrl+b", "ctrl+y", "f10", "ctrl+s", "ctrl+up", "ctrl+l"):
            await pilot.press(key)
        assert app.screen is app.chat and app.chat.focused is app.chat.box
        assert app.clipboard == "" and script.engine.prompts == []


async def test_a_context_that_fills_up_is_said_in_words() -> None:
    app, _ = scripted_app("x" * 350, "y " * 119 + "y")
    async with app.run_test(size=(120, 30)) as pilot:
        await ask(pilot, "a" * 300)
        assert "context 30% of 1,000 ·" in screen_text(app)
        await ask(pilot, "And?")
        assert "context 78% of 1,000 (nearly full)" in screen_text(app)
