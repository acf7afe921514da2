"""Copy a file and hash it in the same pass, so that each byte is read once.

In one thread: handing blocks to a second one took longer on a busy machine than hashing them does.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

BLOCK = 1 << 20  # bytes


def copy_hashed(
    source: Path, destination: Path, mode: int = 0o600, copied: Callable[[int], None] = lambda _bytes: None
) -> str:
    """Copy `source` to the new file `destination`, wait until it is on the disk, and return its SHA-256.

    `copied` is told how many bytes are done. Raises OSError, FileExistsError among them; then what was written stays.
    """
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    buffer = memoryview(bytearray(BLOCK))
    done = 0
    descriptor = os.open(destination, flags, mode)
    with source.open("rb", buffering=0) as reading, os.fdopen(descriptor, "wb", buffering=0) as writing:
        _tell_sequential(reading.fileno())
        while count := reading.readinto(buffer):
            block = buffer[:count]
            _write_all(writing.fileno(), block)
            digest.update(block)
            done += count
            copied(done)
        os.fsync(writing.fileno())
    return digest.hexdigest()


def _write_all(descriptor: int, block: memoryview) -> None:
    while block:
        block = block[os.write(descriptor, block) :]


def _tell_sequential(descriptor: int) -> None:
    """Let the system read ahead, where it has a way to be asked."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
