"""Copy a file and hash it in the same pass: each byte is read once, and hashed while the one before it is written."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BLOCK = 4 << 20  # bytes; two of them are in memory


def copy_hashed(
    source: Path, destination: Path, mode: int = 0o600, copied: Callable[[int], None] = lambda _bytes: None
) -> str:
    """Copy `source` to the new file `destination`, wait until it is on the disk, and return its SHA-256.

    `copied` is told how many bytes are done. Raises OSError, FileExistsError among them; then what was written stays.
    """
    import hashlib

    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    buffers = [memoryview(bytearray(BLOCK)) for _ in range(2)]
    done, turn = 0, 0
    descriptor = os.open(destination, flags, mode)
    with source.open("rb", buffering=0) as reading, os.fdopen(descriptor, "wb", buffering=0) as writing:
        _tell_sequential(reading.fileno())
        with ThreadPoolExecutor(1) as hashing:
            hashed = hashing.submit(lambda: None)
            while count := reading.readinto(buffers[turn]):
                block = buffers[turn][:count]
                hashed.result()  # the other buffer is free after this
                hashed = hashing.submit(digest.update, block)
                _write_all(writing.fileno(), block)
                done += count
                turn = 1 - turn
                copied(done)
            hashed.result()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def _write_all(descriptor: int, block: memoryview) -> None:
    while block:
        block = block[os.write(descriptor, block) :]


def _tell_sequential(descriptor: int) -> None:
    """Let the system read ahead, where it has a way to be asked."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
