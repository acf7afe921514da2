from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from medpocket.errors import DiskShortError
from medpocket.store.export import json_format
from medpocket.store.history import History
from medpocket.store.records import State
from medpocket.tui.app import MedpocketApp
from medpocket.tui.screens.export import ExportScreen
from tests.tui.screen_text import screen_text
from tests.tui.scripted_app import ask, scripted_app, start_asking, until

pytestmark = pytest.mark.anyio


async def write(pilot: Pilot[None], target: Path) -> None:
    """Give the file's name in the open screen, and have it written."""
    pilot.app.screen.query_one(Input).value = str(target)
    await pilot.pause()
    await pilot.press("enter")


async def history_is_on(pilot: Pilot[None], app: MedpocketApp) -> None:
    await until(pilot, lambda: app.history.state.value == "history on")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("note.md", ("# Which dose?", "    5 mg", "draft, not reviewed")),
        ("note.txt", ("Which dose?\n===========", "| 5 mg")),
        ("note.json", ('"medpocket-history"', '"5 mg"')),
    ],
)
async def test_a_conversation_is_exported_in_the_form_that_the_name_asks_for(
    name: str, expected: tuple[str, ...], tmp_path: Path, home: Path
) -> None:
    app, _ = scripted_app("5 mg")
    async with app.run_test() as pilot:
        await history_is_on(pilot, app)
        await ask(pilot, "Which dose?")
        await pilot.press("ctrl+s")
        await write(pilot, tmp_path / name)
        await until(pilot, lambda: app.screen is app.chat)
        text = (tmp_path / name).read_text()
        assert all(part in text for part in expected)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        (log,) = home.rglob("audit.jsonl")
        assert '"history export"' in log.read_text().splitlines()[-1]


async def test_the_draft_of_a_note_is_chosen_from_the_list(tmp_path: Path) -> None:
    app, _ = scripted_app("5 mg")
    async with app.run_test() as pilot:
        await ask(pilot, "Which dose?")
        await pilot.press("ctrl+s", "down", "down")
        target = tmp_path / "note.md"
        app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists)
        assert "## Assessment" in target.read_text()


async def test_nothing_is_overwritten_and_the_screen_says_so(tmp_path: Path) -> None:
    app, _ = scripted_app("answer")
    there = tmp_path / "there.md"
    there.write_text("mine")
    async with app.run_test() as pilot:
        await ask(pilot, "Question.")
        app.chat.box.put(f"/export {there}")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "not overwritten" in str(app.screen.query_one(".saying").render()))
        assert there.read_text() == "mine"
        assert app.screen.query_one(OptionList).highlighted == 0
        await pilot.press("escape")
        assert app.screen is app.chat


async def test_an_answer_that_the_full_disk_could_not_keep_stays_on_the_screen_and_is_exported_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, script = scripted_app("kept", "one two three four", hold_before=2)
    async with app.run_test() as pilot:
        await history_is_on(pilot, app)
        await ask(pilot, "First.")
        await start_asking(pilot, "Second.")
        await until(pilot, lambda: app.chat.conversation.branch[-1].stored)

        def full(*_arguments: object, **_named: object) -> None:
            raise DiskShortError("the disk is full: the history could not be written", "free some space")

        with monkeypatch.context() as disk:
            disk.setattr(History, "transaction", full)
            script.gate.set()
            await until(pilot, lambda: not app.chat.conversation.open)
        assert app.chat.conversation.branch[-1].text == "one two three four"
        await until(pilot, lambda: "the disk is full" in str(app.chat.query(".tail").last().render()))
        await pilot.press("ctrl+s")
        await write(pilot, tmp_path / "all.json")
        await until(pilot, (tmp_path / "all.json").exists)
    (whole,) = json_format.read((tmp_path / "all.json").read_text())
    assert [(turn.parent, turn.answer, turn.state) for turn in whole.turns] == [
        (None, "kept", State.COMPLETE),
        (1, "one two three four", State.COMPLETE),
    ]


async def test_a_conversation_that_is_not_kept_is_exported_with_its_branches(tmp_path: Path) -> None:
    app, _ = scripted_app("one", "two")
    async with app.run_test() as pilot:
        await history_is_on(pilot, app)
        app.history.close()
        await ask(pilot, "First.")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: len(app.chat.conversation.exchanges) == 2 and not app.chat.conversation.open)
        await pilot.press("ctrl+s")
        await write(pilot, tmp_path / "all.json")
        await until(pilot, (tmp_path / "all.json").exists)
    (whole,) = json_format.read((tmp_path / "all.json").read_text())
    assert [(turn.number, turn.parent, turn.answer) for turn in whole.turns] == [(1, None, "one"), (2, None, "two")]


async def test_an_answer_is_signed_and_a_later_note_voids_the_signature() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await history_is_on(pilot, app)
        chat = await ask(pilot, "Question.")
        await pilot.press("ctrl+up", "s", *"Dr A. Name", "enter")
        await until(pilot, lambda: "signed by Dr A. Name" in str(chat.query_one(".tail").render()))
        id_ = chat.conversation.id or ""
        await pilot.press("n", *"seen", "enter")
        await until(pilot, lambda: "VOID" in str(chat.query_one(".tail").render()))
        await pilot.press("ctrl+n")
        await chat.open_conversation(id_)
        await until(pilot, lambda: "VOID" in str(chat.query_one(".tail").render()))


async def test_an_answer_that_is_not_kept_cannot_be_signed() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await history_is_on(pilot, app)
        app.history.close()
        await ask(pilot, "Question.")
        await pilot.press("ctrl+up", "s")
        assert app.screen is app.chat
        assert any("not in the history" in one.message for one in app._notifications)


async def test_placeholders_are_put_for_names_and_listed_to_be_read(tmp_path: Path, home: Path) -> None:
    app, _ = scripted_app("Ask Mr. Miller again.")
    async with app.run_test() as pilot:
        await history_is_on(pilot, app)
        await ask(pilot, "Mr. John Miller, phone 555-867-5309, has a rash.")
        await pilot.press("ctrl+s")
        target = tmp_path / "note.md"
        app.screen.query_one(Input).value = str(target)
        await pilot.press("tab", "tab", "space", "shift+tab", "enter", "enter")
        await until(pilot, lambda: "rules that miss some" in screen_text(app))
        assert "John Miller" in screen_text(app) and "555-867-5309" in screen_text(app)
        text = target.read_text()
        assert "Miller" not in text and "555" not in text and "has a rash" in text
        (log,) = home.rglob("audit.jsonl")
        assert '"deidentified"' in log.read_text().splitlines()[-1]
        await pilot.press("escape")
        assert app.screen is app.chat
