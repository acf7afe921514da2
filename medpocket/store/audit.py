"""The audit log: who answered, when, with what, and never a word of it. Every line names the hash of the one before.

A line that was changed, removed or moved breaks the chain. The end of the chain is kept in the database too, so that
a tail that was cut off is missed. The two are written one after the other: a process that is killed between them, or
that cannot open the database (locked, switched off), leaves lines that the database does not know yet. They are
taken over when it next can be written, if the chain leads to them.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from medpocket import paths
from medpocket.errors import DiskShortError, HistoryError, MedpocketError
from medpocket.exclusive import exclusive
from medpocket.store.connected import Connected
from medpocket.types import ActiveAdapter

FILE_NAME = "audit.jsonl"
_LOCK = "audit.lock"
_WAIT_S = 10.0
_FIRST = "0" * 64
_MOST_BYTES = 1 << 14  # of a line
_HINT = "`medpocket history audit verify` checks what is there"


@dataclass(frozen=True)
class Entry:
    """What is written down of one command. `model` and `fingerprint` are hashes; the result is one word."""

    command: str
    result: str
    model: str = ""
    fingerprint: str = ""
    expert: str = ""
    adapters: tuple[ActiveAdapter, ...] = ()
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    old_log: str = ""  # of a log that was begun anew: the file that it follows, and how that one ended
    old_lines: int | None = None
    old_head: str = ""
    old_intact: bool | None = None


@dataclass(frozen=True)
class Head:
    """Where a chain ends: how many lines it has, and the hash of the last."""

    count: int = 0
    hash: str = _FIRST


@dataclass(frozen=True)
class Verdict:
    """What `verify` found. `problems` speak against the log; `remarks` are to be known."""

    head: Head
    known: Head | None
    problems: Sequence[str] = field(default=())
    remarks: Sequence[str] = field(default=())


def write_line(entry: Entry, history: Connected | None = None, folder: Path | None = None) -> Head:
    """Add a line and wait for the disk; then let the database know, where it is open and can be written.

    Raises HistoryError and DiskShortError; then there is no new line, or only the database does not know it yet.
    """
    place = folder or paths.history_folder()
    try:
        paths.make_private(place)
        with exclusive(place / _LOCK, _WAIT_S) as held:
            if not held:
                raise _busy()
            head = _append(place / FILE_NAME, entry)
            if history and not history.read_only:
                _take_over(history, place / FILE_NAME, head)
    except OSError as error:
        raise _unwritable(error) from None
    return head


def begin_anew(history: Connected | None = None, folder: Path | None = None) -> Path:
    """Set a log aside that is not intact, and begin another, whose first line says so; return the old one's new name.

    `history` is the open database, which then knows the new log; None where there is none.
    Raises HistoryError, also where the log is intact.
    """
    place = folder or paths.history_folder()
    try:
        with exclusive(paths.make_private(place) / _LOCK, _WAIT_S) as held:
            if not held:
                raise _busy()
            verdict = verify(known_head(history) if history else None, place)
            if not verdict.problems:
                raise HistoryError("the audit log is intact", "a new one is begun only where it is not")
            old = _free_name(place)
            if (place / FILE_NAME).exists():
                (place / FILE_NAME).rename(old)
            entry = Entry(
                "history audit begin",
                "done",
                old_log=old.name if old.exists() else "",
                old_lines=verdict.head.count,
                old_head=verdict.head.hash,
                old_intact=False,
            )
            head = _append(place / FILE_NAME, entry)
            if history:
                with history.transaction() as connection:
                    connection.execute("UPDATE audit SET count = ?, head = ?", [head.count, head.hash])
    except OSError as error:
        raise _unwritable(error) from None
    return old


def file_head(folder: Path | None = None) -> Head:
    """Return where the file ends, without checking it. Raises HistoryError."""
    path = (folder or paths.history_folder()) / FILE_NAME
    try:
        with path.open("rb") as file:
            return _last(file)[0]
    except FileNotFoundError:
        return Head()
    except OSError as error:
        raise HistoryError(f"the audit log cannot be read: {os.strerror(error.errno or 0)}", _HINT) from None


def known_head(history: Connected) -> Head:
    """Return where the chain ends as the database knows it. Raises HistoryError."""
    lines, digest = history.read("SELECT count, head FROM audit")[0]
    return Head(lines, digest or _FIRST)


def verify(known: Head | None, folder: Path | None = None) -> Verdict:
    """Read the whole log and follow its chain; `known` is the database's end of it, None where it cannot be asked."""
    chain = _Chain(known.count if known else 0)
    try:
        with ((folder or paths.history_folder()) / FILE_NAME).open("rb") as file:
            for raw in _lines(file):
                chain.take(raw)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise HistoryError(f"the audit log cannot be read: {os.strerror(error.errno or 0)}", _HINT) from None
    chain.compare(known)
    return Verdict(chain.head, known, chain.problems, chain.remarks)


