"""What of an answer's path is kept in the history."""

from collections.abc import Iterator

import pytest

from medpocket.assistant import Assistant
from medpocket.engine.cancel import Cancellation
from medpocket.engine.scripted import ScriptedEngine
from medpocket.errors import EngineError
from medpocket.registry import load_registry
from medpocket.store.history import History
from medpocket.store.records import AnsweredBy, State, StoredTurn, as_turns
from medpocket.store.writer import Keep
from medpocket.types import Delta, Event, Finished, Kept, Notice, Sampling

MODEL = AnsweredBy("scripted")


@pytest.fixture
def history() -> Iterator[History]:
    opened = History.open()
    assert opened
    with opened:
        yield opened


def ask(engine: ScriptedEngine, keep: Keep, question: str = "what helps?", **more: object) -> Iterator[Event]:
    assistant = Assistant(load_registry(), engine, Sampling(max_tokens=50, seed=3))
    return assistant.ask(question, Cancellation(), keep=keep, **more)  # type: ignore[arg-type]


def only_turn(history: History) -> StoredTurn:
    (conversation,) = history.conversations()
    (turn,) = history.turns(conversation.id)
    return turn


def test_an_answer_is_kept_before_its_end_is_told(history: History) -> None:
    for event in ask(ScriptedEngine(["rest and water"]), Keep(history, MODEL), experts=[("cardiology", 1.0)]):
        if isinstance(event, Finished):
            turn = only_turn(history)
            assert (turn.state, turn.answer, turn.stop) == (State.COMPLETE, "rest and water", "end")
            assert (turn.stats, turn.asked.sampling.seed) == (event.stats, 3)
            assert turn.asked.line == load_registry().experts["cardiology"].system


def test_the_turns_id_is_told_before_the_first_word(history: History) -> None:
    events = list(ask(ScriptedEngine(["rest and water"]), Keep(history, MODEL)))
    told = next(event for event in events if isinstance(event, Kept))
    assert f"{told.conversation}.{told.number}" == only_turn(history).id
    assert events.index(told) < next(number for number, event in enumerate(events) if isinstance(event, Delta))


def test_an_answer_that_was_stopped_is_kept_as_stopped(history: History) -> None:
    engine = ScriptedEngine(
        ["rest and water"], before_word=lambda number, cancel: cancel.set() if number == 2 else None
    )
    list(ask(engine, Keep(history, MODEL)))
    turn = only_turn(history)
    assert (turn.state, turn.stop, turn.answer) == (State.STOPPED, "cancelled", "rest and")


def test_an_answer_that_nobody_listens_to_any_more_is_kept_as_stopped(history: History) -> None:
    events = ask(ScriptedEngine(["rest and water"]), Keep(history, MODEL))
    assert any(isinstance(event, Delta) for event in events)
    events.close()  # type: ignore[attr-defined]
    turn = only_turn(history)
    assert (turn.state, turn.answer) == (State.STOPPED, "rest")


def test_an_answer_that_failed_keeps_what_came(history: History) -> None:
    def fail(number: int, _cancel: Cancellation) -> None:
        if number == 2:
            raise EngineError("it failed", "try again")

    with pytest.raises(EngineError):
        list(ask(ScriptedEngine(["rest and water"], before_word=fail), Keep(history, MODEL)))
    turn = only_turn(history)
    assert (turn.state, turn.answer) == (State.FAILED, "rest and")


def test_where_nothing_can_be_written_the_answer_goes_on_and_says_so(history: History) -> None:
    history.read_only = "a newer MedPocket has written it"
    events = list(ask(ScriptedEngine(["rest and water"]), Keep(history, MODEL)))
    assert isinstance(events[-1], Finished)
    assert events[-1].answer == "rest and water"
    assert any(isinstance(event, Notice) and "not kept" in event.text for event in events)
    assert history.conversations() == []


def test_a_conversation_from_the_history_is_read_again(history: History) -> None:
    list(ask(ScriptedEngine(["rest"]), Keep(history, MODEL)))
    first = only_turn(history)
    engine = ScriptedEngine(["water"])
    earlier = as_turns(history.branch(first.conversation))
    list(ask(engine, Keep(history, MODEL, first.conversation, first.number), "what else?", history=earlier))
    assert "".join(map(chr, engine.prompts[0])) == "\0what helps?rest\0what else?"
    assert [turn.parent for turn in history.turns(first.conversation)] == [None, 1]
