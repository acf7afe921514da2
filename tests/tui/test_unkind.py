"""What a terminal, a disk, a model and a user may do to the app."""

import errno
import io
import shutil
from pathlib import Path

import pytest
from textual.events import Paste

from medpocket.errors import DiskShortError, EngineError, MedpocketError
from medpocket.store.history import History
from medpocket.tui import start
from medpocket.tui.app import MedpocketApp
from medpocket.tui.services.engine_thread import Loaded, LoadModel, Post
from medpocket.tui.services.loading import load_installed
from medpocket.tui.widgets.question_box import QuestionBox
from tests.conftest import DEMO
from tests.tui.scripted_app import ask, idle, scripted_app, start_asking, texts, until

pytestmark = pytest.mark.anyio

PLANTED = "PLANTED-PATIENT-TEXT"


def told(app: MedpocketApp) -> str:
    return "\n".join(f"{one.title} {one.message}" for one in app._notifications)


async def test_a_crash_shows_no_text_of_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    app, _ = scripted_app("answer")

    def fail() -> None:
        secret = PLANTED
        raise KeyError(secret)

    with pytest.raises(KeyError):
        async with app.run_test() as pilot:
            app.chat.query_one(QuestionBox).insert(PLANTED)
            app.chat.call_later(fail)
            await pilot.pause(0.2)
    assert app.crash and "KeyError at test_unkind.py" in app.crash.message
    assert PLANTED not in app.crash.message + app.crash.hint
    written = io.StringIO()
    app.error_console.file = written
    app._print_error_renderables()
    captured = capsys.readouterr()
    assert PLANTED not in written.getvalue() + captured.out + captured.err


NASTY = "[bold]x[/bold] [/foo] [@click=app.quit]q[/] \x1b[31mred\x07 \x9b2J a\u202eb"


async def test_escape_sequences_and_markup_are_shown_as_text() -> None:
    app, _ = scripted_app(f"{NASTY}\n\n| [/a] | b |\n| --- | --- |\n| {NASTY} | [x](http://example.org) |")
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        chat = await ask(pilot, NASTY)
        await pilot.hover(chat.query("MarkdownTableCellContents").last())
        await pilot.pause(0.6)
        shown = "\n".join("".join(part.text for part in line) for line in app.screen._compositor.render_strips())
        assert "[bold]x[/bold] [/foo]" in shown
        assert not any(mark in shown for mark in "\x1b\x07\x9b\u202e")
        await pilot.press("ctrl+up", "n", *"[/x]", "enter")
        await until(pilot, lambda: chat.conversation.branch[0].note == "[/x]")
        assert "note: [/x]" in str(chat.query_one(".tail").render())


async def test_links_of_an_answer_lead_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    app, _ = scripted_app("[here](http://example.org)")
    monkeypatch.setattr(app, "open_url", opened.append)
    async with app.run_test() as pilot:
        chat = await ask(pilot, "Where?")
        await pilot.click(chat.query_one("MarkdownParagraph"), offset=(1, 0))
        await pilot.pause()
    assert opened == []


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (200, 60)])
async def test_any_terminal_takes_a_question(size: tuple[int, int]) -> None:
    app, _ = scripted_app("answer")
    async with app.run_test(size=size) as pilot:
        await ask(pilot, "Question.")
        assert texts(app) == ["answer"]


async def test_a_terminal_that_is_too_small_says_what_it_needs_and_works_when_it_grows() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        assert app.chat.query_one("#too-small").display
        assert app.chat.query_one(QuestionBox).display
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.chat.query_one("#too-small").display


async def test_a_storm_of_resizes_leaves_the_answer_whole() -> None:
    app, _ = scripted_app("one two three four five six", hold_before=3)
    async with app.run_test() as pilot:
        await start_asking(pilot, "Count.")
        for step in range(30):
            await pilot.resize_terminal(20 + step * 5 % 160, 5 + step % 45)
        await pilot.press("escape")
        await idle(pilot, answers=1)
        assert texts(app) == ["one two three"]


async def test_a_pasted_note_of_200_kb_is_kept_whole_and_asked() -> None:
    app, script = scripted_app("answer")
    note = "Patient with glaucoma. Kein Text. " * 6000
    async with app.run_test() as pilot:
        box = app.chat.query_one(QuestionBox)
        app.post_message(Paste(note))
        await until(pilot, lambda: len(box.text) == len(note))
        await pilot.press("enter")
        await idle(pilot, answers=1)
        error = app.chat.conversation.branch[0].error
        assert error and "context holds 1,000" in error.message
        assert script.engine.prompts == []


