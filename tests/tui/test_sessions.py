"""The screen of the conversations that are kept."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from medpocket.errors import DiskShortError, HistoryError
from medpocket.store import switch
from medpocket.store.audit import FILE_NAME
from medpocket.store.history import History
from medpocket.store.locking import rewrite
from medpocket.store.records import State, StoredTurn, Whole, now
from medpocket.tui.app import MedpocketApp
from medpocket.tui.commands import KeyCommands
from medpocket.tui.keys import SEARCH, SESSIONS, keymap
from medpocket.tui.screens.ask_line import AskLine
from medpocket.tui.screens.confirm import Confirm
from medpocket.tui.screens.help import HelpScreen
from medpocket.tui.screens.lock import LockScreen
from medpocket.tui.screens.sessions import SessionsScreen
from medpocket.tui.services import deletions, sessions
from medpocket.tui.widgets.paged_list import PagedList
from medpocket.tui.widgets.question_box import QuestionBox
from tests.store.making import keep
from tests.tui.scripted_app import Script, ask, scripted_app, texts, until
from tests.tui.test_unkind import NASTY, told

pytestmark = pytest.mark.anyio

PASSPHRASE = "five unrelated words make one"


def kept(*questions: str, answer: str = "An answer.") -> list[str]:
    """Keep a conversation of one turn for each question; return their ids, the latest first."""
    with opened() as history:
        return [keep(history, question, answer, expert="cardiology").conversation for question in questions][::-1]


def opened(passphrase: str | None = None) -> History:
    history = History.open(passphrase=lambda: passphrase)
    assert history
    return history


def ids() -> list[str]:
    with opened() as history:
        return history.ids()


def screen_of(pilot: Pilot[None]) -> SessionsScreen:
    assert isinstance(pilot.app.screen, SessionsScreen)
    return pilot.app.screen


def rows(pilot: Pilot[None]) -> PagedList:
    return screen_of(pilot).query_one(PagedList)


def shown(pilot: Pilot[None], selector: str) -> str:
    return str(screen_of(pilot).query_one(selector, Static).render())


def drawn(pilot: Pilot[None]) -> str:
    """All that is on the screen."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in line) for line in strips)


async def open_sessions(pilot: Pilot[None], *, find: str = "") -> None:
    app = pilot.app
    assert isinstance(app, MedpocketApp)
    await until(pilot, lambda: app.history.state.value.startswith("history on"))
    await pilot.press("f2")
    await until(pilot, lambda: isinstance(pilot.app.screen, SessionsScreen) and len(rows(pilot)))
    if find:
        await search(pilot, find)


async def search(pilot: Pilot[None], text: str) -> None:
    screen_of(pilot).query_one("#search", Input).value = text
    await until(pilot, lambda: "found" in shown(pilot, ".heading"))
    await pilot.pause(0.1)


async def test_typing_finds_conversations_by_words_phrases_and_filters() -> None:
    kept("What is gout?", "Heart failure in children", "Failure of the heart")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        assert "3 conversations" in shown(pilot, ".heading")
        await pilot.press(*"hear")
        await until(pilot, lambda: "2 found" in shown(pilot, ".heading"))
        await search(pilot, '"heart failure" expert:cardiology after:2026-01-01')
        await until(pilot, lambda: "1 found" in shown(pilot, ".heading"))
        assert "Heart failure in children" in drawn(pilot)
        await search(pilot, "heart after:yesterday")
        await until(pilot, lambda: "after:yesterday says nothing" in shown(pilot, ".saying"))
        await search(pilot, "nephron")
        await until(pilot, lambda: "Nothing was found" in drawn(pilot))


async def test_a_row_says_date_turns_expert_demonstration_and_signed() -> None:
    from medpocket.store.records import AnsweredBy, Asked
    from medpocket.store.signing import sign

    with opened() as history:
        model = AnsweredBy("MedPocket demonstration", demonstration=True)
        recording = history.begin(Asked("What is gout?", model, "musculoskeletal"))
        recording.finish(State.COMPLETE, answer="A disease of joints.")
        first = history.turn(recording.turn.id)
        sign(history, keep(history, "And then?", conversation=first.conversation, parent=1), "Dr A. Name")
        history.rate(first, None)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        words = f"{now().astimezone():%Y-%m-%d}"
        assert words in drawn(pilot)
        assert "2 turns · eye_ent · demonstration · signed" in drawn(pilot)
        await until(pilot, lambda: "signed by Dr A. Name" in shown(pilot, ".details .text"))
        assert "it holds" in shown(pilot, ".details .text")


