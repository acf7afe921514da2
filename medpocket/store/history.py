"""Opening the history."""

import os
from collections.abc import Callable
from pathlib import Path

from medpocket import paths
from medpocket.errors import DamagedHistoryError, HistoryError, LockedHistoryError
from medpocket.exclusive import exclusive
from medpocket.store import migrations
from medpocket.store.backups import back_up
from medpocket.store.driver import CAN_LOCK, Connection, connect
from medpocket.store.key import SALT_BYTES, derive_key
from medpocket.store.living import living
from medpocket.store.records import State, now, to_ms
from medpocket.store.writer import Writer

FILE_NAME = "history.db"
_HEADER = b"SQLite format 3\0"
_PAGE_BYTES = 512  # the smallest page; a locked file is nothing but pages
_MIGRATION_WAIT_S = 60.0


class History(Writer):
    """Everything that was asked and answered. Any thread may use it; `changes` tells of what others wrote."""

    @classmethod
    def open(
        cls,
        folder: Path | None = None,
        passphrase: Callable[[], str | None] = lambda: None,
        *,
        create: bool = True,
    ) -> "History | None":
        """Open the history in `folder`, by default the user's; None where there is none and `create` is off.

        `passphrase` is called where it is locked. Raises LockedHistoryError where it gives None, PassphraseError
        where it is wrong, DamagedHistoryError, and HistoryError where the file cannot be used.
        """
        path = (folder or paths.history_folder()) / FILE_NAME
        if not path.exists():
            if not create:
                return None
            _create(path)
        while True:
            before = path.stat()
            key = _key_of(path, passphrase)
            writable = _is_writable(path)
            connection = connect(path, key, read_only=not writable)
            if os.path.samestat(before, path.stat()):
                break
            connection.close()  # another process locked or unlocked the history meanwhile
        history = cls(path, key, "" if writable else "its file or folder is read-only")
        history._adopt(connection)
        try:
            history._prepare(connection)
        except BaseException:
            history.close()
            raise
        return history

    def _prepare(self, connection: Connection) -> None:
        version = migrations.version_of(connection)
        if version > migrations.NEWEST:
            self.read_only = "a newer MedPocket has written it"
        if self.read_only:
            return
        self.read("PRAGMA journal_mode = WAL")
        if version < migrations.NEWEST:
            with exclusive(self.path.parent / "migrating", _MIGRATION_WAIT_S):
                if version and migrations.version_of(connection) < migrations.NEWEST:
                    back_up(self.path, connection, self._key, f"before-format-{migrations.NEWEST}")
                migrations.migrate(connection)
        self._stop_left_over()

    def _stop_left_over(self) -> None:
        """Mark turns as stopped whose process ended before their answer did."""
        writers = {row[0] for row in self.read("SELECT DISTINCT writer FROM turns WHERE state = 'streaming'")}
        dead = writers - living(self.path.parent) if writers else ()
        if not dead:
            return
        with self.transaction() as connection:
            for writer in dead:
                connection.execute(
                    "UPDATE turns SET state = ?, writer = NULL, finished_at = ? "
                    "WHERE state = 'streaming' AND writer IS ?",
                    [State.STOPPED.value, to_ms(now()), writer],
                )


def is_locked(folder: Path | None = None) -> bool | None:
    """Tell whether the history is locked; None where there is none. For before it is opened: see `_first_bytes`."""
    path = (folder or paths.history_folder()) / FILE_NAME
    return None if not path.exists() else _looks_locked(path, _first_bytes(path))


def _key_of(path: Path, passphrase: Callable[[], str | None]) -> str | None:
    first = _first_bytes(path)
    if not _looks_locked(path, first):
        return None
    if not CAN_LOCK:
        raise HistoryError(
            "the history is locked, and SQLCipher is not installed here", "`pip install sqlcipher3` brings it"
        )
    given = passphrase()
    if given is None:
        raise LockedHistoryError(
            "the history is locked", "give its passphrase at the prompt, or its file as MEDPOCKET_PASSPHRASE_FILE"
        )
    return derive_key(given, first)


def _looks_locked(path: Path, first: bytes) -> bool:
    """Tell a locked file, which looks like chance, from a plain or an empty one. Raises DamagedHistoryError."""
    if not first or first == _HEADER:
        return False
    if len(first) < SALT_BYTES or not any(first) or path.stat().st_size % _PAGE_BYTES:
        raise DamagedHistoryError("the history's file is damaged", "`medpocket history recover` saves what can be read")
    return True


def _first_bytes(path: Path) -> bytes:
    """Read the header of a plain file, the salt of a locked one.

    When a process closes a file, it loses every lock that it has on it, SQLite's too: so this is only for a process
    that has not opened the history yet.
    """
    try:
        with path.open("rb") as file:
            return file.read(SALT_BYTES)
    except OSError as error:
        raise HistoryError(
            f"the history cannot be read: {os.strerror(error.errno or 0)}", "`medpocket history path` shows where it is"
        ) from None


def _create(path: Path) -> None:
    try:
        paths.make_private(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise HistoryError(
            f"the history's folder cannot be written: {os.strerror(error.errno or 0)}",
            "`medpocket history path` shows where it is",
        ) from None


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
