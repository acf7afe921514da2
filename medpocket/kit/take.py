"""Take the models and the experts' adapters out of a kit: what is copied must be what the manifest lists."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from medpocket.errors import InputError, KitError, ModelFileError
from medpocket.experts.adapter import read_adapter
from medpocket.experts.library import RECORD, Entry, Library, read_records
from medpocket.kit.checking import is_as_listed
from medpocket.kit.manifest import KitModel, Manifest
from medpocket.models.gguf_check import check_model_file
from medpocket.models.import_files import UNFINISHED, check_room, copy_explained, report_from
from medpocket.models.installed import Installed, ModelFolder
from medpocket.models.part_file import sync_folder
from medpocket.models.records import Record, RecordedFile, now

_DAMAGED = "nothing of it was taken over; copy the kit anew, or get it anew from whoever made it"
_EXPERTS = "experts"  # in the kit


def is_taken(model: KitModel, folder: ModelFolder) -> Installed | None:
    """The installed model, where it is this very one and undamaged."""
    before = next((entry for entry in folder.entries() if entry.record.name == model.name), None)
    hashes = [file.sha256 for file in model.files]
    if before is None or before.record.damaged or [file.sha256 for file in before.record.files] != hashes:
        return None
    try:
        before.check()
    except ModelFileError:
        return None
    return before


def take_model(
    kit: Path,
    model: KitModel,
    folder: ModelFolder,
    *,
    replaces: bool = False,
    report: Callable[[int], None] = lambda _bytes: None,
) -> Installed:
    """Copy a model of the kit, joining what lies in pieces, check it, and record it.

    Raises InputError where another one of its name is installed, ModelFileError, DiskShortError and OSError.
    """
    before = next((entry for entry in folder.entries() if entry.record.name == model.name), None)
    if before and not replaces:
        raise InputError(f"another {model.name} is installed already", "give --replace to take the kit's in its place")
    folder.path.mkdir(mode=0o755 if folder.shared else 0o700, parents=True, exist_ok=True)
    check_room(model.title, model.size, folder.path, "or remove a model that is not needed: `medpocket models remove`")
    arriving = folder.path / f".{model.name}{UNFINISHED}"
    shutil.rmtree(arriving, ignore_errors=True)  # of one that was killed
    arriving.mkdir(mode=0o700)
    try:
        done = 0
        for file in model.files:
            first, *more = (kit / piece for piece in file.pieces)
            told = partial(report_from, report, done)
            sha256 = _copied(first, arriving / file.name, folder.file_mode, told, tuple(more))
            if sha256 != file.sha256:
                raise ModelFileError(f"{file.name} of the kit is damaged: its SHA-256 is not the listed one", _DAMAGED)
            done += file.size
        check_model_file(arriving / model.files[0].name)
        place = folder.place(model.name)
        for file in model.files:
            (arriving / file.name).replace(place / file.name)
        sync_folder(place)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
    kept = {file.name for file in model.files}
    for other in place.iterdir():
        if other.name not in kept and not other.name.endswith(".lock"):
            other.unlink()
    recorded = tuple(RecordedFile.of(place / file.name, file.sha256) for file in model.files)
    return folder.add(
        Record(
            name=model.name,
            files=recorded,
            origin="import",
            source=str(kit.resolve()),
            added=now(),
            repository=model.repository,
            commit=model.commit,
            licence=model.licence,
        )
    )


def _copied(first: Path, target: Path, mode: int, report: Callable[[int], None], more: tuple[Path, ...]) -> str:
    try:
        return copy_explained(first, target, mode, report, more, otherwise="")
    except FileNotFoundError as error:
        raise ModelFileError(f"{Path(error.filename).name} is missing in the kit", _DAMAGED) from None


def take_adapters(kit: Path, manifest: Manifest) -> list[Entry]:
    """Add the adapters of the kit that are not here; return those. Raises KitError, AdapterError and OSError."""
    for path, listed in manifest.files.items():
        if path.startswith(f"{_EXPERTS}/") and not is_as_listed(kit, path, listed):
            raise KitError(f"{path} of the kit is missing or damaged", _DAMAGED)
    if f"{_EXPERTS}/{RECORD}" not in manifest.files:
        return []
    library, taken = Library(), []
    here = {entry.record.sha256 for entry in library.entries()}
    for record in read_records(kit / _EXPERTS):
        if record.sha256 not in here:
            adapter = read_adapter(kit / _EXPERTS / record.file)
            if f"{_EXPERTS}/{record.file}" not in manifest.files or adapter.sha256 != record.sha256:
                raise KitError(f"the adapter of {record.expert} is not the one that the kit lists", _DAMAGED)
            taken.append(library.add(adapter, record, replace=True))
    return taken
