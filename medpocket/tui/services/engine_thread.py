"""The one thread that runs the engine: it takes requests from a queue, and posts what happens as messages."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medpocket.errors import MedpocketError, unexpected
from medpocket.tui.messages import (
    AnswerFailed,
    AnswerFinished,
    AnswerKept,
    AnswerNoticed,
    AnswerProgress,
    AnswerRouted,
    AnswerText,
    ModelFailed,
    ModelInfo,
    ModelLoaded,
)
from medpocket.types import Delta, Event, Finished, Kept, Notice, PromptProgress, Routed, Turn

if TYPE_CHECKING:
    from textual.message import Message

    from medpocket.assistant import Assistant
    from medpocket.engine.cancel import Cancellation
    from medpocket.engine.protocol import Engine
    from medpocket.store.records import AnsweredBy
    from medpocket.store.writer import Keep

_FLUSH_S = 0.25  # text is posted no more often than this: to show it takes processor time from what computes the next
_JOIN_S = 5.0  # llama.cpp stops within one operation; a model that is loading takes longer, and is left alone


@dataclass(frozen=True)
class Question:
    """A question for the engine; `answer` is the number that its messages carry.

    It is kept in a new conversation, or in `conversation` after turn `parent`.
    """

    answer: int
    text: str
    history: tuple[Turn, ...] = ()
    experts: tuple[tuple[str, float], ...] = ()
    route: bool = True
    conversation: str | None = None
    parent: int | None = None


@dataclass(frozen=True)
class LoadModel:
    """The model that is to answer from now on: an id or a path, None for the configured one."""

    name: str | None = None


@dataclass(frozen=True)
class _Close:
    pass


@dataclass(frozen=True)
class Loaded:
    """A model in memory: what the app shows of it, what the history keeps of it, and what answers with it."""

    info: ModelInfo
    answered_by: "AnsweredBy"
    engine: "Engine"
    assistant: "Assistant"


Post = Callable[["Message"], object]
Loader = Callable[[LoadModel, Post], Loaded]
Keeper = Callable[["AnsweredBy", str | None, int | None], "Keep | None"]


class EngineThread:
    """Loads a model, answers one question after the other, and reads on in idle time.

    `post` is called from the thread, with one message after the other. Everything else may be called from any thread
    and returns at once. `keep` says where an answer is kept.
    """

    def __init__(self, post: Post, load: Loader, keep: Keeper) -> None:
        self._post, self._load, self._keep = post, load, keep
        self._requests: queue.SimpleQueue[Question | LoadModel | _Close] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._cancels: dict[int, Cancellation] = {}  # of the questions that wait or are being answered
        self._resting: Cancellation | None = None
        self._loaded: Loaded | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin to take requests."""
        self._thread.start()

    def load(self, name: str | None = None) -> None:
        """Free the model that is there, and load this one; where that fails, the one that was there again."""
        self._request(LoadModel(name))

    def ask(self, question: Question) -> None:
        """Answer `question` when those before it are answered."""
        from medpocket.engine.cancel import Cancellation

        with self._lock:
            self._cancels[question.answer] = Cancellation()
        self._request(question)

    def cancel(self, answer: int) -> None:
        """Stop this answer at once, or before it begins."""
        with self._lock:
            if answer in self._cancels:
                self._cancels[answer].set()

    def close(self) -> None:
        """Stop whatever is going on and free the model."""
        with self._lock:
            for cancel in self._cancels.values():
                cancel.set()
        self._request(_Close())
        if self._thread.ident:
            self._thread.join(_JOIN_S)

    def _request(self, request: Question | LoadModel | _Close) -> None:
        with self._lock:
            self._requests.put(request)
            if self._resting:
                self._resting.set()

    def _run(self) -> None:
        while True:
            request = self._requests.get()
            match request:
                case LoadModel():
                    self._load_model(request)
                case Question():
                    self._answer(request)
                case _Close():
                    self._free()
                    return

    def _free(self) -> None:
        if self._loaded:
            self._loaded.engine.close()
            self._loaded = None

    def _load_model(self, request: LoadModel) -> None:
        before = self._loaded.info if self._loaded else None
        try:
            self._free()  # two models seldom fit into memory at once
            self._loaded = self._load(request, self._post)
        except Exception as error:
            problem = unexpected(error)
            if before and self._return_to(before):
                problem = MedpocketError(problem.message, f"{problem.hint}; {before.name} goes on answering")
            self._post(ModelFailed(problem))
        if self._loaded:
            self._post(ModelLoaded(self._loaded.info))

    def _return_to(self, before: ModelInfo) -> bool:
        """Load the model that answered until now; tell whether that went well."""
        try:
            self._loaded = self._load(LoadModel(before.id), self._post)
        except Exception:  # why the wanted one cannot be loaded is told, and that there is none
            return False
        return True

    def _answer(self, asked: Question) -> None:
        with self._lock:
            cancel = self._cancels[asked.answer]
        from medpocket.store.audited import audited

        outbox = _Outbox(asked.answer, self._post)
        try:
            if self._loaded is None:
                raise MedpocketError("there is no model in memory", "choose one: F3 lists the models")
            answered_by = self._loaded.answered_by
            keep = self._keep(answered_by, asked.conversation, asked.parent)
            answer = self._loaded.assistant.ask(
                asked.text,
                cancel,
                history=asked.history,
                experts=asked.experts,
                route=asked.route,
                keep=keep,
            )
            for event in audited(answer, "app", answered_by, keep.history if keep else None):
                outbox.take(event)
        except Exception as error:
            outbox.flush()
            self._post(AnswerFailed(asked.answer, unexpected(error)))
        else:
            self._rest(self._loaded.assistant)
        finally:
            with self._lock:
                del self._cancels[asked.answer]

    def _rest(self, assistant: "Assistant") -> None:
        """Read the answer for the next turn, unless something waits; the next request stops it."""
        from medpocket.engine.cancel import Cancellation

        with self._lock:
            if not self._requests.empty():
                return
            self._resting = Cancellation()
        try:
            assistant.rest(self._resting)
        except MedpocketError:  # the next question meets it again, and is told
            pass
        finally:
            with self._lock:
                self._resting = None


class _Outbox:
    """Posts one answer's events; text and progress coalesced."""

    def __init__(self, answer: int, post: Post) -> None:
        self._answer, self._post = answer, post
        self._text: list[str] = []
        self._started = time.monotonic()
        self._flushed = -_FLUSH_S  # the first word is posted at once

    def take(self, event: Event) -> None:
        """Post one event, or keep it for the next."""
        match event:
            case Routed():
                self._post(AnswerRouted(self._answer, event))
            case Kept():
                self._post(AnswerKept(self._answer, event.conversation, event.number))
            case Notice():
                self._post(AnswerNoticed(self._answer, event))
            case PromptProgress():
                now = time.monotonic()
                self._post(AnswerProgress(self._answer, event.evaluated, event.total, now - self._started))
            case Delta():
                self._text.append(event.text)
                if time.monotonic() - self._flushed >= _FLUSH_S:
                    self.flush()
            case Finished():
                self.flush()
                self._post(AnswerFinished(self._answer, event))

    def flush(self) -> None:
        """Post the text that is waiting."""
        if self._text:
            self._post(AnswerText(self._answer, "".join(self._text), len(self._text)))
            self._text.clear()
        self._flushed = time.monotonic()
