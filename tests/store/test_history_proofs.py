"""Killed, crowded, and read byte by byte."""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from medpocket.store.driver import CAN_LOCK, connect
from medpocket.store.history import History
from medpocket.store.locking import rewrite
from medpocket.store.records import State, as_turns
from tests.store.conftest import opened
from tests.store.making import asked, keep

pytestmark = [pytest.mark.prove, pytest.mark.timeout(300)]

KILLS = 200
CROWD_S = 60
LOST_AT_MOST_S = 0.5

# Says what is on the screen, and when: a line for each piece, and one for each answer that `finish` returned from.
STREAM = """
import sys, time
from pathlib import Path
from medpocket.store.history import History
from medpocket.store.records import State
from tests.store.making import asked
history = History.open(Path(sys.argv[1]))
out = sys.stdout
for turn in range(10**6):
    recording = history.begin(asked())
    print("turn", recording.turn.id, flush=True)
    for number in range(1 + turn * 7 % 60):
        print("piece", time.monotonic(), number, flush=True)
        recording.append(f"{number} ")
        time.sleep(0.005)
    recording.finish(State.COMPLETE, stop="end")
    print("finished", recording.turn.id, flush=True)
"""


def test_kill_at_any_moment_loses_no_finished_turn_and_half_a_second_at_most(folder: Path) -> None:
    chance = random.Random(6)
    finished: dict[str, int] = {}
    opened(folder).close()
    in_mid_answer = 0
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", STREAM, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.8))
        process.kill()
        killed_at = time.monotonic()
        lines = process.communicate()[0].splitlines()
        turn, pieces = "", []
        for line in lines:
            what, *rest = line.split()
            if what == "turn":
                turn, pieces = rest[0], []
            elif what == "piece" and len(rest) == 2:
                pieces.append((float(rest[0]), int(rest[1])))
            elif what == "finished" and rest == [turn]:
                finished[turn] = len(pieces)
                turn = ""
        with opened(folder) as history:
            if turn and pieces:
                kept = history.turn(turn)
                assert kept.state in (State.STOPPED, State.COMPLETE)
                has = len(kept.answer.split())
                assert kept.answer == "".join(f"{number} " for number in range(has))
                long_ago = [number for at, number in pieces if at < killed_at - LOST_AT_MOST_S]
                assert has >= len(long_ago), (has, len(pieces))
                in_mid_answer += kept.state is State.STOPPED
        raw = connect(folder / "history.db")
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        raw.close()
    assert in_mid_answer > KILLS // 4
    with opened(folder) as history:
        for turn, count in finished.items():
            kept = history.turn(turn)
            assert (kept.state, len(kept.answer.split())) == (State.COMPLETE, count)
        assert history.problems() == []


CROWD = """
import sys, time
from pathlib import Path
from medpocket.store.history import History
from medpocket.store.records import State
from tests.store.making import asked, keep
folder, name, until = Path(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[3])
history = History.open(folder)
first = keep(history, f"{name} begins", name)
print(first.id)
number = 0
while time.monotonic() < until:
    number += 1
    recording = history.begin(asked(f"{name} {number}"), conversation=first.conversation, parent=1)
    for piece in range(5):
        recording.append(f"{piece} ")
        time.sleep(0.002)
    recording.finish(State.COMPLETE, answer=f"{name} {number}", stop="end")
    print(recording.turn.id)
    if number % 10 == 0:
        history.search(name)
        history.conversations("begins")
    if number % 50 == 0:
        gone = keep(history, f"{name} goes", name)
        history.delete([gone.conversation])
        history.checkpoint()
    if number % 200 == 0:
        with History.open(folder) as again:
            again.latest()
"""


def test_two_processes_write_at_once_for_a_minute(folder: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", CROWD, str(folder), name, str(CROWD_S)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("app", "ask")
    ]
    said = [writer.communicate(timeout=CROWD_S + 90) for writer in writers]
    for writer, (_, errors) in zip(writers, said, strict=True):
        assert (writer.returncode, errors) == (0, "")
    with opened(folder) as history:
        for (lines, _), name in zip(said, ("app", "ask"), strict=True):
            ids = lines.split()
            assert len(ids) > 50
            turns = history.turns(ids[0].partition(".")[0])
            assert [turn.id for turn in turns] == ids
            assert all(turn.state is State.COMPLETE for turn in turns)
            assert [turn.answer for turn in turns[1:]] == [f"{name} {number}" for number in range(1, len(turns))]
        assert history.problems() == []


@pytest.mark.skipif(not CAN_LOCK, reason="SQLCipher is not installed")
def test_of_fifty_planted_strings_none_is_in_a_locked_history_its_wal_or_the_temporary_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(variable, str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    chance = random.Random(9)
    planted = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=16)) for _ in range(50)]
    with opened(folder) as history:
        for word in planted[:20]:
            history.annotate(keep(history, f"{word}?", f"answer {word}"), word)
        history.back_up()
        assert planted[0].encode() in everything(folder, temporary)
        rewrite(history, "secret")
    with opened(folder, "secret") as history:
        for word in planted[20:40]:
            history.annotate(keep(history, f"{word}?", f"{word} " * 3000), word)
        recording = history.begin(asked(planted[40]))
        for word in planted[40:]:
            recording.append(f"{word} ")
            time.sleep(0.02)
        check_none(planted, folder, temporary)
        assert (folder / "history.db-wal").stat().st_size > 0
        history.back_up()
        history.search("answer*")
        for conversation in history.ids()[:5]:
            history.delete([conversation])
        check_none(planted, folder, temporary)
        history.scrub()
        recording.finish(State.COMPLETE, stop="end")
        for word in planted[5:]:
            assert history.search(word), word
        assert as_turns(history.branch(recording.turn.conversation))
        check_none(planted, folder, temporary)
        rewrite(history, "another secret")
    check_none(planted, folder, temporary)


def everything(*folders: Path) -> bytes:
    return b"\n".join(
        os.fsencode(path) + (path.read_bytes() if path.is_file() else b"")
        for folder in folders
        for path in folder.rglob("*")
    )


def check_none(planted: list[str], *folders: Path) -> None:
    there = everything(*folders)
    for word in planted:
        for written in (word.encode(), word.upper().encode(), word.encode("utf-16-le"), word.encode().hex().encode()):
            assert written not in there, word


def test_memory_does_not_grow_with_the_history(folder: Path) -> None:
    """Searching and listing a history twenty times as long takes no more memory than a few pages."""
    peaks = []
    for turns in (500, 10_000):
        with opened(folder) as history:
            fill_to(history, turns)
        code = (
            "import resource, sys; from pathlib import Path; from medpocket.store.history import History\n"
            "h = History.open(Path(sys.argv[1]))\n"
            "for text in ('common', 'wor*', 'expert:eye_ent common', ''): h.search(text); h.conversations(text)\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 16 * 1024, peaks


def fill_to(history: History, turns: int) -> None:
    there = history.totals().turns
    first = keep(history, "begin", "common words")
    with history.transaction() as connection:
        connection.executemany(
            "INSERT INTO turns (conversation, number, state, asked_at, question, answer, note, expert) "
            "SELECT conversation, ?, state, asked_at, ?, answer || ?, '', expert FROM turns WHERE row = ?",
            [(number, f"common {number}", " word" * 200, first.row) for number in range(2, turns - there)],
        )
