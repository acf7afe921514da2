"""Fetch one file into its place: with ranges, going on where it stopped, hashed while it arrives."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medpocket.errors import DiskShortError
from medpocket.exclusive import exclusive
from medpocket.models.gguf_kinds import shown
from medpocket.models.hashing import sha256_of
from medpocket.models.http_source import HttpSource, Patience, TryAgainError, no_network
from medpocket.models.part_file import PartFile, bytes_kept

Event = Mapping[str, Any]
Tell = Callable[[Event], None]

SPARE_BYTES = 64 << 20  # what a disk keeps for others
_TELL_EVERY_S = 0.25
_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True)
class Wanted:
    """A file of the hub: its size and its SHA-256 are the hub's own."""

    size: int
    sha256: str
    mode: int = 0o600


def fetch(wanted: Wanted, target: Path, source: HttpSource, patience: Patience, tell: Tell) -> None:
    """Bring the file to `target`, or find it there. A second process that fetches the same waits for the first.

    Raises DownloadError, DiskShortError and OSError; what arrived by then is kept for the next time.
    """
    lock = target.with_name(f".{target.name}.lock")
    said = False
    while True:
        with exclusive(lock, _LOOK_AGAIN_S if said else 0.0) as held:
            if held:
                _fetch_alone(wanted, target, source, patience, tell)
                return
        # Told again and again, so that this process ends when nobody listens any more.
        tell({"event": "waiting", "reason": "another process is fetching this file", "first": not said})
        said = True


def _fetch_alone(wanted: Wanted, target: Path, source: HttpSource, patience: Patience, tell: Tell) -> None:
    progress = _Progress(wanted.size, target.name, tell)
    if target.is_file() and not target.is_symlink() and target.stat().st_size == wanted.size:
        if sha256_of(target, lambda done: progress.show("reading", done)) == wanted.sha256:
            return
        tell({"event": "notice", "text": f"{shown(target.name)} is here but damaged; it is fetched anew"})
    check_room(target, wanted.size)
    part = PartFile(target, wanted.size, wanted.sha256, wanted.mode)
    try:
        lost = part.resume(lambda done: progress.show("reading", done))
        if lost:
            tell({"event": "notice", "text": lost})
        _receive(part, source, patience, tell, progress)
        part.finish()
    except BaseException:
        if part.is_open:
            part.checkpoint_if_possible()
        raise
    finally:
        part.close()


def _receive(part: PartFile, source: HttpSource, patience: Patience, tell: Tell, progress: "_Progress") -> None:
    in_vain = 0
    while part.have < part.size:
        before = part.have
        try:
            for block in source.read(part.have):
                part.write(block)
                progress.show("fetching", part.have)
            problem = TryAgainError("the connection ended early")
        except TryAgainError as error:
            problem = error
        if part.have == part.size:
            break
        in_vain = 0 if part.have > before else in_vain + 1
        if in_vain >= patience.attempts:
            raise no_network(problem.reason)
        part.checkpoint()
        wait = problem.wait_s if problem.wait_s is not None else patience.pause_s * 2 ** max(0, in_vain - 1)
        tell({"event": "waiting", "reason": problem.reason, "seconds": wait, "first": True})
        time.sleep(wait)


def check_room(target: Path, size: int) -> None:
    """Raise DiskShortError where the disk has no room for the rest of the file."""
    import shutil

    kept = bytes_kept(target)
    needed = size - (kept[0] if kept else 0) + SPARE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise DiskShortError(
            f"{shown(target.name)} needs {needed / 1e9:.2f} GB more and {free / 1e9:.2f} GB is free in {target.parent}",
            f"free {(needed - free) / 1e9:.2f} GB there, or set MEDPOCKET_HOME to a folder on another disk",
        )


class _Progress:
    """Tells how far it is, a few times a second."""

    def __init__(self, size: int, name: str, tell: Tell) -> None:
        self._size, self._name, self._tell = size, name, tell
        self._told = 0.0

    def show(self, doing: str, done: int) -> None:
        if done == self._size or time.monotonic() - self._told > _TELL_EVERY_S:
            self._told = time.monotonic()
            self._tell({"event": "progress", "doing": doing, "file": self._name, "done": done, "size": self._size})
