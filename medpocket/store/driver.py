"""The SQLite library: SQLCipher's, which reads plain and locked files alike, else Python's, for plain files alone."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from medpocket.errors import DamagedHistoryError, DiskShortError, HistoryError, MedpocketError

try:
    _cipher: Any = import_module("sqlcipher3.dbapi2")
except ImportError:
    _cipher = None
CAN_LOCK = _cipher is not None
driver = _cipher or sqlite3

BUSY_MS = 30_000  # a writer waits for another one; no transaction takes nearly as long
_SECURE_FTS_DELETE = (3, 42)

Connection = sqlite3.Connection  # what both have in common


def can_scrub_search_index() -> bool:
    """Tell whether this SQLite's FTS5 overwrites the words that it deletes."""
    return bool(driver.sqlite_version_info[:2] >= _SECURE_FTS_DELETE)


def connect(path: Path, key: str | None = None, *, busy_ms: int = BUSY_MS, read_only: bool = False) -> Connection:
    """Open `path`, a file that is there, with `key`, the hexadecimal digits of key and salt, where it is locked.

    Nothing is written outside the file, its WAL and its shared memory. Raises HistoryError.
    """
    with translated():
        mode = "rw" if not read_only else "ro&immutable=1" if _nobody_can_write_beside(path) else "ro"
        connection: Connection = driver.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
            if CAN_LOCK:
                connection.execute("PRAGMA cipher_log_level = NONE")  # it would go to stderr
            if key:
                connection.execute(f"PRAGMA key = \"x'{key}'\"")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first thing that needs the key
        except BaseException:
            connection.close()
            raise
        return connection


def _nobody_can_write_beside(path: Path) -> bool:
    """Whether the file is all that there is, in a folder where not even the shared memory of a reader can be made.

    SQLite reads a file in WAL mode only with shared memory beside it, unless it is told that the file does not change.
    Without a WAL no process has it open. One that opens it later can make a reading fail, never write what is wrong.
    """
    return not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()


@contextmanager
def translated() -> Iterator[None]:
    """Give errors of SQLite two clear lines. Its own message can quote what was written, and is not shown."""
    try:
        yield
    except (sqlite3.Error, driver.Error) as error:
        raise _translated(error) from None


_PATH_HINT = "`medpocket history path` shows where it is"
# Words of SQLite's messages: the error that they mean, what is wrong, and what to do.
_MEANINGS: tuple[tuple[tuple[str, ...], type[MedpocketError], str, str], ...] = (
    (("full",), DiskShortError, "the disk is full: the history could not be written", "free some space and try again"),
    (
        ("not a database", "malformed", "corrupt"),
        DamagedHistoryError,
        "the history's file is damaged",
        "`medpocket history recover` saves what can be read",
    ),
    (
        ("locked", "busy"),
        HistoryError,
        "another MedPocket has kept the history busy for too long",
        "close it, or try again in a minute",
    ),
    (("readonly", "read-only"), HistoryError, "the history cannot be written: its file is read-only", _PATH_HINT),
    (("unable to open",), HistoryError, "the history cannot be opened", _PATH_HINT),
    (("disk I/O",), HistoryError, "the disk failed under the history", "look for room on it, then for its health"),
)


def _translated(error: Exception) -> MedpocketError:
    text = str(error)
    for words, kind, message, hint in _MEANINGS:
        if any(word in text for word in words):
            return kind(message, hint)
    return HistoryError(
        f"the history could not be used ({type(error).__name__})", "`medpocket history verify` reads all of it"
    )
