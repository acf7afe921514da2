"""JSON in the cache folder: what can be found out again, and is lost without harm."""

import contextlib
import json
import os
from typing import Any

from medpocket import paths


def read(name: str) -> Any:
    """Return what the file of this name holds; None where it cannot be read."""
    try:
        return json.loads((paths.cache_folder() / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write(name: str, content: object) -> None:
    """Put `content` in the place of what was there, whole or not at all; where that cannot be done, do nothing."""
    with contextlib.suppress(OSError):
        folder = paths.make_private(paths.cache_folder())
        unfinished = folder / f".{name}.new"  # one that a killed process left is written over
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
        unfinished.replace(folder / name)
