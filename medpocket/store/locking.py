"""Locking and unlocking: the whole history is written anew, under another key or none, and takes the file's place."""

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from medpocket.errors import HistoryError
from medpocket.store import migrations
from medpocket.store.driver import CAN_LOCK, Connection, connect, driver, translated
from medpocket.store.erasing import copies, erase, overwrite
from medpocket.store.history import History
from medpocket.store.key import SALT_BYTES, derive_key

_NEW = ".new"
_WAIT_MS = 2000


def rewrite(history: History, passphrase: str | None) -> None:
    """Lock the history with `passphrase`, or unlock it where that is None; `history` is closed.

    Nothing of what it was stays in its folder: the old file is overwritten, backups and set-aside files are removed.
    Raises HistoryError, also where another process has the history open, and then nothing has changed.
    """
    if not CAN_LOCK:
        raise HistoryError("SQLCipher is not installed here", "`pip install sqlcipher3` brings it")
    path, old_key = history.path, history._key
    history.close()
    salt = secrets.token_bytes(SALT_BYTES)
    key = derive_key(passphrase, salt) if passphrase is not None else None
    new = path.with_name(path.name + _NEW)
    if new.exists():  # of a rewriting that was killed
        erase([new])
    source = connect(path, old_key, busy_ms=_WAIT_MS)
    try:
        _take_alone(source)
        try:
            _export(source, new, key)
            _check(source, new, key)
            erase(copies(path.parent))
            _put_in_place(source, path, new)
        finally:
            with contextlib.suppress(OSError):
                new.unlink()
    finally:
        source.close()


def _take_alone(connection: Connection) -> None:
    """Keep every other process out. While one has the file open in WAL mode, it cannot leave that mode."""
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except (sqlite3.OperationalError, driver.OperationalError):
        raise HistoryError(
            "another MedPocket has the history open", "close it, or wait for its answer, and try again"
        ) from None


def _export(source: Connection, new: Path, key: str | None) -> None:
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with translated():
        source.execute("ATTACH ? AS target KEY ?", [str(new), f"x'{key}'" if key else ""])
        source.execute("PRAGMA target.auto_vacuum = INCREMENTAL")
        source.execute("SELECT sqlcipher_export('target')").fetchall()
        source.execute(f"PRAGMA target.user_version = {migrations.version_of(source)}")
        source.execute("DETACH target")


def _check(source: Connection, new: Path, key: str | None) -> None:
    """See that the new file is sound and holds as much, before the old one goes."""
    written = connect(new, key)
    try:
        with translated():
            sound = written.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            counts = "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM conversations)"
            equal = written.execute(counts).fetchone() == source.execute(counts).fetchone()
    finally:
        written.close()
    if not (sound and equal):
        raise HistoryError("the new file is not as the old one, which stays", "`medpocket history verify` reads it")
    with new.open("rb+") as file:
        os.fsync(file.fileno())


def _put_in_place(source: Connection, path: Path, new: Path) -> None:
    """Replace the file; overwrite the old one, which another process may be waiting to open: it will open the new."""
    if os.name == "nt":  # no file is replaced that is open
        source.close()
        new.replace(path)
        return
    old = os.open(path, os.O_RDWR)
    try:
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        source.close()
        overwrite(old)
    finally:
        os.close(old)
