import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from medpocket.tui.app import MedpocketApp
from medpocket.tui.keys import ANSWER, APP, CHAT, EXPERTS, QUESTION, as_written
from medpocket.tui.screens.experts import ExpertsScreen
from medpocket.tui.screens.help import HelpScreen
from tests.tui.scripted_app import Script, ask, scripted_app, until

pytestmark = pytest.mark.anyio


async def help_text(pilot: Pilot[None], key: str = "f1") -> str:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen) and shown(pilot))
    return shown(pilot)


def shown(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one(".text", Static).render())


def part(text: str, heading: str) -> str:
    """What stands under a heading."""
    return text.partition(f"\n{heading}\n")[2].partition("\n\n")[0]


async def test_help_says_what_medpocket_is_not_and_closes_again() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        text = await help_text(pilot)
        assert "not a medical device" in text and "not for emergencies" in text
        await pilot.press("escape")
        assert app.screen is app.chat


async def test_help_lists_the_keys_of_the_question_of_the_conversation_and_of_everywhere() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        text = await help_text(pilot)
        assert all(key.tooltip in part(text, "In the question") for key in QUESTION)
        assert all(key.tooltip in part(text, "In the conversation") for key in CHAT)
        assert all(key.tooltip in part(text, "Everywhere") for key in APP)
        assert "Undo" in part(text, "Moving and editing")
        assert "Lock the encrypted history, and hide the conversation  (not now)" in text
        assert not any(key.tooltip in text for key in ANSWER if key.tooltip not in {one.tooltip for one in CHAT})


async def test_help_lists_what_an_answer_does_where_it_has_the_focus() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await ask(pilot, "Question.")
        await pilot.press("ctrl+up")
        text = await help_text(pilot)
        assert all(key.tooltip in part(text, "On this answer") for key in ANSWER)
        assert "In the question" not in text and "(not now)" not in part(text, "On this answer")


async def test_help_lists_the_keys_of_another_screen() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, ExpertsScreen))
        text = await help_text(pilot)
        assert EXPERTS[0].tooltip in part(text, "On this screen")
        assert "In the conversation" not in text


async def test_help_shows_the_keys_that_the_user_gave() -> None:
    app = MedpocketApp(Script([]).load, keymap={"chat.new": "ctrl+k", "app.help": "f11"})
    async with app.run_test() as pilot:
        await pilot.pause(0.2)
        text = await help_text(pilot, "f11")
        assert any(line.split("  ")[0] == "Ctrl+K" and "Begin a new" in line for line in text.splitlines())
        assert "Ctrl+N" not in text and "Delete to line end" not in text


@pytest.mark.parametrize(
    ("key", "written"),
    [("ctrl+k", "Ctrl+K"), ("escape", "Esc"), ("f1", "F1"), ("g", "g"), ("shift+enter", "Shift+Enter")],
)
async def test_keys_are_written_as_people_do(key: str, written: str) -> None:
    assert as_written(key) == written
