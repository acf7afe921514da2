"""Signing: what voids a signature, and what does not."""

from collections.abc import Callable

import pytest

from medpocket.errors import HistoryError
from medpocket.store.history import History
from medpocket.store.records import AnsweredBy, Asked, Rating, State, StoredTurn
from medpocket.store.signing import check, sign


def asked(history: History, question: str, conversation: str | None = None, parent: int | None = None) -> StoredTurn:
    recording = history.begin(Asked(question, AnsweredBy("m"), "general"), conversation=conversation, parent=parent)
    recording.append("an answer")
    recording.finish(State.COMPLETE, stop="end")
    return history.turn(recording.turn.id)


@pytest.fixture
def last(history: History) -> StoredTurn:
    first = asked(history, "first")
    return asked(history, "second", first.conversation, 1)


def valid(history: History, turn: StoredTurn) -> list[bool]:
    return [one.valid for one in check(history.whole(turn.conversation))]


def test_a_signature_stands_for_a_turn_and_what_led_to_it(history: History, last: StoredTurn) -> None:
    sign(history, last, "  Dr   A. Reader ")
    (checked,) = check(history.whole(last.conversation))
    assert checked.valid
    assert checked.numbers == {1, 2}
    assert checked.signature.signer == "Dr A. Reader"


EDITS: list[Callable[[History, StoredTurn], object]] = [
    lambda history, turn: history.annotate(turn, "a note"),
    lambda history, turn: history.annotate(history.turn(f"{turn.conversation}.1"), "a note on what led to it"),
    lambda history, turn: history.rate(turn, Rating.BAD),
    lambda history, turn: asked(history, "second, anew", turn.conversation, 1),
    lambda history, turn: asked(history, "first, anew", turn.conversation),
    lambda history, turn: history.read("UPDATE turns SET answer = 'other' WHERE row = ?", [turn.row]),
    lambda history, turn: history.read("UPDATE turns SET model_sha256 = 'c' WHERE row = ?", [turn.row]),
]


@pytest.mark.parametrize("edit", EDITS)
def test_a_later_edit_voids_it(
    history: History, last: StoredTurn, edit: Callable[[History, StoredTurn], object]
) -> None:
    sign(history, last, "Dr A. Reader")
    edit(history, last)
    assert valid(history, last) == [False]
    sign(history, history.turn(last.id), "Dr B. Reader")
    assert valid(history, last) == [False, True]


def test_a_question_that_follows_does_not(history: History, last: StoredTurn) -> None:
    sign(history, last, "Dr A. Reader")
    asked(history, "third", last.conversation, 2)
    history.rename(last.conversation, "another title")
    assert valid(history, last) == [True]


def test_nobody_signs_without_a_name_or_while_it_is_written(history: History, last: StoredTurn) -> None:
    with pytest.raises(HistoryError):
        sign(history, last, " \n ")
    running = history.begin(Asked("q", AnsweredBy("m"), "general"))
    with pytest.raises(HistoryError):
        sign(history, running.turn, "Dr A. Reader")
    assert valid(history, last) == []
