"""An adapter for `medpocket experts add`, wherever it is: here, or on the hub."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medpocket import paths
from medpocket.cli import diagnostics
from medpocket.errors import InputError

_PREFIX = "hub:"
_HUB = re.compile(r"hub:(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)/(?P<file>[^\\:\x00-\x1f]+\.gguf)")


@contextmanager
def adapter_at(source: str) -> Iterator[tuple[Path, str | None]]:
    """Give the path of the adapter, and its origin where that is the hub; what was fetched is deleted at the end.

    An interrupted download is kept, and goes on the next time.
    Raises InputError, DownloadError, DiskShortError and OSError.
    """
    if not source.startswith(_PREFIX):
        yield Path(source).expanduser(), None
        return
    matched = _HUB.fullmatch(source)
    if not matched:
        raise InputError("this names no file of the hub", "for example: hub:OWNER/NAME/adapter.gguf")
    path, commit = _fetch(matched["repository"], matched["file"])
    try:
        yield path, f"{source} at {commit}"
    finally:
        path.unlink(missing_ok=True)


def _fetch(repository: str, file: str) -> tuple[Path, str]:
    from medpocket.cli.events import EventsShown
    from medpocket.models.download import Line, fetch_all, find
    from medpocket.models.hub_files import Sought

    line = Line.configured(None)
    found = find(line, [Sought(repository, file)])
    folder = paths.make_private(paths.cache_folder() / "hub" / repository.replace("/", "--"))
    shown = EventsShown()
    try:
        for event in fetch_all(line, found, folder):
            shown.take(event)
    finally:
        diagnostics.clear_progress()
    return folder / found.files[0].name, found.commit
