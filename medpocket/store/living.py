"""Which processes write answers now: each holds the lock of a file of its own, gone with it however it ends."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medpocket.errors import HistoryError
from medpocket.exclusive import exclusive
from medpocket.paths import make_private
from medpocket.store.records import new_id

_FOLDER, _GATE = "writers", "gate"
_GATE_WAIT_S = 10.0


@contextmanager
def hold_writer(folder: Path) -> Iterator[str]:
    """Give a name that `is_alive` while the block runs. Raises HistoryError."""
    name = new_id()
    with contextlib.ExitStack() as held:
        try:
            path = make_private(folder / _FOLDER) / name
            with exclusive(folder / _FOLDER / _GATE, _GATE_WAIT_S):  # `living` may not see a file before its lock
                held.enter_context(exclusive(path))
        except OSError:
            raise HistoryError(
                "the history's folder cannot be written", "`medpocket history path` shows where it is"
            ) from None
        try:
            yield name
        finally:
            with contextlib.suppress(OSError):  # Windows keeps a file that is open; the next opening removes it
                path.unlink()


def living(folder: Path) -> frozenset[str]:
    """Return the names of the writers that live, and remove the files of the others."""
    names = set()
    if not (folder / _FOLDER).is_dir():
        return frozenset()
    with exclusive(folder / _FOLDER / _GATE, _GATE_WAIT_S):
        for path in (folder / _FOLDER).iterdir():
            if path.name == _GATE:
                continue
            with exclusive(path) as was_free:
                if was_free:
                    with contextlib.suppress(OSError):
                        path.unlink()
                else:
                    names.add(path.name)
    return frozenset(names)
