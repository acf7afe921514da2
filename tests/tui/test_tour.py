from pathlib import Path

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Static

from medpocket.tui.app import MedpocketApp
from medpocket.tui.first_run import tour_is_due
from medpocket.tui.screens.tour import PAGES, TourScreen
from medpocket.tui.widgets.question_box import QuestionBox
from tests.tui.scripted_app import Script, scripted_app, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def first_run(home: Path, seen_tour: None) -> MedpocketApp:
    (home / "state" / "tour-seen").unlink()
    return MedpocketApp(Script([]).load, first_run=tour_is_due())


def page(pilot: Pilot[None]) -> str:
    tour = pilot.app.screen
    return "\n".join(str(one.render()) for one in tour.query(Static)) if isinstance(tour, TourScreen) else ""


async def test_the_first_start_shows_three_pages_once(first_run: MedpocketApp) -> None:
    assert tour_is_due()
    async with first_run.run_test() as pilot:
        await until(pilot, lambda: "not a medical device" in page(pilot))
        assert "offline" in page(pilot) and "demonstration model" in page(pilot)
        await pilot.press("enter")
        assert "names the expert" in page(pilot) and "2 of 3" in page(pilot)
        await pilot.press("left")
        assert "1 of 3" in page(pilot)
        await pilot.press("right", "right")
        assert "medpocket history lock" in page(pilot) and "3 of 3" in page(pilot)
        await pilot.press("enter")
        assert first_run.screen is first_run.chat
    assert not tour_is_due()


async def test_escape_closes_the_tour_for_good(first_run: MedpocketApp) -> None:
    async with first_run.run_test() as pilot:
        await until(pilot, lambda: page(pilot))
        await pilot.press("escape")
        assert first_run.screen is first_run.chat
    assert not tour_is_due()


async def test_a_question_that_is_typed_or_pasted_ends_the_tour_and_is_not_lost(first_run: MedpocketApp) -> None:
    async with first_run.run_test() as pilot:
        await until(pilot, lambda: page(pilot))
        await pilot.press(*"What is")
        box = first_run.chat.query_one(QuestionBox)
        assert first_run.screen is first_run.chat
        assert box.text == "What is"
        first_run.action_show_tour()
        await until(pilot, lambda: page(pilot))
        first_run.post_message(Paste(" it?\x1b[31m"))
        await until(pilot, lambda: first_run.screen is first_run.chat)
        assert box.text == "What is it?[31m"


async def test_a_terminal_that_is_too_small_is_told_so_and_shows_no_tour(first_run: MedpocketApp) -> None:
    async with first_run.run_test(size=(20, 5)) as pilot:
        await pilot.pause(0.2)
        assert first_run.screen is first_run.chat
    assert tour_is_due()


async def test_the_tour_comes_again_by_its_key_by_command_and_from_help() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        for keys in (["f13"], [*"/tour", "enter"], ["f1", "f13"]):
            await pilot.press(*keys)
            await until(pilot, lambda: "1 of 3" in page(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, TourScreen))


async def test_the_tour_is_in_the_palette() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"three pages")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await until(pilot, lambda: "1 of 3" in page(pilot))


async def test_the_tour_names_the_keys_as_the_user_has_them() -> None:
    app = MedpocketApp(Script([]).load, keymap={"app.help": "ctrl+h", "tour.next": "space"})
    async with app.run_test() as pilot:
        await pilot.press("f13")
        assert "Space goes on" in page(pilot)
        await pilot.press("space", "space")
        assert "Ctrl+H lists the keys" in page(pilot)
        assert "F1 lists" not in page(pilot)


async def test_every_page_fits_into_80_columns_by_24_rows() -> None:
    app, _ = scripted_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f13")
        for _ in PAGES:
            await pilot.pause()
            assert app.screen.query_one("#box").region.height <= 24
            text = app.screen.query_one(".text", Static)
            assert text.visual.get_height(text.styles, text.content_region.width) <= text.content_region.height
            await pilot.press("right")


async def test_a_tour_that_cannot_be_remembered_ends_all_the_same(first_run: MedpocketApp, home: Path) -> None:
    (home / "state").rmdir()
    (home / "state").write_text("a file where the folder belongs")
    async with first_run.run_test() as pilot:
        await until(pilot, lambda: page(pilot))
        await pilot.press("escape")
        assert first_run.screen is first_run.chat
