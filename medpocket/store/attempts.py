"""Slowing down whoever tries passphrases here. Who has a copy of the file is slowed down by the key's cost alone."""

import contextlib
import json
import os
import time
from pathlib import Path

_FILE = "attempts"
_FREE = 3  # wrong passphrases that cost nothing
_LONGEST_S = 60.0


def wait_for_turn(folder: Path) -> None:
    """Wait as long as the wrong passphrases before this one cost: 1, 2, 4 ... 60 seconds from the fourth on."""
    count, at = _read(folder)
    if count >= _FREE:
        waited = time.time() - at
        cost = min(2.0 ** (count - _FREE), _LONGEST_S)
        time.sleep(cost - waited if 0 <= waited < cost else 0 if waited >= cost else cost)


def count_wrong(folder: Path) -> None:
    """Note a wrong passphrase."""
    count, _ = _read(folder)
    with contextlib.suppress(OSError):  # a folder that cannot be written is no help to one who guesses
        descriptor = os.open(folder / _FILE, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump([count + 1, time.time()], file)


def forget(folder: Path) -> None:
    """Note the right one."""
    with contextlib.suppress(OSError):
        (folder / _FILE).unlink()


def _read(folder: Path) -> tuple[int, float]:
    try:
        count, at = json.loads((folder / _FILE).read_text())
        return int(count), float(at)
    except (OSError, ValueError, TypeError):
        return 0, 0.0
