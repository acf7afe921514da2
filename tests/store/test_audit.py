"""The audit log: what is written, and what is found afterwards."""

import json
import multiprocessing
import os
import signal
import stat
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from medpocket.errors import DiskShortError, HistoryError
from medpocket.store import audit
from medpocket.store.audit import FILE_NAME, Entry, Head, known_head, verify, write_line
from medpocket.store.history import History
from tests.store.conftest import opened

ENTRY = Entry("ask", "complete", model="a" * 64, expert="cardiology", prompt_tokens=12, answer_tokens=34)


def written(history: History, folder: Path, count: int) -> Path:
    for _ in range(count):
        write_line(ENTRY, history, folder)
    return folder / FILE_NAME


def test_lines_follow_each_other_and_the_database_knows_the_last(history: History, folder: Path) -> None:
    path = written(history, folder, 3)
    verdict = verify(known_head(history), folder)
    assert (verdict.problems, verdict.remarks) == ([], [])
    assert verdict.head == known_head(history) == audit.file_head(folder)
    assert verdict.head.count == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    line = json.loads(path.read_text().splitlines()[0])
    assert set(line) == {
        "n", "time", "command", "result", "model", "expert", "prompt_tokens", "answer_tokens", "previous",
    }  # fmt: skip


def _changed(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace('"answer_tokens":34', '"answer_tokens":35'), *lines[2:]]


TAMPERED: list[Callable[[list[str]], list[str]]] = [
    _changed,
    lambda lines: [lines[0], *lines[2:]],
    lambda lines: lines[1:],
    lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    lambda lines: [*lines[:2], lines[1], *lines[2:]],
    lambda lines: [*lines[:2], "x\n", *lines[2:]],
    lambda lines: lines[:-1],
    lambda lines: [*lines[:-1], lines[-1].replace('"ask"', '"eval"')],
    lambda lines: lines[:0],
]


@pytest.mark.parametrize("tamper", TAMPERED)
def test_a_line_changed_removed_moved_doubled_or_cut_is_found(
    history: History, folder: Path, tamper: Callable[[list[str]], list[str]]
) -> None:
    path = written(history, folder, 5)
    path.write_text("".join(tamper(path.read_text().splitlines(keepends=True))))
    assert verify(known_head(history), folder).problems
    # The log goes on, and the database keeps what shows it. (The same line in the same millisecond would mend the cut.)
    write_line(Entry("ask", "failed"), history, folder)
    assert verify(known_head(history), folder).problems


def test_a_changed_byte_is_found_wherever_it_is(history: History, folder: Path) -> None:
    path = written(history, folder, 2)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert verify(known_head(history), folder).problems, place


def test_a_rewritten_log_is_not_the_one_that_the_database_knows(history: History, folder: Path) -> None:
    written(history, folder, 3).unlink()
    for _ in range(4):
        write_line(Entry("ask", "failed"), history, folder)
    assert verify(known_head(history), folder).problems


def test_lines_of_a_locked_history_are_taken_over_later(history: History, folder: Path) -> None:
    write_line(ENTRY, history, folder)
    write_line(ENTRY, None, folder)
    write_line(ENTRY, None, folder)
    before = verify(known_head(history), folder)
    assert not before.problems
    assert "2 lines" in before.remarks[0]
    write_line(ENTRY, history, folder)
    assert verify(known_head(history), folder) == audit.Verdict(
        known_head(history), known_head(history), problems=[], remarks=[]
    )


def test_without_the_database_a_cut_tail_is_said_to_go_unseen(folder: Path) -> None:
    write_line(ENTRY, None, folder)
    assert "would not be seen" in verify(None, folder).remarks[0]


def test_a_torn_line_is_cut_off_and_said(history: History, folder: Path) -> None:
    path = written(history, folder, 2)
    with path.open("ab") as file:
        file.write(b'{"n":3,"time":"2026')
    assert "incomplete" in verify(known_head(history), folder).remarks[0]
    write_line(ENTRY, history, folder)
    assert not verify(known_head(history), folder).problems
    assert "19 bytes" in json.loads(path.read_text().splitlines()[2])["result"]


def test_a_clock_that_went_back_is_a_remark(history: History, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Past(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Past":
            return cls(2001, 1, 1, tzinfo=tz)

    write_line(ENTRY, history, folder)
    monkeypatch.setattr(audit, "datetime", Past)
    write_line(ENTRY, history, folder)
    verdict = verify(known_head(history), folder)
    assert not verdict.problems
    assert "clock" in verdict.remarks[0]


def test_a_full_disk_leaves_the_log_as_it_was(history: History, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(history, folder, 2)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit.os, "fsync", full)
    with pytest.raises(DiskShortError):
        write_line(ENTRY, history, folder)
    assert path.read_bytes() == before
    assert known_head(history).count == 2


def test_a_link_in_the_place_of_the_log_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HistoryError):
        write_line(ENTRY, None, folder)
    assert not (tmp_path / "elsewhere").exists()


def _write_many(folder: Path, count: int) -> None:
    with opened(folder) as history:
        for _ in range(count):
            write_line(ENTRY, history, folder)


def test_two_processes_write_at_once(history: History, folder: Path) -> None:
    processes = [multiprocessing.get_context("spawn").Process(target=_write_many, args=(folder, 20)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    verdict = verify(known_head(history), folder)
    assert (verdict.head.count, verdict.problems, verdict.remarks) == (40, [], [])


@pytest.mark.prove
def test_a_log_whose_writers_are_killed_stays_unbroken(history: History, folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for round_ in range(15):
        process = context.Process(target=_write_many, args=(folder, 100_000))
        process.start()
        before = audit.file_head(folder).count
        while audit.file_head(folder).count < before + 3 + round_:
            pass
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        assert not verify(known_head(history), folder).problems
    head = write_line(ENTRY, history, folder)
    assert known_head(history) == head
    assert not verify(head, folder).problems


def test_nothing_written_is_an_unbroken_log(folder: Path) -> None:
    assert verify(Head(), folder).problems == []


def test_a_broken_log_is_set_aside_and_the_new_one_says_so(history: History, folder: Path) -> None:
    path = written(history, folder, 4)
    with pytest.raises(HistoryError, match="intact"):
        audit.begin_anew(history, folder)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(_changed(lines)))
    tampered = path.read_bytes()
    old = audit.begin_anew(history, folder)
    assert old.read_bytes() == tampered
    first = json.loads(path.read_text())
    assert (first["old_log"], first["old_lines"], first["old_intact"]) == (old.name, 4, False)
    write_line(ENTRY, history, folder)
    verdict = verify(known_head(history), folder)
    assert (verdict.problems, verdict.head.count) == ([], 2)
