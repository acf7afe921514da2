from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from medpocket.config import Settings, load_settings
from medpocket.toml_file import keys_of
from medpocket.tui.keys import all_keys, clashing
from medpocket.tui.screens.catch_key import CatchKey
from medpocket.tui.screens.edit_setting import EditSetting
from medpocket.tui.screens.own_keys import OwnKeysScreen
from medpocket.tui.screens.settings import SettingsScreen
from tests.tui.scripted_app import ask, scripted_app, texts, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def user_file(home: Path) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def table(pilot: Pilot[None]) -> DataTable[object]:
    return pilot.app.screen.query_one(DataTable)


def shown(pilot: Pilot[None]) -> dict[str, list[str]]:
    rows = [[str(cell) for cell in table(pilot).get_row_at(place)] for place in range(table(pilot).row_count)]
    return {name: rest for name, *rest in rows}


def text_of(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


async def go_to(pilot: Pilot[None], name: str) -> None:
    """Open the settings where they are not open, and highlight one."""
    if not isinstance(pilot.app.screen, SettingsScreen):
        await pilot.press("f5")
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and table(pilot).row_count)
    table(pilot).move_cursor(row=list(shown(pilot)).index(name))
    await until(pilot, lambda: text_of(pilot, ".details .text").startswith(name))


async def edit(pilot: Pilot[None], name: str, *keys: str) -> None:
    await go_to(pilot, name)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, EditSetting))
    await pilot.press(*keys)


async def said(pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, SettingsScreen) and words in text_of(pilot, ".saying"))


async def test_every_setting_stands_there_with_its_value_and_where_that_comes_from(
    user_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    user_file.write_text("threads = 3\n")
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "config.toml").write_text("batch = 64\n")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await go_to(pilot, "threads")
        rows = shown(pilot)
        assert list(rows) == [entry.name for entry in keys_of(Settings)]
        assert rows["threads"] == ["3", "your file"]
        assert rows["batch"] == ["64", "this machine's file"]
        assert rows["model"] == ["not set", "built in"]
        assert rows["theme"] == ["no colours", "environment: NO_COLOR"]
        about = text_of(pilot, ".details .text").replace("\n", " ")
        assert "More than there are physical cores seldom helps" in about
        assert f"your file: {user_file}" in about
        assert "a whole number from 1 to 512" in about and "this app takes it  when it loads a model next" in about


async def test_a_number_is_changed_and_what_else_stands_in_the_file_stays(user_file: Path) -> None:
    user_file.write_text("# mine\nthreads = 3 # of 4\n")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await edit(pilot, "threads")
        assert app.screen.query_one(Input).value == "3"
        await pilot.press("backspace", "2", "enter")
        await said(pilot, "threads is 2")
        assert "when it loads a model next" in text_of(pilot, ".saying")
        assert user_file.read_text() == "# mine\nthreads = 2 # of 4\n"
        assert shown(pilot)["threads"] == ["2", "your file"]


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("temperature", "9", "must be a number from 0 to 2"),
        ("context", "many", "must be a whole number from 128"),
        ("model", "biomitral-7b-q4", "did you mean 'biomistral-7b-q4'?"),
        ("model", "biomistral-7b-q4", "is not installed"),
        ("model", "/nowhere/x.gguf", "there is no such file"),
    ],
)
async def test_what_is_wrong_with_a_value_is_said_beside_it(home: Path, name: str, typed: str, words: str) -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await edit(pilot, name)
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await until(pilot, lambda: words in text_of(pilot, ".wrong").replace("\n", " "))
        await pilot.press("x")
        assert text_of(pilot, ".wrong") == ""
        await pilot.press("escape")
        assert isinstance(app.screen, SettingsScreen)
        assert load_settings() == Settings()


async def test_the_colours_and_the_lock_change_at_once(home: Path) -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await edit(pilot, "theme", "down", "enter")
        await said(pilot, "It holds now")
        assert app.theme == "medpocket-light"
        await edit(pilot, "lock_after", "3", "enter")
        await said(pilot, "lock_after is 3")
        assert app.chat.lock_after_s == 180
        assert load_settings() == Settings(theme="light", lock_after=3)


async def test_true_and_false_are_chosen_from_a_list(home: Path) -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await edit(pilot, "repack", "up", "enter")
        await said(pilot, "repack is true")
        assert load_settings().repack is True


async def test_a_setting_is_taken_out_of_the_file(user_file: Path) -> None:
    user_file.write_text('# mine\ntheme = "light"\n')
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await go_to(pilot, "theme")
        await pilot.press("u")
        await said(pilot, "as it was before")
        assert user_file.read_text() == "# mine\n"
        await pilot.press("delete")
        await said(pilot, "theme is not in your file")


async def test_a_file_that_was_changed_meanwhile_is_not_overwritten(user_file: Path) -> None:
    user_file.write_text('theme = "light"\n')
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await edit(pilot, "theme")
        user_file.write_text('theme = "contrast"\nseed = 1\n')
        await pilot.press("up", "enter")
        await until(pilot, lambda: "changed by another program" in text_of(pilot, ".wrong").replace("\n", " "))
        await pilot.press("escape")
        assert user_file.read_text() == 'theme = "contrast"\nseed = 1\n'