async def test_an_engine_error_in_mid_answer_keeps_what_came_and_the_app_goes_on() -> None:
    app, script = scripted_app("one two three", "next")

    async with app.run_test() as pilot:

        def fail(number: int, _cancel: object) -> None:
            if number == 2 and len(script.engine.prompts) == 1:
                raise EngineError("llama.cpp could not evaluate the text", "run `medpocket doctor`")

        script.engine._before_word = fail
        chat = await ask(pilot, "Count.")
        failed = chat.conversation.branch[0]
        assert failed.text == "one two" and failed.error
        assert "llama.cpp could not evaluate" in str(chat.query_one(".tail").render())
        await ask(pilot, "Again.")
        assert texts(app) == ["one two", "next"]


async def test_a_full_disk_stops_no_answer_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")

        def full(*_arguments: object, **_named: object) -> None:
            raise DiskShortError("the disk is full: the history could not be written", "free some space")

        monkeypatch.setattr(History, "begin", full)
        chat = await ask(pilot, "Question.")
        assert texts(app) == ["answer"]
        assert "the disk is full" in str(chat.query_one(".tail").render())


async def test_a_history_that_cannot_be_opened_is_told_and_the_chat_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, PLANTED)

    monkeypatch.setattr(History, "open", fail)
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await ask(pilot, "Question.")
        assert texts(app) == ["answer"]
        assert app.history.state.value == "history off"
        assert "disk is full" in told(app)


async def test_a_model_that_is_gone_is_told_and_another_can_be_loaded() -> None:
    app, script = scripted_app("answer")

    def load(request: LoadModel, post: Post) -> Loaded:
        if request.name != "other":
            raise MedpocketError("the file is gone", "get it again")
        return script.load(request, post)

    app = MedpocketApp(load)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "the file is gone" in told(app))
        chat = await ask(pilot, "Question.")
        assert "no model in memory" in str(chat.query_one(".tail").render())
        app.chat.query_one(QuestionBox).put("/model other")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.status.model)
        await ask(pilot, "Question.")
        assert texts(app)[-1] == "answer"


async def test_a_model_that_cannot_be_loaded_leaves_the_one_that_is_there() -> None:
    _, script = scripted_app("answer")

    def load(request: LoadModel, post: Post) -> Loaded:
        if request.name == "broken":
            raise MedpocketError("the file is damaged", "get it again")
        return script.load(request, post)

    app = MedpocketApp(load)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.chat.status.model)
        app.chat.query_one(QuestionBox).put("/model broken")
        await pilot.press("enter")
        await until(pilot, lambda: "the file is damaged" in told(app) and app.chat.status.model)
        await ask(pilot, "Question.")
        assert texts(app) == ["answer"]


async def test_a_model_whose_file_is_deleted_while_it_is_open_goes_on_answering(home: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    shutil.copy(DEMO, model)
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(f'model = "{model}"\nmax_tokens = 8\nthreads = 1\n')
    app = MedpocketApp(load_installed)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.chat.status.model)
        model.unlink()
        await ask(pilot, "What is glaucoma?")
        assert app.chat.conversation.branch[0].text
        app.chat.query_one(QuestionBox).put(f"/model {model}")
        await pilot.press("enter")
        await until(pilot, lambda: str(model) in told(app) or "no such file" in told(app).lower())
        chat = await ask(pilot, "And now?")
        assert "no model in memory" in str(chat.query(".tail").last().render())


async def test_an_unexpected_error_while_loading_shows_no_values() -> None:
    def load(_request: LoadModel, _post: Post) -> Loaded:
        raise KeyError(PLANTED)

    app = MedpocketApp(load)
    async with app.run_test() as pilot:
        await until(pilot, lambda: "KeyError" in told(app))
        assert PLANTED not in told(app)


def test_without_a_terminal_the_app_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(MedpocketError, match="needs a terminal"):
        start.open_app()


async def test_what_came_of_an_answer_is_in_the_history_when_the_app_ends() -> None:
    app, _ = scripted_app("one two three", hold_before=2)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        await start_asking(pilot, "Count.")
        await until(pilot, lambda: app.chat.conversation.id and app.chat.conversation.branch[0].text)
        id_ = app.chat.conversation.id or ""
    history = History.open(create=False)
    assert history
    (turn,) = history.turns(id_)
    history.close()
    assert (turn.answer, turn.state.value) == ("one two", "stopped")