class _Chain:
    """Follows the chain line by line, and remembers the hash of line `watched`."""

    def __init__(self, watched: int) -> None:
        self.head = Head()
        self.problems: list[str] = []
        self.remarks: list[str] = []
        self._watched = watched
        self._hash_watched = _FIRST
        self._time = ""

    def take(self, raw: bytes) -> None:
        number = self.head.count + 1
        if not raw.endswith(b"\n"):
            self.remarks.append("the last line is incomplete: the process that wrote it ended too early")
            return
        line = _parsed(raw)
        if line is None:
            self.problems.append(f"line {number} is not one of this log")
        else:
            if line["previous"] != self.head.hash:
                self.problems.append(f"line {number} does not follow the line before it")
            if line["n"] != number:
                self.problems.append(f"line {number} says that it is line {line['n']}")
            if line["time"] < self._time:
                self.remarks.append(f"line {number}: the clock was behind that of the line before")
            self._time = line["time"]
        self.head = Head(number, _hash(raw))
        if number == self._watched:
            self._hash_watched = self.head.hash

    def compare(self, known: Head | None) -> None:
        """Compare the end with the one that the database knows."""
        lines = self.head.count
        if known is None:
            self.remarks.append("the history's database was not asked: a tail that was cut off would not be seen")
        elif known.count > lines:
            self.problems.append(
                f"the database knows {known.count:,} lines, the log has {lines:,}: its end was cut off"
            )
        elif self._hash_watched != known.hash:
            self.problems.append(f"line {known.count} is not the one that the database knows")
        elif known.count < lines:
            self.remarks.append(f"{lines - known.count:,} lines at the end are not known to the database yet")


def _append(path: Path, entry: Entry) -> Head:
    """Write one line whole or not at all. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        head, end = _last(file)
        torn = file.seek(0, os.SEEK_END) - end
        try:
            if torn:
                file.truncate(end)
                head = _write(file, head, Entry("audit", f"cut {torn} bytes of an incomplete line"))
            head = _write(file, head, entry)
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
        return head


def _write(file: BinaryIO, head: Head, entry: Entry) -> Head:
    time = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    known = {name: value for name, value in asdict(entry).items() if value not in ("", None, ())}
    line = {"n": head.count + 1, "time": time, **known, "previous": head.hash}
    raw = json.dumps(line, separators=(",", ":")).encode() + b"\n"
    file.seek(0, os.SEEK_END)
    if file.write(raw) != len(raw):
        raise OSError(28, "No space left on device")
    return Head(head.count + 1, _hash(raw))


def _last(file: BinaryIO) -> tuple[Head, int]:
    """Return where the chain ends, and at which byte the last whole line does."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - 2 * _MOST_BYTES)
    file.seek(start)
    tail = file.read(size - start)
    whole = tail[: tail.rfind(b"\n") + 1]
    if not whole:
        return Head(), start
    raw = whole[whole.rfind(b"\n", 0, -1) + 1 :]
    line = _parsed(raw)
    if line is None:
        file.seek(0)  # somebody wrote into the log: the line counts as one, and stays to be found
        return Head(sum(1 for _ in _lines(file)), _hash(raw)), start + len(whole)
    return Head(line["n"], _hash(raw)), start + len(whole)


def _take_over(history: Connected, path: Path, head: Head) -> None:
    """Let the database know the new end, where the chain leads from the end that it knows to it.

    Where it does not, the log was changed, and the database keeps what shows it.
    """
    with history.transaction() as connection:
        lines, digest = connection.execute("SELECT count, head FROM audit").fetchone()
        if _leads_to(path, Head(lines, digest or _FIRST), head):
            connection.execute("UPDATE audit SET count = ?, head = ?", [head.count, head.hash])


def _leads_to(path: Path, known: Head, head: Head) -> bool:
    """Whether the log has the known end, and unbroken lines from it to `head`."""
    if known.count >= head.count:
        return False
    previous = _FIRST
    with path.open("rb") as file:
        if known.count == head.count - 1:  # the usual case needs only the last line
            file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_BYTES))
            line = _parsed(file.read().rstrip(b"\n").rpartition(b"\n")[2] + b"\n")
            return line is not None and line["previous"] == known.hash
        for number, raw in enumerate(_lines(file), 1):
            if number > known.count:
                line = _parsed(raw)
                if line is None or line["previous"] != previous or line["n"] != number:
                    return False
            previous = _hash(raw)
            if number == known.count and previous != known.hash:
                return False
    return previous == head.hash


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while raw := file.readline(_MOST_BYTES):
        yield raw if raw.endswith(b"\n") or len(raw) < _MOST_BYTES else raw + b"\n"


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """The line, if it is one of this log. One that is written in another way is another line, and has another hash."""
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or type(line.get("n")) is not int:
        return None
    return line if all(isinstance(line.get(name), str) for name in ("time", "previous")) else None


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw.rstrip(b"\n")).hexdigest()


def _free_name(place: Path) -> Path:
    """A name for the old log that no file has."""
    stem = f"audit-{datetime.now():%Y%m%d-%H%M%S}"
    names = (place / f"{stem}{f'-{number}' if number > 1 else ''}.jsonl" for number in count(1))
    return next(path for path in names if not path.exists())


def _busy() -> HistoryError:
    return HistoryError("another MedPocket keeps the audit log busy", "try again in a minute")


def _unwritable(error: OSError) -> MedpocketError:
    if error.errno in (28, 122):  # ENOSPC, EDQUOT
        return DiskShortError("the disk is full: the audit log could not be written", "free some space")
    return HistoryError(f"the audit log cannot be written: {os.strerror(error.errno or 0)}", _HINT)
