"""Copy a file and hash it in the same pass, so that each byte is read once.

In one thread: handing blocks to a second one took longer on a busy machine than hashing them does.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCK = 1 << 20  # bytes


def copy_hashed(
    source: Path,
    destination: Path,
    mode: int = 0o600,
    copied: Callable[[int], None] = lambda _bytes: None,
    more: tuple[Path, ...] = (),
) -> str:
    """Copy `source`, and what of the file lies in `more`, to the new file `destination`; return its SHA-256.

    Waits until it is on the disk. `copied` is told how many bytes are done. Raises OSError, FileExistsError among them;
    then what was written stays.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    done = 0
    with new_file(destination, mode) as write:
        for piece in (source, *more):
            with piece.open("rb", buffering=0) as reading:
                _tell_sequential(reading.fileno())
                while count := reading.readinto(buffer):
                    block = buffer[:count]
                    write(block)
                    digest.update(block)
                    done += count
                    copied(done)
    return digest.hexdigest()


@contextmanager
def new_file(path: Path, mode: int) -> Iterator[Callable[[memoryview], None]]:
    """Make a file that was not there; give what writes to it, and wait at the end until it is on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, mode)
    try:
        yield lambda block: _write_all(descriptor, block)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, block: memoryview) -> None:
    while block:
        block = block[os.write(descriptor, block) :]


def _tell_sequential(descriptor: int) -> None:
    """Let the system read ahead, where it has a way to be asked."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
