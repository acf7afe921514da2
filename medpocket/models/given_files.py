"""The hashes of model files that are given by their path: each file is read whole once, and again where it changed."""

from pathlib import Path
from typing import Any

from medpocket.models import cache_file
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
    cache_file.write(_FILE, dict([*cached.items(), (key, [*seen, digest])][-_MOST_FILES:]))
    return digest


def _read() -> dict[str, list[Any]]:
    content = cache_file.read(_FILE)
    if not isinstance(content, dict):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, list) and len(value) == 3}
