"""The SHA-256 of a file, which takes reading all of it, and a fingerprint, which takes a few milliseconds."""

import hashlib
from collections.abc import Callable
from pathlib import Path

BLOCK = 1 << 20  # bytes; hashlib lets other threads run while it works on a block
_SAMPLES = 32
_SAMPLE_BYTES = 1 << 14


def sha256_of(path: Path, read: Callable[[int], None] = lambda _bytes: None) -> str:
    """Hash the whole file, telling `read` how many bytes are done. Raises OSError."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    done = 0
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            done += count
            read(done)
    return digest.hexdigest()


def fingerprint_of(path: Path) -> str:
    """Hash the size and samples of the file, evenly spread, its beginning and its end among them. Raises OSError.

    It finds a file that was exchanged, cut short or written over; a few changed bytes only a full hash finds.
    """
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        digest = hashlib.sha256(str(size).encode())
        last = max(0, size - _SAMPLE_BYTES)
        for number in range(_SAMPLES):
            file.seek(last * number // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