async def test_the_preview_shows_the_beginning_and_marks_what_was_looked_for() -> None:
    kept("What is gout?", answer="A disease of the joints.")
    app, _ = scripted_app()
    async with app.run_test(size=(160, 50)) as pilot:
        await open_sessions(pilot, find="joint")
        await until(pilot, lambda: "found" in shown(pilot, ".details .text"))
        content = screen_of(pilot).query_one(".details .text", Static).content
        marked = [str(content)[span.start : span.end] for span in content.spans if "underline" in str(span.style)]  # type: ignore[union-attr]
        assert marked == ["joints"]
        assert "turn 1, cardiology\nWhat is gout?\nA disease of the joints." in shown(pilot, ".details .text")


async def test_enter_goes_on_with_a_conversation() -> None:
    (id_, _) = kept("What is gout?", "What is asthma?")
    app, script = scripted_app("It is treated so.")
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat and texts(app) == ["An answer."])
        await ask(pilot, "And how is it treated?")
        assert "What is asthma?" in "".join(map(chr, script.engine.prompts[0]))
        assert [turn.number for turn in await app.history.turns(id_)] == [1, 2]


async def test_opening_what_is_open_stops_no_answer() -> None:
    app, script = scripted_app("one two three four", hold_before=2)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        app.chat.query_one(QuestionBox).insert("Count.")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.conversation.id)
        await open_sessions(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat)
        script.gate.set()
        await until(pilot, lambda: not app.chat.conversation.open)
        assert texts(app) == ["one two three four"]


async def test_the_keys_that_move_through_the_list() -> None:
    every = kept(*(f"Question {number}" for number in range(40)))
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        places = []
        for key in ("down", "down", "up", "pagedown", "pageup", "ctrl+end", "ctrl+home", "up"):
            await pilot.press(key)
            places.append(rows(pilot).position)
        assert places[:3] == [1, 2, 1]
        assert places[3] > 3 and places[4] == 1
        assert places[5:] == [39, 0, 0]
        assert rows(pilot).highlighted == every[0]
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "Question 0" in shown(pilot, ".details .text"))
        assert "Question 0" in drawn(pilot)


async def test_the_mouse_highlights_opens_and_scrolls() -> None:
    every = kept(*(f"Question {number}" for number in range(40)))
    app, _ = scripted_app("x")
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await pilot.click(PagedList, offset=(10, 4))
        assert rows(pilot).highlighted == every[2]
        assert isinstance(screen_of(pilot).focused, Input), "the search line keeps the focus"
        await pilot._post_mouse_events([_wheel()], PagedList, offset=(10, 4))
        await until(pilot, lambda: rows(pilot).scroll_y > 0)
        rows(pilot).scroll_to(y=0, animate=False)
        await pilot.pause(0.6)  # longer than between two clicks of one double click
        await pilot.click(PagedList, offset=(10, 2), times=2)
        await until(pilot, lambda: app.screen is app.chat and app.chat.conversation.id == every[1])


def _wheel() -> type:
    from textual.events import MouseScrollDown

    return MouseScrollDown


async def test_a_new_title_is_kept_and_an_empty_one_gives_back_the_first_question() -> None:
    (id_,) = kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        app.screen.query_one(Input).value = "[b]Mr A[/b]"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and "[b]Mr A[/b]" in drawn(pilot))
        with opened() as history:
            assert (history.conversation(id_).title, history.conversation(id_).named) == ("[b]Mr A[/b]", True)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        app.screen.query_one(Input).value = ""
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and "What is gout?" in drawn(pilot))


async def delete(pilot: Pilot[None]) -> None:
    """Delete what is highlighted, and answer the question."""
    held = len(pilot.app.history.deletions)  # type: ignore[attr-defined]
    await pilot.press("ctrl+d")
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    await pilot.press("y")
    await until(pilot, lambda: len(pilot.app.history.deletions) > held)  # type: ignore[attr-defined]
    await pilot.pause()


async def test_a_deletion_is_held_back_and_can_be_taken_back() -> None:
    (id_,) = kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await delete(pilot)
        assert "to be deleted" in drawn(pilot)
        assert "Ctrl+Z takes that back" in shown(pilot, ".saying")
        await pilot.press("ctrl+z")
        assert "to be deleted" not in drawn(pilot)
        assert shown(pilot, ".saying") == ""
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
    assert ids() == [id_]


@pytest.mark.parametrize("answer", [("escape",), ("enter",)])
async def test_nothing_is_deleted_where_the_answer_is_no(answer: tuple[str, ...]) -> None:
    kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(*answer)
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen))
        assert not app.history.deletions


