"""A file that is written whole or not at all, that only its owner reads, and that never replaces another."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from medpocket.errors import DiskShortError, HistoryError, InputError


def write_new(path: Path, pieces: Iterable[str]) -> None:
    """Write `pieces` to `path`. Raises InputError where something is there already, HistoryError, DiskShortError."""
    if path.is_symlink() or path.exists():
        raise _exists(path)
    part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="\n") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(part, path)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        if error.errno in (28, 122):  # ENOSPC, EDQUOT
            raise DiskShortError("the disk is full: nothing was exported", "free some space and try again") from None
        raise HistoryError(
            f"nothing was exported: {os.strerror(error.errno or 0)}", "name a file in a folder that you can write to"
        ) from None


def _put_in_place(part: Path, path: Path) -> None:
    """Give the file its name, unless something has it meanwhile. Raises OSError."""
    try:
        os.link(part, path)  # unlike a renaming, it never replaces anything
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: a stick's
        if path.exists():
            raise FileExistsError(17, "exists") from None
        part.rename(path)


def _exists(path: Path) -> InputError:
    return InputError(f"{path} is there already, and is not overwritten", "name another file, or move it away")
