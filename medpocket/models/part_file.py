"""A file that is still arriving. It survives a killed process and a reboot, and goes on where it is known to be right.

Beside `NAME.part` stands `NAME.part.json`: which file it will be, and how many of its bytes had reached the disk at the
last checkpoint, with their SHA-256. What came after that checkpoint is fetched again, one chunk at most.
"""

import contextlib
import errno
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from medpocket.errors import DiskShortError, DownloadError

CHUNK_BYTES = 8 << 20  # a checkpoint after so many, each of which waits for the disk
CHUNK_S = 5.0  # or after so long, on a slow line
READ_BYTES = 1 << 20

Report = Callable[[int], None]


@dataclass(frozen=True)
class _State:
    """Of a file of `size` bytes with this `sha256`, the first `bytes` are on the disk; `so_far` is their hash."""

    size: int
    sha256: str
    bytes: int
    so_far: str


def part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def state_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


def bytes_kept(target: Path) -> tuple[int, int] | None:
    """How many bytes of `target` are here, and of how many; None where none is arriving."""
    state = _read_state(state_of(target))
    return (state.bytes, state.size) if state and part_of(target).is_file() else None


class PartFile:
    """The first `have` bytes of a file of `size` bytes that must have this SHA-256."""

    def __init__(self, target: Path, size: int, sha256: str, mode: int = 0o600) -> None:
        self.target, self.size, self.sha256 = target, size, sha256
        self.have = 0
        self._digest = hashlib.sha256()
        self._kept = 0
        self._kept_at = time.monotonic()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(part_of(target), flags, mode)
        self._mode = mode

    def resume(self, report: Report = lambda _bytes: None) -> str | None:
        """Read what is here and keep what is known to be right; say in words where something was thrown away.

        `report` is told how many bytes were read. Raises OSError.
        """
        state = _read_state(state_of(self.target))
        lost = None
        if state is not None and (state.size, state.sha256) != (self.size, self.sha256):
            lost = "the file on the hub is another one than before: what had come of the old one is thrown away"
        elif state is not None and not self._read_back(state.bytes, state.so_far, report):
            lost = "what had come was damaged on the disk, and is thrown away"
        if lost:
            self.have, self._digest = 0, hashlib.sha256()
        os.ftruncate(self._descriptor, self.have)
        os.lseek(self._descriptor, self.have, os.SEEK_SET)
        self.checkpoint()
        return lost

    def write(self, block: bytes) -> None:
        """Add what arrived. Raises DiskShortError, which leaves everything until now in place, and DownloadError."""
        if self.have + len(block) > self.size:
            raise DownloadError("the server sends more than the file has", "give the command again")
        view = memoryview(block)
        try:
            while view:
                view = view[self._add(view) :]
            if self.have - self._kept >= CHUNK_BYTES or time.monotonic() - self._kept_at > CHUNK_S:
                self.checkpoint()
        except OSError as error:
            raise self.disk_full() if error.errno in (errno.ENOSPC, errno.EDQUOT) else error from None

    def checkpoint(self) -> None:
        """Wait until everything is on the disk, then say so in the state. Raises OSError."""
        os.fsync(self._descriptor)
        state = _State(self.size, self.sha256, self.have, self._digest.copy().hexdigest())
        unfinished = state_of(self.target).with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(state_of(self.target))
        self._kept, self._kept_at = self.have, time.monotonic()

    def finish(self) -> None:
        """Give the file its name, if all of it is here and is what it should be; else throw it away.

        Raises DownloadError and OSError.
        """
        if self.have != self.size or self._digest.hexdigest() != self.sha256:
            self.close()
            self.discard()
            raise DownloadError(
                f"what arrived is not {self.target.name} as the hub describes it (its SHA-256 differs)",
                "it was thrown away; give the command again, and if that ends so too, take another line or a USB stick",
            )
        os.fsync(self._descriptor)
        self.close()
        part_of(self.target).replace(self.target)
        state_of(self.target).unlink(missing_ok=True)
        sync_folder(self.target.parent)

    @property
    def is_open(self) -> bool:
        return self._descriptor >= 0

    def checkpoint_if_possible(self) -> None:
        """Keep all that came, where the disk lets us: after an error there may be no room even to say so."""
        with contextlib.suppress(OSError):
            self.checkpoint()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Delete what came. Raises OSError."""
        state_of(self.target).unlink(missing_ok=True)
        part_of(self.target).unlink(missing_ok=True)

    def disk_full(self) -> DiskShortError:
        """Say that the disk is full half way; what is here stays here."""
        return DiskShortError(
            f"the disk is full: {self.have / 1e9:.2f} of {self.size / 1e9:.2f} GB are here, and are kept",
            f"free {(self.size - self.have) / 1e9:.2f} GB where {self.target.parent} is, then give the command again",
        )

    def _add(self, view: memoryview) -> int:
        """Write some of `view` and count it; an interruption leaves count and hash as they were before."""
        before = self.have, self._digest.copy()
        try:
            written = self._write(view)
            self._digest.update(view[:written])
            self.have += written
        except BaseException:
            self.have, self._digest = before
            raise
        return written

    def _write(self, view: memoryview) -> int:
        return os.write(self._descriptor, view)

    def _read_back(self, count: int, so_far: str, report: Report) -> bool:
        buffer = memoryview(bytearray(READ_BYTES))
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while self.have < count:
            block = os.read(self._descriptor, min(len(buffer), count - self.have))
            if not block:
                return False
            self._digest.update(block)
            self.have += len(block)
            report(self.have)
        return self._digest.hexdigest() == so_far


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_state(path: Path) -> _State | None:
    try:
        state = _State(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    numbers = all(type(value) is int for value in (state.size, state.bytes)) and 0 <= state.bytes <= state.size
    return state if numbers and all(isinstance(value, str) for value in (state.sha256, state.so_far)) else None