async def test_when_its_time_is_over_it_is_gone_from_the_disk_the_list_and_the_chat(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "HELD_S", 0.3)
    app, _ = scripted_app("Hyperuricaemia.")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        await ask(pilot, "What is podagra?")
        await open_sessions(pilot)
        await pilot.press("ctrl+d", "down", "enter")
        await until(pilot, lambda: "Nothing is kept yet" in drawn(pilot))
        assert app.chat.conversation.exchanges == []
        stored = [path.read_bytes() for path in (home / "data" / "history").iterdir() if path.is_file()]
        assert not any(b"podagra" in content or b"yperuricaemia" in content for content in stored)
        assert "history delete" in (home / "data" / "history" / FILE_NAME).read_text()


@pytest.mark.parametrize("way", ["escape", "ctrl+n", "ctrl+q", "f8"])
async def test_what_was_deleted_is_gone_however_the_screen_is_left(way: str) -> None:
    kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await delete(pilot)
        await pilot.press(way)
        await until(pilot, lambda: way == "ctrl+q" or not isinstance(app.screen, SessionsScreen))
        await until(pilot, lambda: way == "ctrl+q" or not app.history.deletions)
    assert ids() == []


async def test_opening_what_is_to_be_deleted_keeps_it() -> None:
    (id_,) = kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await delete(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat and texts(app))
    assert ids() == [id_]


async def test_a_deletion_that_fails_is_told_and_the_conversation_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    (id_,) = kept("What is gout?")
    monkeypatch.setattr(deletions, "HELD_S", 0.0)

    def full(*_arguments: object) -> None:
        raise DiskShortError("the disk is full: the history could not be written", "free some space")

    monkeypatch.setattr(History, "delete", full)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "the disk is full" in told(app))
        await until(pilot, lambda: "to be deleted" not in drawn(pilot))
        monkeypatch.setattr(deletions, "HELD_S", 60.0)
        app.history.deletions.hold(id_)
    assert app.history.undeleted and "the disk is full" in app.history.undeleted.message
    assert ids() == [id_]


async def test_two_windows_see_what_the_other_one_does() -> None:
    first = kept("What is gout?")
    app, _ = scripted_app("x")
    other, _ = scripted_app("An answer of the other window.")
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        async with other.run_test() as second:
            await until(second, lambda: other.history.state.value == "history on")
            await ask(second, "What is asthma?")
            await until(pilot, lambda: "What is asthma?" in drawn(pilot))
            assert rows(pilot).highlighted == first[0], "the highlight stays where it was"
            with opened() as history:
                history.rename(first[0], "Another title")
            await until(pilot, lambda: "Another title" in drawn(pilot))
            with opened() as history:
                history.delete(first)
            await until(pilot, lambda: "1 conversation" in shown(pilot, ".heading"))
            await until(pilot, lambda: "Another title" not in drawn(pilot))


@pytest.mark.parametrize("key", ["enter", "ctrl+r", "ctrl+d"])
async def test_what_was_deleted_elsewhere_cannot_be_used_and_that_is_told(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = kept("What is gout?", "What is asthma?")
    app, _ = scripted_app()
    monkeypatch.setattr(app.history, "changes", _no_changes)
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        with opened() as history:
            history.delete([first])
        await pilot.press(key)
        await until(pilot, lambda: "deleted meanwhile" in told(app))
        await until(pilot, lambda: "1 conversation" in shown(pilot, ".heading"))
        assert not app.history.deletions


async def _no_changes() -> int:
    return 0


async def test_escape_sequences_and_markup_in_titles_and_texts_are_shown_as_text() -> None:
    kept(NASTY, answer=NASTY)
    app, _ = scripted_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_sessions(pilot, find="bold")
        assert drawn(pilot).count("[bold]x[/bold] [/foo]") >= 3
        await pilot.press("ctrl+d")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "[bold]x[/bold] [/foo]" in drawn(pilot)
        await pilot.press("escape", "ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        await pilot.pause()
        assert not any(mark in drawn(pilot) for mark in "\x1b\x07\x9b\u202e")


async def test_a_question_of_a_megabyte_and_a_title_of_one_are_cut() -> None:
    (id_,) = kept("pneumonia " * 100_000)
    with opened() as history:
        whole = history.whole(id_)
        history.delete([id_])
        turns = [StoredTurn(**{**vars(turn), "conversation": "long2345"}) for turn in whole.turns]
        title = "e\u0301" * 500_000
        one = type(whole.conversation)(**{**vars(whole.conversation), "id": "long2345", "title": title})
        history.add(Whole(one, turns))
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await until(pilot, lambda: "pneumonia" in shown(pilot, ".details .text"))
        assert len(shown(pilot, ".details .text")) < 5000
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, AskLine))
        assert len(app.screen.query_one(Input).value) < 300


