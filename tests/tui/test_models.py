"""The Models screen, without a network."""

import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from medpocket.models.installed import find_installed
from medpocket.tui.screens.confirm import Confirm
from medpocket.tui.screens.import_model import ImportModel, YesOrNo
from medpocket.tui.screens.models import ModelsScreen
from medpocket.tui.widgets.question_box import QuestionBox
from tests.conftest import DEMO
from tests.models.gguf_seeds import write_seed
from tests.models.installing import install
from tests.tui.models_app import (
    add_rows,
    cells,
    confirm,
    details,
    go_to,
    has_told,
    models_app,
    open_models,
    said,
    state,
    told,
)
from tests.tui.scripted_app import ask, start_asking, texts, until

pytestmark = pytest.mark.anyio


async def test_every_model_stands_there_with_size_weights_fit_and_state_in_words() -> None:
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "biomistral-7b-q4")
        assert cells(pilot, "biomistral-7b-q4")[:3] == ["biomistral-7b-q4", "Q4_K_M", "~4.37 GB"]
        assert cells(pilot, "biomistral-7b-q4")[3].startswith(("yes, 4.", "no, 4."))
        assert state(pilot, "biomistral-7b-q4") == "not installed"
        assert cells(pilot, "qcammel-13-awq")[3:] == ["no", "does not run here"]
        assert state(pilot, "demo") == "with MedPocket"
        await until(pilot, lambda: "BioMistral's authors advise against" in details(pilot))
        assert "Apache-2.0" in details(pilot)
        await pilot.press("escape")
        assert app.screen is app.chat


async def test_a_command_and_the_palette_open_it_too() -> None:
    app, _ = models_app()
    async with app.run_test() as pilot:
        app.chat.query_one(QuestionBox).put("/models")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await pilot.press("escape")
        await pilot.press("ctrl+p", *"what runs here")
        await pilot.pause(0.5)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))


async def test_enter_has_the_model_answer_and_the_conversation_stays() -> None:
    app, asked = models_app("one", "two")
    async with app.run_test() as pilot:
        await ask(pilot, "First.")
        await open_models(pilot, "demo")
        await pilot.press("enter")
        await until(pilot, lambda: state(pilot, "demo") == "answers now")
        assert asked == [None, "demo"]
        await pilot.press("escape")
        await ask(pilot, "Second.")
        assert texts(app) == ["one", "two"]
        assert app.chat.conversation.branch[-1].model == "Demo F16"


async def test_a_model_that_cannot_be_loaded_leaves_the_one_before_in_use() -> None:
    app, asked = models_app("one", broken="demo")
    async with app.run_test() as pilot:
        await open_models(pilot, "demo")
        await pilot.press("enter")
        await has_told(pilot, "too little memory")
        assert "Scripted goes on answering" in told(pilot)
        assert asked == [None, "demo", "scripted"]
        await until(pilot, lambda: app.chat.status.model and app.chat.status.model.id == "scripted")
        await pilot.press("escape")
        await ask(pilot, "Question.")
        assert texts(app) == ["one"]


async def test_the_model_that_answers_goes_on_until_the_files_of_the_next_are_found_to_be_good() -> None:
    install("ward", b"no model at all")
    app, asked = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "ward")
        await pilot.press("enter")
        await until(pilot, lambda: "GGUF" in said(pilot))
        await go_to(pilot, "biomistral-7b-q4")
        await pilot.press("enter")
        await until(pilot, lambda: "not installed. Download gets it" in said(pilot))
        assert asked == [None]


async def test_a_model_that_is_used_while_an_answer_comes_waits_for_its_end() -> None:
    app, asked = models_app("one two three", hold_before=2)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.chat.status.model)
        await start_asking(pilot, "Count.")
        await open_models(pilot, "demo")
        await pilot.press("enter")
        await until(pilot, lambda: "when the answer that is coming has ended" in said(pilot))
        assert asked == [None]
        app.chat.action_stop()
        await until(pilot, lambda: state(pilot, "demo") == "answers now")
        assert texts(app) == ["one two"]


async def test_a_model_is_removed_after_a_question_and_not_before(home: Path) -> None:
    install("ward", b"weights")
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "ward")
        await pilot.press("x")
        assert "0.0 MB are deleted" in await confirm(pilot, "escape")
        assert find_installed("ward")
        await pilot.press("delete")
        await confirm(pilot, "y")
        await has_told(pilot, "ward is removed")
        assert not (home / "data" / "models" / "ward").exists()
        await until(pilot, lambda: cells(pilot, "ward")[0] == "")


async def test_what_answers_and_what_medpocket_brings_is_not_removed() -> None:
    entry = install("ward", DEMO.read_bytes(), "demo.gguf")
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "ward")
        await pilot.press("enter")
        await until(pilot, lambda: state(pilot, "ward") == "answers now")
        await pilot.press("x")
        assert "Use another model first" in said(pilot)
        await go_to(pilot, "demo")
        await pilot.press("x")
        await until(pilot, lambda: "a part of MedPocket" in said(pilot))
        assert entry.path.exists()


