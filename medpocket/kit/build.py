"""Make a kit: under a name of its own until it is whole, so that nothing half-written is taken for one."""

import errno
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from medpocket.errors import DiskShortError, InputError, KitError
from medpocket.exclusive import exclusive
from medpocket.experts import library
from medpocket.kit import pages
from medpocket.kit.carried import carried_files
from medpocket.kit.contents import Contents
from medpocket.kit.manifest import KitModel, Listed, Manifest, ModelFile, write_manifest
from medpocket.kit.pieces import FILE_MODE, copy_in_pieces
from medpocket.kit.signature import sign
from medpocket.models.fetch import SPARE_BYTES

WHEELS, MODELS, EXPERTS = "wheels", "models", "experts"  # folders of a kit
_FOLDER_MODE = 0o755
_LOCK = ".lock"
Report = Callable[[int], None]


@dataclass(frozen=True)
class Order:
    """Where the kit goes, and in what form. `most` is the largest file that may be in it, in bytes."""

    out: Path
    key: Path | None = None
    most: int | None = None
    archive: bool = False

    @property
    def archive_path(self) -> Path:
        return self.out.with_name(self.out.name + ".tar")


@dataclass
class _Written:
    """What is in the kit so far."""

    folder: Path
    report: Report
    files: dict[str, Listed] = field(default_factory=dict)
    done: int = 0

    def copy(self, source: Path, path: str, most: int | None = None) -> tuple[tuple[str, ...], Listed]:
        """Copy a file to this path; return the paths of its pieces, and what it is as a whole."""
        target = self.folder / path
        _make_folder(self.folder, target.parent)
        pieces, whole = copy_in_pieces(source, target, most, lambda count: self.report(self.done + count))
        self.done += whole.size
        named = {piece.relative_to(self.folder).as_posix(): listed for piece, listed in pieces.items()}
        self.files |= named
        return tuple(named), whole

    def write(self, path: str, content: bytes) -> None:
        target = self.folder / path
        _make_folder(self.folder, target.parent)
        target.write_bytes(content)
        target.chmod(FILE_MODE)
        self.files[path] = Listed(len(content), hashlib.sha256(content).hexdigest())


def build_kit(contents: Contents, order: Order, report: Report = lambda _bytes: None) -> Manifest:
    """Write the kit, and its archive where one is wanted. Raises KitError, InputError, DiskShortError and OSError."""
    _check_place(contents, order)
    with _unfinished(order.out) as folder:
        manifest = _write(contents, order, folder, report)
        if order.archive:
            _write_archive(folder, order)
        try:
            if order.out.is_dir():
                order.out.rmdir()  # it is empty; Windows renames to no name that is taken
            folder.rename(order.out)
        except OSError:
            if order.archive:
                order.archive_path.unlink(missing_ok=True)
            raise KitError(
                f"{order.out} cannot become the kit: it is in use", "give a folder that does not exist: --out DIR"
            ) from None
    return manifest


def _write(contents: Contents, order: Order, folder: Path, report: Report) -> Manifest:
    written = _Written(folder, report)
    medpocket = contents.wheel("medpocket")
    windows = contents.platform.system == "win32"
    for path, content in carried_files(medpocket.path, windows).items():
        written.write(path, content)
    written.write("installer/pythons", " ".join(contents.pythons).encode() + b"\n")
    for wheel in contents.wheels:
        written.copy(wheel.path, f"{WHEELS}/{wheel.path.name}")
    models = tuple(_write_models(contents, written, order.most))
    _write_adapters(contents, written)
    manifest = Manifest(
        medpocket=str(medpocket.version),
        platform=contents.platform.name,
        tested=contents.platform.tested,
        pythons=contents.pythons,
        glibc=contents.glibc,
        built=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        room=contents.room,
        models=models,
        files=written.files,
    )
    written.write(pages.LICENCES, pages.licences(contents).encode())
    written.write(pages.README, pages.readme(contents, manifest, signed=order.key is not None).encode())
    write_manifest(folder, manifest)
    if order.key:
        sign(folder, order.key)
    for place in folder.iterdir():
        place.chmod(_FOLDER_MODE if place.is_dir() else FILE_MODE)
    return manifest


