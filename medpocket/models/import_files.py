"""Take a model from a stick or a share: a verified copy, or a link to where it lies."""

import errno
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from medpocket.errors import DiskShortError, InputError, ModelFileError
from medpocket.models.copying import copy_hashed
from medpocket.models.fetch import SPARE_BYTES
from medpocket.models.gguf_kinds import shown
from medpocket.models.hashing import sha256_of
from medpocket.models.import_source import ImportSource
from medpocket.models.installed import Installed, ModelFolder, delete_folder
from medpocket.models.part_file import sync_folder
from medpocket.models.recognise import fits, recognise
from medpocket.models.records import NAME, Record, RecordedFile, now
from medpocket.registry import ModelSpec, Registry

Report = Callable[[int], None]
UNFINISHED = ".importing"


def name_for(source: ImportSource, registry: Registry, given: str | None) -> tuple[str, ModelSpec | None]:
    """Return the name under which the model is kept, and its row of the registry where it is one of these.

    Without a given name: the row's id where the file is recognised, else one made from the file's name.
    Raises InputError.
    """
    spec = recognise(source.gguf, registry)
    name = given if given is not None else spec.id if spec else _made_from(source.paths[0])
    if not NAME.fullmatch(name):
        raise InputError(
            f"{shown(name)} cannot be a model's name", "use small letters, digits, '-', '_' and '.': --name NAME"
        )
    row = registry.models.get(name)
    if row is None or row == spec or fits(source.gguf, row):
        return name, row
    raise InputError(
        f"{shown(source.paths[0].name)} is not {row.title}: its shape or its quantization is another one",
        "keep it under a name of its own: --name NAME",
    )


def _made_from(path: Path) -> str:
    stem = re.sub(r"-00001-of-\d{5}$", "", path.stem.lower())
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:64] or "model"


def import_model(
    source: ImportSource,
    name: str,
    spec: ModelSpec | None,
    folder: ModelFolder,
    *,
    link: bool = False,
    replaces: bool = False,
    report: Report = lambda _bytes: None,
) -> Installed:
    """Copy or link the model's files, hashing each in the same pass, and record it. `report` is told bytes of all.

    Raises InputError where the name is taken, ModelFileError where a hash is not the one that came with the file,
    DiskShortError and OSError.
    """
    before = next((entry for entry in folder.entries() if entry.record.name == name), None)
    if before and not replaces:
        raise InputError(f"{name} is installed already", "give --replace, or another name with --name")
    place = folder.path / name
    in_place = source.paths[0].resolve().parent == place.resolve()  # only its record is lost
    if link or in_place:
        files = list(source.paths)
        hashes = [_as_expected(path, sha256_of(path, read), source) for path, read in _each(source.paths, report)]
    else:
        files, hashes = _copy_all(source, folder.place(name), folder.file_mode, report)
    record = Record(
        name=name,
        files=tuple(RecordedFile.of(path, sha256) for path, sha256 in zip(files, hashes, strict=True)),
        origin="import",
        source=str(source.paths[0].resolve()),
        added=now(),
        repository=source.record.repository if source.record else None,
        commit=source.record.commit if source.record else None,
        licence=spec.licence if spec else source.gguf.text("general.license"),
        linked=str(source.paths[0].resolve().parent) if link and not in_place else None,
    )
    entry = folder.add(record)
    if entry.record.linked:
        delete_folder(place)  # the copy that the link takes the place of
    return entry


def _copy_all(source: ImportSource, place: Path, mode: int, report: Report) -> tuple[list[Path], list[str]]:
    """Copy every file beside its place; all are given their names when all are right."""
    check_room(source.paths[0].name, source.size, place, "or use the file where it lies: --link")
    hashes: list[str] = []
    unfinished = {path: place / f".{path.name}{UNFINISHED}" for path in source.paths}
    try:
        for path, report_one in _each(source.paths, report):
            unfinished[path].unlink(missing_ok=True)  # of an import that was killed
            hashes.append(_as_expected(path, copy_explained(path, unfinished[path], mode, report_one), source))
        for path, copied in unfinished.items():
            copied.replace(place / path.name)
        sync_folder(place)
    finally:
        for copied in unfinished.values():
            copied.unlink(missing_ok=True)
    kept = [place / path.name for path in source.paths]
    for other in place.iterdir():
        if other not in kept and not other.name.endswith(".lock"):
            other.unlink()
    return kept, hashes


def copy_explained(
    path: Path, copied: Path, mode: int, report: Report, more: tuple[Path, ...] = (), otherwise: str = ", or use --link"
) -> str:
    """`copy_hashed`, whose failures say what to do. Raises DiskShortError, ModelFileError and OSError."""
    try:
        return copy_hashed(path, copied, mode, report, more)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskShortError(
                f"the disk became full while {shown(path.name)} was copied",
                f"free {sum(one.stat().st_size for one in (path, *more)) / 1e9:.2f} GB where {copied.parent.parent} is"
                + otherwise,
            ) from None
        if error.errno == errno.EIO:
            raise ModelFileError(
                f"{shown(path.name)} cannot be read to its end", "the stick or the share has a fault: try another"
            ) from None
        raise


def _each(files: tuple[Path, ...], report: Report) -> list[tuple[Path, Report]]:
    """Each file with a report of its own, which counts from where the files before it ended."""
    found: list[tuple[Path, Report]] = []
    before = 0
    for path in files:
        found.append((path, partial(report_from, report, before)))
        before += path.stat().st_size
    return found


def report_from(report: Report, start: int, done: int) -> None:
    report(start + done)


def _as_expected(path: Path, sha256: str, source: ImportSource) -> str:
    expected = source.expected.get(path.name)
    if expected and expected != sha256:
        raise ModelFileError(
            f"{shown(path.name)} is damaged: its SHA-256 is not the one that came with it",
            "copy it to the stick again; nothing was taken over",
        )
    return sha256


def check_room(what: str, size: int, place: Path, otherwise: str) -> None:
    """Raise DiskShortError where files of this size have no room."""
    free, needed = shutil.disk_usage(place).free, size + SPARE_BYTES
    if free < needed:
        raise DiskShortError(
            f"{shown(what)} needs {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB is free in {place}",
            f"free {(needed - free) / 1e9:.2f} GB there, {otherwise}",
        )
