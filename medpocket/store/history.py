"""Opening the history."""

import os
from collections.abc import Callable
from pathlib import Path

from medpocket import paths
from medpocket.errors import DamagedHistoryError, HistoryError, LockedHistoryError, PassphraseError
from medpocket.exclusive import exclusive
from medpocket.store import attempts, migrations
from medpocket.store.backups import back_up
from medpocket.store.driver import CAN_LOCK, Connection, can_scrub_search_index, connect
from medpocket.store.erasing import copies, erase
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
        if not _is_there(path):
            if not create:
                return None
            _create(path)
        writable = _is_writable(path)
        connection, key = _connect(path, passphrase, read_only=not writable)
        history = cls(path, key, "" if writable else "its file or folder is read-only")
        history._adopt(connection)
        try:
            history._prepare(connection)
        except BaseException:
            history.close()
            raise
        return history

    def back_up(self, target: Path | None = None) -> Path:
        """Copy the whole history, locked where it is; return the copy. Raises HistoryError and DiskShortError."""
        return back_up(self.path, self._connection(), self._key, target=target)

    def scrub(self) -> bool:
        """Leave no copy of what was deleted: free pages, the WAL, backups and files set aside are removed.

        Returns whether the WAL is empty: a process that reads at this moment keeps it until it is done.
        """
        self.read("PRAGMA incremental_vacuum")
        if not can_scrub_search_index():
            with self.transaction() as connection:
                connection.execute("INSERT INTO turns_words (turns_words) VALUES ('rebuild')")
        erase(copies(self.path.parent))
        return self.checkpoint()

    def problems(self) -> list[str]:
        """Read the whole file and return what is wrong with it. A wrong search index is made anew."""
        found = [row[0] for row in self.read("PRAGMA integrity_check") if row[0] != "ok"]
        if self.locked:
            found += [row[0] for row in self.read("PRAGMA cipher_integrity_check")]
        if found or self.read_only:
            return found
        try:
            with self.transaction() as connection:
                connection.execute("INSERT INTO turns_words (turns_words, rank) VALUES ('integrity-check', 1)")
        except DamagedHistoryError:
            with self.transaction() as connection:
                connection.execute("INSERT INTO turns_words (turns_words) VALUES ('rebuild')")
            found.append("the search index did not fit the turns; it was made anew")
        return found

    def _prepare(self, connection: Connection) -> None:
        version = migrations.version_of(connection)
        if version > migrations.NEWEST:
            self.read_only = "a newer MedPocket has written it"
        if self.read_only:
            return
        if not version:
            self.read("PRAGMA auto_vacuum = INCREMENTAL")  # before anything is written
        self.read("PRAGMA journal_mode = WAL")
        if version < migrations.NEWEST:
            with exclusive(self.path.parent / "migrating", _MIGRATION_WAIT_S):
                migrations.migrate(
                    connection,
                    lambda number: back_up(self.path, connection, self._key, f"before-format-{number}"),
                )
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
    return None if not _is_there(path) else _looks_locked(path, _first_bytes(path))


def _is_there(path: Path) -> bool:
    """Whether there is a file. Raises HistoryError where the user may not even look."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise HistoryError(
            f"the history's folder cannot be read ({error.strerror})", "`medpocket history path` shows where it is"
        ) from None
    return True


def _connect(path: Path, passphrase: Callable[[], str | None], *, read_only: bool) -> tuple[Connection, str | None]:
    while True:
        before = path.stat()
        key = key_for(path, passphrase)
        try:
            connection = connect(path, key, read_only=read_only)
        except DamagedHistoryError:
            if os.path.samestat(before, path.stat()):
                raise (_wrong(path) if key else _damaged()) from None
            continue  # another process locked or unlocked the history meanwhile, and overwrote this file
        if os.path.samestat(before, path.stat()):
            if key:
                attempts.forget(path.parent)
            return connection, key
        connection.close()


def _wrong(path: Path) -> PassphraseError:
    attempts.count_wrong(path.parent)
    return PassphraseError(
        "this is not the passphrase of the history",
        "if it was never locked, its file is damaged: `medpocket history recover` sets it aside",
    )


def _damaged() -> DamagedHistoryError:
    return DamagedHistoryError("the history's file is damaged", "`medpocket history recover` saves what can be read")


def key_for(path: Path, passphrase: Callable[[], str | None]) -> str | None:
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
    attempts.wait_for_turn(path.parent)
    return derive_key(given, first)


def _looks_locked(path: Path, first: bytes) -> bool:
    """Tell a locked file, which looks like chance, from a plain or an empty one. Raises DamagedHistoryError."""
    if not first or first == _HEADER:
        return False
    if len(first) < SALT_BYTES or not any(first) or path.stat().st_size % _PAGE_BYTES:
        raise _damaged()
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
