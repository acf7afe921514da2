"""A locked history in the app: asked for, opened, locked again, and by itself."""

import time
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from medpocket.store import attempts, key
from medpocket.store.driver import CAN_LOCK
from medpocket.store.history import History
from medpocket.store.locking import rewrite
from medpocket.tui.app import MedpocketApp
from medpocket.tui.screens.lock import LockScreen
from medpocket.tui.services.history import HistoryState
from tests.store.making import keep
from tests.tui.screen_text import screen_text
from tests.tui.scripted_app import Script, ask, scripted_app, start_asking, texts, until

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not CAN_LOCK, reason="SQLCipher is not installed")]

SECRET = "correct horse battery staple"
ANSWER = "ANSWER-TEXT"


@pytest.fixture(autouse=True)
def locked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key, "_COST", 2**4)
    history = History.open()
    assert history
    keep(history, "What is glaucoma?")
    rewrite(history, SECRET)


async def give(pilot: Pilot[None], passphrase: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, LockScreen))
    pilot.app.screen.query_one(Input).value = passphrase
    await pilot.press("enter")


async def is_open(pilot: Pilot[None], app: MedpocketApp) -> None:
    await until(pilot, lambda: app.history.state is HistoryState.ENCRYPTED and app.screen is app.chat)


async def test_the_passphrase_opens_the_history_and_what_is_asked_is_kept() -> None:
    app, _ = scripted_app(ANSWER)
    async with app.run_test() as pilot:
        await give(pilot, SECRET)
        await is_open(pilot, app)
        await ask(pilot, "Question.")
        assert app.chat.conversation.branch[0].stored == 1
        assert "history on, enc" in screen_text(app)


async def test_a_wrong_passphrase_is_told_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "wait_for_turn", lambda _folder: None)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await give(pilot, "wrong")
        await until(pilot, lambda: any("not the passphrase" in str(one.title) for one in app._notifications))
        await give(pilot, SECRET)
        await is_open(pilot, app)


async def test_escape_goes_on_without_the_history_and_keeps_nothing() -> None:
    app, _ = scripted_app(ANSWER)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        await pilot.press("escape")
        await ask(pilot, "Question.")
        assert texts(app) == [ANSWER]
        assert app.chat.conversation.branch[0].stored is None
        assert "history locked" in screen_text(app)


async def test_locking_by_key_hides_the_conversation_and_forgets_what_was_typed() -> None:
    app, _ = scripted_app(ANSWER)
    async with app.run_test() as pilot:
        await give(pilot, SECRET)
        await is_open(pilot, app)
        await ask(pilot, "QUESTION-TEXT")
        await pilot.press(*"TYPED", "ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        assert app.history.state is HistoryState.LOCKED
        await pilot.press("escape", "up", "ctrl+z")
        shown = screen_text(app)
        assert not any(text in shown for text in (ANSWER, "QUESTION-TEXT", "TYPED"))
        assert texts(app) == []


async def test_locking_closes_the_screens_that_stand_over_the_conversation() -> None:
    app, _ = scripted_app(ANSWER)
    async with app.run_test() as pilot:
        await give(pilot, SECRET)
        await is_open(pilot, app)
        await ask(pilot, "Question.")
        await pilot.press("ctrl+up", "n", *"NOTE-TEXT")
        await app.chat.action_lock()
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        await pilot.press("escape")
        assert app.screen is app.chat
        assert "NOTE-TEXT" not in screen_text(app)


async def test_the_history_locks_itself_when_nobody_is_there_and_not_before() -> None:
    _, script = scripted_app(ANSWER)
    app = MedpocketApp(script.load, lock_after_min=5)
    async with app.run_test() as pilot:
        await give(pilot, SECRET)
        await is_open(pilot, app)
        await ask(pilot, "Question.")
        app.chat.used_at = time.time() - 290
        await app.chat.watch_history().wait()
        assert app.screen is app.chat
        app.chat.used_at = time.time() - 310
        await pilot.press("x")  # somebody is there
        await app.chat.watch_history().wait()
        assert app.screen is app.chat
        app.chat.used_at = time.time() - 310
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
        assert app.history.state is HistoryState.LOCKED
        assert ANSWER not in screen_text(app)


async def test_the_history_does_not_lock_itself_under_an_answer_that_is_coming() -> None:
    script = Script(["one two"], hold_before=1)
    app = MedpocketApp(script.load, lock_after_min=5)
    async with app.run_test() as pilot:
        await give(pilot, SECRET)
        await is_open(pilot, app)
        await start_asking(pilot, "Question.")
        app.chat.used_at = time.time() - 310
        await app.chat.watch_history().wait()
        assert app.screen is app.chat
        script.gate.set()
        await until(pilot, lambda: isinstance(app.screen, LockScreen))
