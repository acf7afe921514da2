"""Get a model of the registry from the hub: look it up, fetch it, check it, record it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import DiskShortError, DownloadError, ModelFileError
from medpocket.models.download import Event, Line, Stop, fetch_all, find
from medpocket.models.fetch import SPARE_BYTES
from medpocket.models.gguf_check import check_model_file
from medpocket.models.hub_files import Found, Sought
from medpocket.models.installed import Installed, ModelFolder
from medpocket.models.pace import amount
from medpocket.models.part_file import bytes_kept
from medpocket.models.records import Record, RecordedFile, now
from medpocket.registry import ModelSpec


@dataclass(frozen=True)
class Pulled:
    """The last event of a pull: the model is installed."""

    installed: Installed


def sought_for(spec: ModelSpec, file: str | None = None) -> list[Sought]:
    """Where the model's file may be, the best place first. Raises DownloadError for what cannot be pulled."""
    if not spec.runs_here:
        raise DownloadError(f"{spec.title} does not run here", spec.runtime_note or "choose another model")
    if spec.asset or spec.repository is None:
        raise DownloadError(f"{spec.title} comes with MedPocket", f"use it: medpocket ask -m {spec.id}")
    if file is not None:
        return [Sought(spec.repository, file)]
    places = [Sought(spec.repository, spec.file, spec.file_pattern)]
    for other in spec.alternatives:
        owner, name, path = other.split("/", 2)
        places.append(Sought(f"{owner}/{name}", path))
    return places


def look_up(spec: ModelSpec, line: Line, *, revision: str | None = None, file: str | None = None) -> Found:
    """Ask the hub for the model's files. Raises DownloadError, InputError and OSError."""
    return find(line, sought_for(spec, file), revision)


def installed_already(
    spec: ModelSpec, found: Found, folder: ModelFolder, verify: Callable[[Installed], list[str]]
) -> Installed | None:
    """The model as it is installed, where it is the one that was found and `verify` finds nothing wrong with it."""
    wanted = [(file.name, file.size, file.sha256) for file in found.files]
    for entry in folder.entries():
        have = [(file.name, file.size, file.sha256) for file in entry.record.files]
        if entry.record.name == spec.id and have == wanted:
            return None if verify(entry) else entry
    return None


def bytes_to_come(spec: ModelSpec, found: Found, folder: ModelFolder) -> int:
    """How many bytes of the files are not here yet. Raises OSError."""
    place = folder.place(spec.id)
    missing = [file for file in found.files if not (place / file.name).exists()]
    return sum(file.size - (bytes_kept(place / file.name) or (0, 0))[0] for file in missing)


def check_room(spec: ModelSpec, found: Found, folder: ModelFolder, taken: int = 0) -> None:
    """Raise DiskShortError where all files together have no room beside the bytes that others will take."""
    place = folder.place(spec.id)
    to_come = bytes_to_come(spec, found, folder)
    needed, free = to_come + SPARE_BYTES, max(0, shutil.disk_usage(place).free - taken)
    if to_come and free < needed:
        raise DiskShortError(
            f"{spec.title} needs {amount(needed)} more and {amount(free)} is free in {place}",
            f"free {amount(needed - free)} there, or set MEDPOCKET_HOME to a folder on another disk",
        )


def pull(
    spec: ModelSpec, found: Found, line: Line, folder: ModelFolder, stop: Stop | None = None
) -> Iterator[Event | Pulled]:
    """Fetch and record what was found, yielding what happens. Raises DownloadError, ModelError and OSError."""
    place = folder.place(spec.id)
    yield from fetch_all(line, found, place, folder.file_mode, stop)
    paths = [place / file.name for file in found.files]
    try:
        check_model_file(paths[0])
    except ModelFileError as error:
        raise ModelFileError(
            f"the file came as the hub has it, but it cannot be used: {error.message}",
            f"`medpocket models remove {spec.id}` deletes it; choose another with --revision or --file",
        ) from None
    record = Record(
        name=spec.id,
        files=tuple(RecordedFile.of(path, file.sha256) for path, file in zip(paths, found.files, strict=True)),
        origin="pull",
        source="/".join((found.repository, found.files[0].path)),
        added=now(),
        repository=found.repository,
        commit=found.commit,
        licence=spec.licence,
    )
    _forget_others(place, paths)
    yield Pulled(folder.add(record))


def _forget_others(place: Path, kept: list[Path]) -> None:
    """Delete what an earlier file of this model left: another revision, a part of it, one that was set aside."""
    for path in place.iterdir():
        if path not in kept and not path.name.endswith(".lock"):
            path.unlink()
