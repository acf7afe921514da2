"""Removing files that hold what must not be read any more."""

import os
from collections.abc import Iterable
from pathlib import Path

from medpocket.errors import HistoryError
from medpocket.store.backups import FOLDER, backups

SET_ASIDE = ".damaged-"  # in the name of a damaged history's file
_BLOCK = bytes(1 << 20)


def copies(folder: Path) -> list[Path]:
    """Return the files in a history's folder that hold copies of it: backups, and damaged files set aside."""
    return [*backups(folder), *set_aside_files(folder)]


def set_aside_files(folder: Path) -> list[Path]:
    """Return the damaged files, the oldest first, each WAL after its file."""
    return sorted(path for path in folder.iterdir() if SET_ASIDE in path.name) if folder.is_dir() else []


def erase(files: Iterable[Path]) -> None:
    """Overwrite and remove files. Raises HistoryError.

    An SSD, and a file system that copies on writing, may keep the old blocks all the same.
    """
    for path in files:
        try:
            with path.open("r+b") as file:
                overwrite(file.fileno())
            path.unlink()
        except OSError as error:
            raise HistoryError(
                f"{FOLDER if path.parent.name == FOLDER else 'a file'} of the history could not be removed: "
                f"{os.strerror(error.errno or 0)}",
                f"remove it yourself: {path}",
            ) from None


def overwrite(descriptor: int) -> None:
    """Write zeros over a whole file, and wait for the disk. Raises OSError."""
    remaining = os.fstat(descriptor).st_size
    os.lseek(descriptor, 0, os.SEEK_SET)
    while remaining > 0:
        remaining -= os.write(descriptor, _BLOCK[:remaining])
    os.fsync(descriptor)