def _write_models(contents: Contents, written: _Written, most: int | None) -> Iterator[KitModel]:
    for model in contents.models:
        if model.installed is None:
            continue
        record, files = model.installed.record, []
        for file in record.files:
            path = f"{MODELS}/{record.name}/{file.name}"
            pieces, whole = written.copy(model.installed.path_of(file), path, most)
            if (whole.size, whole.sha256) != (file.size, file.sha256):
                raise KitError(
                    f"{file.name} is not as it was when it was installed: no kit was made",
                    f"`medpocket models verify {record.name}`",
                )
            files.append(ModelFile(file.name, file.size, file.sha256, pieces))
        yield KitModel(
            name=record.name,
            title=model.title,
            licence=model.licence,
            advisory=model.advisory,
            repository=record.repository,
            commit=record.commit,
            files=tuple(files),
        )


def _write_adapters(contents: Contents, written: _Written) -> None:
    for one in contents.adapters:
        _, whole = written.copy(one.path, f"{EXPERTS}/{one.record.file}")
        if whole.sha256 != one.record.sha256:
            raise KitError(
                f"the adapter of {one.record.expert} is not as it was when it was added: no kit was made",
                "`medpocket experts verify`",
            )
    if contents.adapters:
        written.write(f"{EXPERTS}/{library.RECORD}", library.as_text([one.record for one in contents.adapters]))


def _check_place(contents: Contents, order: Order) -> None:
    out = order.out
    if order.archive and order.most:
        raise InputError("an archive is one large file", "leave out --archive or --split")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already", "give a folder that does not exist, or is empty: --out DIR")
    if order.archive and order.archive_path.exists():
        raise InputError(f"{order.archive_path} is there already", "move it away, or give another --out DIR")
    if not out.parent.is_dir():
        raise InputError(f"there is no folder {out.parent}", "make it, or give another --out DIR")
    needed = contents.size * (2 if order.archive else 1) + SPARE_BYTES
    free = shutil.disk_usage(out.parent).free
    if free < needed:
        raise DiskShortError(
            f"the kit needs {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB is free in {out.parent}",
            f"free {(needed - free) / 1e9:.2f} GB there, or give a folder on another disk: --out DIR",
        )


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Give a new folder beside `out`, which is deleted when it is still there at the end."""
    folder = out.with_name(f".{out.name}.unfinished")
    try:
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        lock = folder.with_name(folder.name + _LOCK)
        with exclusive(lock) as held:
            if not held:
                raise KitError(f"another process is making {out}", "wait until it is done")
            try:
                _empty(folder)  # what a build that was killed left
                folder.chmod(_FOLDER_MODE)
                yield folder
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise DiskShortError("the disk became full: no kit was made", "free some space there") from None
                if error.errno == errno.EFBIG:
                    raise KitError(
                        f"a file is too large for the file system of {out.parent}", "make the kit with --split 4g"
                    ) from None
                raise
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)
    except PermissionError:
        raise InputError(f"{out.parent} cannot be written", "give another folder: --out DIR") from None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _make_folder(kit: Path, folder: Path) -> None:
    """Make a folder of the kit for everyone to read, whatever the umask."""
    for one in (*reversed(folder.parents), folder):
        if kit in one.parents and not one.exists():
            one.mkdir()
            one.chmod(_FOLDER_MODE)


def _write_archive(folder: Path, order: Order) -> None:
    """Write the kit as one file, the same bytes for the same kit; not compressed, since what is in it is already."""
    unfinished = order.archive_path.with_name(f".{order.archive_path.name}.unfinished")
    try:
        with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as archive:
            for path in (folder, *sorted(folder.rglob("*"))):
                name = Path(order.out.name) / path.relative_to(folder)
                archive.add(path, name.as_posix(), recursive=False, filter=_plain)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(order.archive_path)
    finally:
        unfinished.unlink(missing_ok=True)


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    entry.mode = _FOLDER_MODE if entry.isdir() else FILE_MODE
    return entry
