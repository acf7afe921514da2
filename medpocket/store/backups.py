"""Copies of the whole history, locked where it is."""

import contextlib
import os
from datetime import datetime
from itertools import count
from pathlib import Path

from medpocket.errors import HistoryError
from medpocket.paths import make_private
from medpocket.store.driver import Connection, connect, translated

FOLDER = "backups"


def back_up(path: Path, source: Connection, key: str | None, label: str = "", target: Path | None = None) -> Path:
    """Copy the history, also while others write to it; return the copy: `target`, or one in the folder of backups.

    Raises HistoryError and DiskShortError; then there is no copy. A file that is there is refused.
    """
    if target is None:
        stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
        target = _free(path.parent / FOLDER, "-".join(part for part in (path.stem, stamp, label) if part), path.suffix)
    part = target.with_name(target.name + ".part")
    try:
        make_private(target.parent)
        if target.exists():
            raise HistoryError("a file of that name is there already", "give another name, or move it away")
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        copy = connect(part, key)
        try:
            with translated():
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL
        finally:
            copy.close()
        part.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            raise HistoryError(
                f"the backup cannot be written: {os.strerror(error.errno or 0)}", "give another place for it"
            ) from None
        raise
    return target


def _free(folder: Path, stem: str, suffix: str) -> Path:
    """A name that no file has: two backups can be made within a second."""
    names = (f"{stem}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    return next(folder / name for name in names if not (folder / name).exists())


def backups(folder: Path) -> list[Path]:
    """Return the backups in a history's folder, the oldest first."""
    place = folder / FOLDER
    return sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else []
