"""The app on an engine without weights, for tests."""

import threading
from collections.abc import Callable, Sequence

from textual.pilot import Pilot

from medpocket.assistant import Assistant
from medpocket.engine.cancel import Cancellation
from medpocket.engine.scripted import ScriptedEngine
from medpocket.registry import load_registry
from medpocket.router.route import load_router
from medpocket.store.records import AnsweredBy
from medpocket.tui.app import MedpocketApp
from medpocket.tui.messages import ModelInfo, ModelLoading
from medpocket.tui.screens.chat import ChatScreen
from medpocket.tui.services.engine_thread import Loaded, LoadModel, Post
from medpocket.types import Sampling

MODEL = ModelInfo("scripted", "Scripted", "F16", 1000, 10**6, 0, False, "", frozenset({"cardiology"}))


class Script:
    """What the engine is to say, and a gate that holds it before a word."""

    def __init__(self, answers: Sequence[str], hold_before: int | None = None) -> None:
        self.gate = threading.Event()
        self.engine = ScriptedEngine(answers, before_word=self._before_word)
        self._hold_before = hold_before

    def _before_word(self, number: int, cancel: Cancellation) -> None:
        while number == self._hold_before and not self.gate.is_set() and not cancel.is_set():
            self.gate.wait(0.01)

    def load(self, _request: LoadModel, post: Post) -> Loaded:
        post(ModelLoading("Scripted"))
        assistant = Assistant(load_registry(), self.engine, Sampling(), None, load_router)
        return Loaded(MODEL, AnsweredBy("scripted"), self.engine, assistant)


def scripted_app(*answers: str, hold_before: int | None = None) -> tuple[MedpocketApp, Script]:
    script = Script(answers, hold_before)
    return MedpocketApp(script.load), script


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for `condition`; fail where it does not come true."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not happen")


async def ask(pilot: Pilot[None], question: str) -> ChatScreen:
    """Type a question, send it, and wait for the end of its answer."""
    app = pilot.app
    assert isinstance(app, MedpocketApp)
    await start_asking(pilot, question)
    await until(pilot, lambda: app.chat.conversation.leaf and not app.chat.conversation.leaf.is_open)
    await pilot.pause()
    return app.chat


async def start_asking(pilot: Pilot[None], question: str) -> None:
    app = pilot.app
    assert isinstance(app, MedpocketApp)
    before = len(app.chat.conversation.exchanges)
    app.chat.query_one("#question").insert(question)  # type: ignore[attr-defined]
    await pilot.press("enter")
    await until(pilot, lambda: len(app.chat.conversation.exchanges) > before)


async def idle(pilot: Pilot[None], answers: int) -> None:
    """Wait until so many answers were asked for, and all have ended."""
    app = pilot.app
    assert isinstance(app, MedpocketApp)
    await until(pilot, lambda: len(app.chat.conversation.exchanges) == answers and not app.chat.conversation.open)
    await pilot.pause()


def texts(app: MedpocketApp) -> list[str]:
    """The answers of the branch that is shown."""
    return [one.text for one in app.chat.conversation.branch]