async def test_an_empty_history_says_so_and_its_keys_do_nothing() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        await pilot.press("f2")
        await until(pilot, lambda: "Nothing is kept yet" in drawn(pilot))
        await pilot.press("enter", "ctrl+r", "ctrl+d", "ctrl+z", "down", "up", "pagedown", "ctrl+end", "ctrl+home")
        assert isinstance(app.screen, SessionsScreen)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: app.screen is app.chat)


async def test_a_history_that_is_off_says_how_to_switch_it_on() -> None:
    kept("What is gout?")
    switch.switch(False)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.pause(0.3)
        await pilot.press("f2")
        await until(pilot, lambda: "medpocket history on" in drawn(pilot))
        assert "gout" not in drawn(pilot)


async def test_a_history_that_could_not_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise HistoryError("the history cannot be opened", "[look] at the folder")

    monkeypatch.setattr(History, "open", fail)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.problem)
        await pilot.press("f2")
        await until(pilot, lambda: "the history cannot be opened\n" in shown(pilot, ".instead"))
        assert "[look] at the folder" in shown(pilot, ".instead")


async def test_a_locked_history_shows_nothing_until_its_passphrase_is_given_and_locking_carries_deletions_out() -> None:
    kept("What is gout?")
    with opened() as history:
        rewrite(history, PASSPHRASE)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        await pilot.press("escape", "f2")
        await until(pilot, lambda: "asks for its passphrase" in drawn(pilot))
        assert "gout" not in drawn(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        app.screen.query_one(Input).value = PASSPHRASE
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and "What is gout?" in drawn(pilot))
        await delete(pilot)
        await app.chat.action_lock()
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert "gout" not in drawn(pilot)
    with opened(PASSPHRASE) as history:
        assert history.ids() == []


async def test_a_row_that_is_gone_when_it_is_read_says_so_and_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    every = kept(*(f"Question {number}" for number in range(70)))
    read: list[str] = []
    before = sessions.rows
    monkeypatch.setattr(sessions, "rows", lambda history, ids: (read.extend(ids), before(history, ids))[1])
    app, _ = scripted_app()
    monkeypatch.setattr(app.history, "changes", _no_changes)
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        with opened() as history:
            history.delete(every[-1:])
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "deleted meanwhile" in drawn(pilot))
        await pilot.pause(0.3)
        assert read.count(every[-1]) == 1


async def test_only_what_is_shown_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as history:
        turn = keep(history, "Question")
        whole = history.whole(turn.conversation)
        history.add_all(_numbered(whole, number) for number in range(2000))
    read: list[int] = []
    before = sessions.rows
    monkeypatch.setattr(sessions, "rows", lambda history, ids: (read.append(len(ids)), before(history, ids))[1])
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_sessions(pilot)
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "…" not in drawn(pilot) and "Title 1" in drawn(pilot))
        assert len(rows(pilot)) == 2001
        assert sum(read) < 400


def _numbered(whole: Whole, number: int) -> Whole:
    id_ = f"t{number:07}"
    one = type(whole.conversation)(**{**vars(whole.conversation), "id": id_, "title": f"Title {number}", "turns": 0})
    return Whole(one, [StoredTurn(**{**vars(turn), "conversation": id_}) for turn in whole.turns])


async def test_the_command_the_palette_and_the_help_know_the_screen() -> None:
    kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test(size=(100, 50)) as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        app.chat.query_one(QuestionBox).put("/sessions")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(rows(pilot)))
        here = screen_of(pilot)
        provider = KeyCommands(here, None)
        labels = {key.id for key, _ in provider._commands()}
        assert labels >= {key.id for key in (*SESSIONS, *SEARCH)} - {"sessions.undo"}
        await pilot.press("f2")
        assert app.screen is here, "it is not opened twice"
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await until(pilot, lambda: "Go on with the conversation" in str(app.screen.query_one(".text").render()))


async def test_its_keys_can_be_given_others() -> None:
    kept("What is gout?")
    app = MedpocketApp(
        Script(()).load, keymap=keymap({"sessions.delete": "f6", "sessions.undo": "f7", "app.sessions": "f3"})
    )
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        await pilot.press("f3")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and len(rows(pilot)))
        await pilot.press("ctrl+d")
        await pilot.pause()
        assert isinstance(app.screen, SessionsScreen)
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "F7 takes that back" in shown(pilot, ".saying"))
        await pilot.press("f7")
        assert not app.history.deletions


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (80, 24), (160, 50)])
async def test_any_terminal_shows_the_list(size: tuple[int, int]) -> None:
    kept("What is gout?")
    app, _ = scripted_app()
    async with app.run_test(size=size) as pilot:
        await open_sessions(pilot)
        await pilot.pause(0.1)
        assert rows(pilot).highlighted
