"""A history's file, opened once for each thread that uses it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from medpocket.errors import HistoryError
from medpocket.store.driver import Connection, connect, translated

Some = TypeVar("Some", bound="Connected")


class Connected:
    """Connections to one file. Any thread may use it; `close` ends those of all threads.

    `read_only` is why nothing can be written, empty where it can.
    """

    def __init__(self, path: Path, key: str | None, read_only: str = "") -> None:
        self.path = path
        self.read_only = read_only
        self._key = key
        self._own = threading.local()
        self._all: list[Connection] = []
        self._opening = threading.Lock()

    def __enter__(self: Some) -> Some:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def locked(self) -> bool:
        """Whether the file is encrypted."""
        return self._key is not None

    def close(self) -> None:
        """End every connection. A recording that still runs fails."""
        with self._opening:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._own = threading.local()

    def close_here(self) -> None:
        """End the connection of this thread, which will not use the file any more."""
        connection = self._own.__dict__.pop("connection", None)
        if connection is not None:
            with self._opening:
                self._all.remove(connection)
            connection.close()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a SELECT. Raises HistoryError."""
        with translated():
            return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write all of it or nothing, after any other writer, and wait for the disk.

        Raises HistoryError, also where the file is read-only.
        """
        if self.read_only:
            raise HistoryError(f"the history cannot be written: {self.read_only}", "it can be searched and exported")
        with translated():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def changes(self) -> int:
        """Return a number that differs from the last one where another connection, or process, wrote meanwhile."""
        return int(self.read("PRAGMA data_version")[0][0])

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = connect(self.path, self._key, read_only=bool(self.read_only))
            with self._opening:
                self._own.connection = connection
                self._all.append(connection)
        return connection

    def _adopt(self, connection: Connection) -> None:
        """Take a connection of this thread that is open already."""
        self._own.connection = connection
        self._all.append(connection)
