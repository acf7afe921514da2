"""Get a model of the registry from the hub: look it up, fetch it, check it, record it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import DownloadError, ModelFileError
from medpocket.models.download import Event, Line, fetch_all, find
from medpocket.models.gguf_check import check_model_file
from medpocket.models.hub_files import Found, Sought
from medpocket.models.installed import Installed, ModelFolder
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


def pull(spec: ModelSpec, found: Found, line: Line, folder: ModelFolder) -> Iterator[Event | Pulled]:
    """Fetch and record what was found, yielding what happens. Raises DownloadError, ModelError and OSError."""
    place = folder.place(spec.id)
    yield from fetch_all(line, found, place, folder.file_mode)
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
