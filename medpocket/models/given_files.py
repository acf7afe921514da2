"""The hashes of model files that are given by their path: each file is read whole once, and again where it changed."""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from medpocket import paths
from medpocket.models.hashing import sha256_of

_FILE = "file-hashes.json"
_MOST_FILES = 100


def sha256_of_given(path: Path) -> str:
    """Return the hash of a file, from the cache where size and time of change are as they were; else read all of it.

    Empty where the file cannot be read: the answer does not wait for it.
    """
    try:
        status = path.stat()
        key, seen = str(path.resolve()), [status.st_size, status.st_mtime_ns]
        cached = _read()
        if cached.get(key, [])[:2] == seen:
            return str(cached[key][2])
        digest = sha256_of(path)
    except OSError:
        return ""
    cached.pop(key, None)
    _write(dict([*cached.items(), (key, [*seen, digest])][-_MOST_FILES:]))
    return digest


def _read() -> dict[str, list[Any]]:
    try:
        content = json.loads((paths.cache_folder() / _FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, list) and len(value) == 3}


def _write(content: dict[str, list[Any]]) -> None:
    """Keep the cache; where it cannot be written, the file is read again the next time."""
    with contextlib.suppress(OSError):
        folder = paths.make_private(paths.cache_folder())
        part = folder / f".{_FILE}.{secrets.token_hex(4)}.part"
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
            part.replace(folder / _FILE)
        finally:
            part.unlink(missing_ok=True)
