"""The file's format, in numbered steps. `PRAGMA user_version` says which was the last.

A step runs in a transaction of its own runner, together with its number: it happened, or it did not. A step that a
released program has taken is never changed.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from medpocket.store.driver import Connection, translated

if TYPE_CHECKING:
    from sqlite_utils import Database

Step = Callable[["Database"], None]

NEWEST = 2


def steps() -> dict[int, Step]:
    """Import every step."""
    modules = {1: "m0001_begin", 2: "m0002_facts"}
    return {number: import_module(f"{__name__}.{name}").migrate for number, name in modules.items()}


def version_of(connection: Connection) -> int:
    """Return the format of the file, 0 for an empty one."""
    with translated():
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: Connection, before_step: Callable[[int], object]) -> None:
    """Take the steps that the file has not taken, and call `before_step` with the number of each, save in a new file.

    Raises HistoryError; then the last step did not happen.
    """
    from sqlite_utils import Database

    database = Database(connection)
    is_new = not version_of(connection)
    for number, step in sorted(steps().items()):
        if not is_new and version_of(connection) < number:
            before_step(number)
        with translated():
            connection.execute("BEGIN IMMEDIATE")
            try:
                if version_of(connection) < number:
                    step(database)
                    connection.execute(f"PRAGMA user_version = {number}")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