async def test_a_model_that_another_process_removes_while_it_answers_is_told() -> None:
    entry = install("ward", DEMO.read_bytes(), "demo.gguf")
    app, asked = models_app("answer")
    async with app.run_test() as pilot:
        await open_models(pilot, "ward")
        await pilot.press("enter")
        await until(pilot, lambda: state(pilot, "ward") == "answers now")
        entry.path.unlink()
        await pilot.press("enter")
        await until(pilot, lambda: "is not there" in said(pilot))
        entry.remove()
        await pilot.press("r")
        await until(pilot, lambda: cells(pilot, "ward")[0] == "")
        assert asked == [None, "ward"]
        await pilot.press("escape")
        await ask(pilot, "Question.")
        assert texts(app) == ["answer"]


async def test_v_reads_a_model_and_says_whether_it_is_as_recorded() -> None:
    entry = install("ward", b"weights" * 1000)
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "ward")
        await pilot.press("v")
        await has_told(pilot, "ward: good, as it was recorded")
        content = bytearray(entry.path.read_bytes())
        content[5000] ^= 1
        entry.path.write_bytes(content)
        await pilot.press("v")
        await has_told(pilot, "was set aside as model.gguf.corrupt")
        await until(pilot, lambda: state(pilot, "ward") == "damaged")
        await go_to(pilot, "demo")
        await pilot.press("v")
        await until(pilot, lambda: "has no record" in said(pilot))
        await pilot.press("s")
        assert "Nothing is going on" in said(pilot)


async def test_a_model_is_imported_from_a_folder_and_answers(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    shutil.copy(DEMO, stick / "Ward.gguf")
    app, asked = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportModel))
        app.screen.query_one("#path", Input).value = str(stick)
        await pilot.press("enter")
        assert "11.8 MB: a model of your own" in await confirm(pilot, "y")
        await has_told(pilot, "ward is installed; no hash came with it")
        await until(pilot, lambda: cells(pilot, "ward")[1:3] == ["Q8_0", "11.8 MB"])
        await go_to(pilot, "ward")
        await pilot.press("enter")
        await until(pilot, lambda: state(pilot, "ward") == "answers now")
        assert asked == [None, "ward"]


async def test_a_model_is_used_where_it_lies_and_taken_anew_in_its_own_place(home: Path, tmp_path: Path) -> None:
    add_rows(home)
    path = write_seed(tmp_path / "tiny-model.gguf")
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot)
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportModel))
        await pilot.press(*str(path)[:-3])
        await until(pilot, lambda: app.screen.query_one("#path", Input)._suggestion)
        await pilot.press("right", "tab", "tab", "space")
        assert app.screen.query_one("#path", Input).value == str(path)
        assert "yes" in str(app.screen.query_one(YesOrNo).render())
        await pilot.press("shift+tab", "enter")
        assert "Mind what it says." in await confirm(pilot, "y")
        await has_told(pilot, "tiny is installed")
        await until(pilot, lambda: state(pilot, "tiny") == "installed, linked")
        await go_to(pilot, "tiny")
        await pilot.press("x")
        assert "stays where it is" in await confirm(pilot, "escape")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, ImportModel))
        app.screen.query_one("#path", Input).value = str(path)
        await pilot.press("enter")
        assert "in the place of the tiny that is here" in await confirm(pilot, "y")
        await until(pilot, lambda: state(pilot, "tiny") == "installed")


NASTY = "[red]x[@click=app.quit]\x1b[2J\u202e.gguf"


async def test_file_names_with_markup_and_escape_sequences_are_shown_as_text(tmp_path: Path) -> None:
    path = write_seed(tmp_path / NASTY)
    app, _ = models_app()
    async with app.run_test(size=(120, 30)) as pilot:
        await open_models(pilot)
        for wanted in (path, tmp_path / f"none{NASTY}"):
            await pilot.press("i")
            await until(pilot, lambda: isinstance(app.screen, ImportModel))
            app.screen.query_one("#path", Input).value = str(wanted)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Confirm) or "there is no file" in said(pilot))
            await pilot.pause()
            shown = "\n".join("".join(part.text for part in line) for line in app.screen._compositor.render_strips())
            assert "[red]x[@click=app.quit]" in shown
            assert "\x1b" not in shown and "\u202e" not in shown
            await pilot.press("escape")
            if wanted == path:
                await until(pilot, lambda: isinstance(app.screen, ModelsScreen))


async def test_the_mouse_goes_to_a_row_and_presses_the_keys_at_the_bottom() -> None:
    app, asked = models_app()
    async with app.run_test() as pilot:
        screen = await open_models(pilot)
        await pilot.click("DataTable", offset=(5, 3))
        assert screen.highlighted == "biomistral-7b-f16"
        assert asked == [None]
        key = next(one for one in screen.query("FooterKey") if "Import" in str(one.render()))
        await pilot.click(key)
        await until(pilot, lambda: isinstance(app.screen, ImportModel))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_a_record_that_is_broken_is_told(home: Path) -> None:
    (home / "data" / "models").mkdir(parents=True)
    (home / "data" / "models" / "models.json").write_text("[red]no")
    app, _ = models_app()
    async with app.run_test() as pilot:
        await pilot.press("f3")
        await until(pilot, lambda: "models.json is damaged" in said(pilot))
        await pilot.press("escape")
        assert app.screen is app.chat