async def test_what_the_machine_decides_cannot_be_changed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "config.toml").write_text("allow_pull = false\n")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await go_to(pilot, "allow_pull")
        assert shown(pilot)["allow_pull"] == ["false", "this machine's file"]
        await pilot.press("enter")
        await said(pilot, "decided for this machine")


async def test_a_value_that_is_refused_is_shown_and_mended_here(user_file: Path) -> None:
    user_file.write_text('theme = "[bold]pink"\nthreads = 0\n')
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await go_to(pilot, "theme")
        assert shown(pilot)["theme"][0] == "[bold]pink  (refused)"
        assert "mend it here" in text_of(pilot, ".details .text").replace("\n", " ")
        await edit(pilot, "theme", "home", "enter")
        await said(pilot, "threads: must be")  # the next line that is wrong
        await edit(pilot, "threads")
        app.screen.query_one(Input).value = "1"
        await pilot.press("enter")
        await said(pilot, "threads is 1")
        assert load_settings() == Settings(theme="dark", threads=1)


async def test_a_file_that_is_no_toml_is_told_and_left_alone(user_file: Path) -> None:
    user_file.write_text("theme =\n")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await said(pilot, "not TOML")
        await pilot.press("enter", "u")
        assert user_file.read_text() == "theme =\n"


async def to_keys(pilot: Pilot[None], id_: str) -> None:
    await go_to(pilot, "keys")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, OwnKeysScreen) and table(pilot).row_count)
    table(pilot).move_cursor(row=list(shown(pilot)).index(id_))
    await until(pilot, lambda: text_of(pilot, ".details .text").startswith(id_))


async def given(pilot: Pilot[None], id_: str, key: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, OwnKeysScreen) and shown(pilot)[id_][0] == key)
    await pilot.pause()


async def test_a_key_is_changed_by_pressing_another_and_works_at_once_and_after(user_file: Path) -> None:
    user_file.write_text("# mine\n")
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await ask(pilot, "Question.")
        await to_keys(pilot, "chat.new")
        assert list(shown(pilot)) == list(all_keys())
        await pilot.press("enter", "ctrl+k")
        await given(pilot, "chat.new", "ctrl+k")
        assert user_file.read_text() == '# mine\n\n[keys]\n"chat.new" = "ctrl+k"\n'
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is app.chat)
        await pilot.press("ctrl+n")
        assert texts(app) == ["answer"]
        await pilot.press("ctrl+k")
        await until(pilot, lambda: texts(app) == [])
        await to_keys(pilot, "chat.new")
        await pilot.press("u")
        await given(pilot, "chat.new", "ctrl+n")
        assert dict(load_settings().keys) == {}


async def test_a_letter_that_is_typed_is_no_key_and_one_that_is_taken_is_asked_for_twice(home: Path) -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await to_keys(pilot, "chat.new")
        await pilot.press("enter", "x")
        assert isinstance(app.screen, CatchKey)
        assert "x is needed to type" in text_of(pilot, ".wrong").replace("\n", " ")
        await pilot.press("f8")
        assert "f8 is app.doctor" in text_of(pilot, ".wrong").replace("\n", " ")
        await pilot.press("f8")
        await given(pilot, "chat.new", "f8")
        await pilot.press("enter", "escape")
        assert isinstance(app.screen, OwnKeysScreen)
        assert dict(load_settings().keys) == {"chat.new": "f8"}


async def test_a_single_letter_is_a_key_for_an_answer(home: Path) -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await to_keys(pilot, "answer.copy")
        await pilot.press("enter", "y")
        await given(pilot, "answer.copy", "y")


async def test_keys_that_work_at_the_same_time_clash() -> None:
    def clash(id_: str, key: str) -> str | None:
        other = clashing(id_, key, {"chat.new": "f7"})
        return other.id if other else None

    assert clash("chat.why", "f7") == "chat.new"
    assert clash("chat.why", "ctrl+n") is None  # it is not the key of a new chat any more
    assert clash("answer.copy", "r") == "answer.again"
    assert clash("question.send", "r") is None
    assert clash("screen.close", "f8") == "app.doctor"
    assert clash("experts.verify", "r") == "screen.reload"
    assert clash("experts.verify", "u") is None  # that is a key of another screen
    assert [key.id for key in all_keys().values() if clashing(key.id, key.keys.split(",")[0], {})] == []


async def test_settings_open_by_command_and_close_again(home: Path) -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press(*"/settings", "enter")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("escape")
        assert app.screen is app.chat


async def test_a_terminal_that_is_too_small_says_what_it_needs_on_every_screen_and_works_when_it_grows(
    home: Path,
) -> None:
    app, _ = scripted_app()
    async with app.run_test(size=(20, 5)) as pilot:
        for key in ("f1", "f4", "f5", "f8"):
            await pilot.press(key)
            await pilot.pause()
            line = app.screen.query_one("#too-small", Static)
            assert line.display and str(line.render()) == "needs at least 40x12"
            assert line.region.width == 20
        await pilot.press("f5")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not app.screen.query_one("#too-small").display)
        await edit(pilot, "repack", "up", "enter")
        await said(pilot, "repack is true")
