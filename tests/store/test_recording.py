import subprocess
import sys
import time
from pathlib import Path

import pytest

from medpocket.errors import DiskShortError, HistoryError
from medpocket.store import recording as recording_module
from medpocket.store.history import History
from medpocket.store.living import living
from medpocket.store.records import State
from tests.store.conftest import opened
from tests.store.making import asked, keep

STREAM = """
import sys, time
from pathlib import Path
from medpocket.store.history import History
from tests.store.making import asked
history = History.open(Path(sys.argv[1]))
recording = history.begin(asked())
for number in range(100000):
    recording.append(f"{number} ")
    print(number, flush=True)
    time.sleep(0.02)
"""


def wait_for(history: History, turn: str, answer: str) -> None:
    deadline = time.monotonic() + 20
    while history.turn(turn).answer != answer:
        assert time.monotonic() < deadline, history.turn(turn).answer
        time.sleep(0.01)


def test_an_answer_is_in_the_file_while_it_arrives(history: History, folder: Path) -> None:
    recording = history.begin(asked())
    with opened(folder) as other:
        assert (other.turn(recording.turn.id).state, other.turn(recording.turn.id).answer) == (State.STREAMING, "")
        recording.append("An eye")
        wait_for(other, recording.turn.id, "An eye")
        recording.append(" disease")
        wait_for(other, recording.turn.id, "An eye disease")
        assert other.turn(recording.turn.id).state is State.STREAMING
        recording.finish(State.STOPPED)
        assert (other.turn(recording.turn.id).state, other.turn(recording.turn.id).answer) == (
            State.STOPPED,
            "An eye disease",
        )


def test_many_pieces_are_few_writes(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = history.begin(asked())
    begun = []
    transaction = history.transaction
    monkeypatch.setattr(history, "transaction", lambda: (begun.append(1), transaction())[1])
    for number in range(1000):
        recording.append(f"{number} ")
    recording.finish(State.COMPLETE)
    assert len(begun) <= 4
    assert len(history.turn(recording.turn.id).answer.split()) == 1000


def test_the_answer_of_a_process_that_ended_is_marked_stopped_and_that_of_a_living_one_is_not(
    folder: Path, history: History
) -> None:
    process = subprocess.Popen([sys.executable, "-c", STREAM, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    (conversation,) = history.conversations()
    with opened(folder) as other:
        assert other.turns(conversation.id)[0].state is State.STREAMING
    process.kill()
    process.communicate()
    with opened(folder) as other:
        assert other.turns(conversation.id)[0].state is State.STOPPED
    assert living(folder) == set()


def test_a_second_turn_of_the_same_process_is_alive_too(history: History, folder: Path) -> None:
    history.begin(asked())
    recording = history.begin(asked())
    with opened(folder) as other:
        assert other.turn(recording.turn.id).state is State.STREAMING
    recording.finish(State.COMPLETE, answer="yes")


def test_a_full_disk_is_told_at_the_end_and_the_answer_goes_on(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "INTERVAL_S", 0.001)
    keep(history, "one?")
    recording = history.begin(asked("two?"))
    pages = history.read("PRAGMA page_count")[0][0]
    history.read(f"PRAGMA max_page_count = {pages}")
    limit_connections(history, monkeypatch, pages)
    recording.append("x" * 1_000_000)
    recording.append("y")
    with pytest.raises(DiskShortError, match="disk is full"):
        recording.finish(State.COMPLETE)
    assert history.turn(recording.turn.id).state is State.STREAMING


def limit_connections(history: History, monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """SQLite's own limit stands for the disk's, in connections to come too."""
    make = history._connection

    def limited():  # type: ignore[no-untyped-def]
        connection = make()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(history, "_connection", limited)


def test_an_answer_deleted_while_it_arrives_stays_deleted_and_that_is_told(history: History) -> None:
    recording = history.begin(asked())
    recording.append("x")
    history.delete([recording.turn.conversation])
    with pytest.raises(HistoryError, match="deleted while it was answered"):
        recording.finish(State.COMPLETE)
    assert history.conversations() == []


def test_a_conversation_deleted_meanwhile_takes_no_turn(history: History) -> None:
    turn = keep(history)
    history.delete([turn.conversation])
    with pytest.raises(HistoryError, match="deleted"):
        history.begin(asked(), conversation=turn.conversation, parent=1)


def test_an_answer_never_goes_into_the_turn_that_took_the_place_of_a_deleted_one(history: History) -> None:
    recording = history.begin(asked("Which dose?"))
    recording.append("5 ")
    history.delete([recording.turn.conversation])
    other = keep(history, "What is gout?", "A disease of joints.")
    assert other.row == recording.turn.row
    recording.append("mg")
    with pytest.raises(HistoryError, match="deleted while it was answered"):
        recording.finish(State.COMPLETE)
    assert history.turn(other.id).answer == "A disease of joints."
