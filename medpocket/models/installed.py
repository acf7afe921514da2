"""The models of this machine: the user's own folder, and one for every user where an administrator made it."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from medpocket import paths
from medpocket.errors import ModelFileError
from medpocket.models.gguf_kinds import shown
from medpocket.models.hashing import fingerprint_of, sha256_of
from medpocket.models.records import RECORD, Accepted, Record, RecordedFile, now, read_records, update_records

CORRUPT = ".corrupt"
SHARED_FILE, SHARED_FOLDER = 0o644, 0o755
OWN_FILE, OWN_FOLDER = 0o600, 0o700


@dataclass(frozen=True)
class ModelFolder:
    """A folder of models and their record; `shared` is the machine's, which only an administrator changes."""

    path: Path
    shared: bool = False

    @property
    def file_mode(self) -> int:
        return SHARED_FILE if self.shared else OWN_FILE

    def entries(self) -> list["Installed"]:
        """Everything recorded here. Raises ModelFileError where the record cannot be read."""
        return [Installed(record, self) for record in read_records(self.path).models]

    def place(self, name: str) -> Path:
        """Make the folder of the model with this name, and return it. Raises OSError."""
        folder = self.path / name
        folder.mkdir(mode=SHARED_FOLDER if self.shared else OWN_FOLDER, parents=True, exist_ok=True)
        return folder

    def add(self, record: Record) -> "Installed":
        """Record a model whose files are there and verified. Raises OSError and ModelFileError."""
        update_records(self.path, lambda records: records.with_model(record), self.file_mode)
        entry = Installed(record, self)
        if self.shared:
            self._let_everyone_read(entry)
        return entry

    def _let_everyone_read(self, entry: "Installed") -> None:
        """Undo what the administrator's umask took from the others."""
        (self.path / RECORD).chmod(SHARED_FILE)
        self.path.chmod(SHARED_FOLDER)
        if not entry.record.linked:
            entry.path.parent.chmod(SHARED_FOLDER)
            for file in entry.record.files:
                entry.path_of(file).chmod(SHARED_FILE)

    def accepted(self, model: str, licence: str, advisory: str) -> bool:
        """Whether the user accepted exactly these."""
        return any(
            (one.model, one.licence, one.advisory) == (model, licence, advisory)
            for one in read_records(self.path).accepted
        )

    def accept(self, model: str, licence: str, advisory: str) -> None:
        """Keep that the user accepted these. Raises OSError and ModelFileError."""
        new = Accepted(model, licence, advisory, now())
        update_records(
            self.path,
            lambda records: replace(records, accepted=(*(one for one in records.accepted if one.model != model), new)),
            self.file_mode,
        )


@dataclass(frozen=True)
class Installed:
    """A recorded model and the folder that has it."""

    record: Record
    folder: ModelFolder

    @property
    def path(self) -> Path:
        """The file to load."""
        return self.path_of(self.record.files[0])

    def path_of(self, file: RecordedFile) -> Path:
        base = Path(self.record.linked) if self.record.linked else self.folder.path / self.record.name
        return base / file.name

    def check(self) -> None:
        """Compare size, time and fingerprint of every file with the record. Raises ModelFileError."""
        if self.record.damaged:
            raise self._not_as_recorded(self.record.files[0], "was found damaged")
        for file in self.record.files:
            status = self._status(file)
            if status.st_size != file.size:
                raise self._not_as_recorded(file, f"has {status.st_size:,} bytes, and had {file.size:,}")
            try:
                same = fingerprint_of(self.path_of(file)) == file.fingerprint
            except OSError as error:
                raise self._not_as_recorded(file, f"cannot be read ({error.strerror})") from None
            if not same:
                raise self._not_as_recorded(file, "is not the file that was verified")
            if status.st_mtime_ns != file.changed_ns:
                raise ModelFileError(
                    f"{shown(file.name)} was written to after it was verified",
                    f"`medpocket models verify {self.record.name}` reads all of it and takes it again if it is right",
                )

    def verify(self, read: Callable[[int], None] = lambda _bytes: None) -> list[str]:
        """Read every file whole and compare its hash; return what is wrong, empty where nothing is.

        A damaged file is set aside, beside its place, and the record says so; one that is right is recorded with its
        time. `read` is told the bytes done of all files. Raises OSError where the user's own record cannot be written.
        """
        try:
            return self._verify(read)
        except OSError:
            if not self.folder.shared:
                raise
            return ["it is not as it was recorded, and only an administrator can set it right"]

    def _verify(self, read: Callable[[int], None]) -> list[str]:
        problems, files, done = [], [], 0
        for file in self.record.files:
            problem, seen = self._verify_one(file, partial(_read_from, read, done))
            done += file.size
            files.append(seen)
            if problem:
                problems.append(f"{shown(file.name)}: {problem}")
        verified = replace(self.record, files=tuple(files), damaged=bool(problems))
        if verified != self.record:
            self.folder.add(verified)
        return problems

    def _verify_one(self, file: RecordedFile, read: Callable[[int], None]) -> tuple[str | None, RecordedFile]:
        path = self.path_of(file)
        try:
            self._status(file)
            before = path.stat().st_mtime_ns
            if sha256_of(path, read) == file.sha256:
                return None, replace(file, changed_ns=before)
        except ModelFileError as error:
            return error.message, file
        except OSError as error:
            return f"cannot be read ({error.strerror})", file
        if self.record.linked:
            return "its SHA-256 is not the recorded one; it lies elsewhere and was left there", file
        aside = path.with_name(path.name + CORRUPT)
        path.replace(aside)
        return f"its SHA-256 is not the recorded one; it was set aside as {aside.name}", file

    def remove(self) -> None:
        """Take the model out of the record, then delete its files, not linked ones. Raises OSError."""
        update_records(self.folder.path, lambda records: records.without(self.record.name), self.folder.file_mode)
        delete_folder(self.folder.path / self.record.name)

    def _status(self, file: RecordedFile) -> os.stat_result:
        path = self.path_of(file)
        try:
            status = path.lstat() if not self.record.linked else path.stat()
        except OSError:
            raise self._not_as_recorded(file, "is not there") from None
        if stat.S_ISLNK(status.st_mode):
            raise self._not_as_recorded(file, "is a symbolic link, which leads out of the folder of models")
        if not stat.S_ISREG(status.st_mode):
            raise self._not_as_recorded(file, "is no regular file")
        if not self.record.linked and path.parent.is_symlink():
            raise self._not_as_recorded(file, "lies in a folder that is a symbolic link")
        return status

    def _not_as_recorded(self, file: RecordedFile, what: str) -> ModelFileError:
        name = self.record.name
        again = f"pull {name}" if self.record.origin == "pull" else "import PATH"
        if self.folder.shared:
            return ModelFileError(
                f"{shown(file.name)} {what}", "it belongs to the machine's models: tell whoever administers them"
            )
        return ModelFileError(
            f"{shown(file.name)} {what}",
            f"`medpocket models verify {name}` reads all of it; `remove {name}` and `{again}` get it anew",
        )


def _read_from(read: Callable[[int], None], start: int, count: int) -> None:
    read(start + count)


def own_folder() -> ModelFolder:
    return ModelFolder(paths.models_folder())


def machine_folder() -> ModelFolder:
    return ModelFolder(paths.machine_models_folder(), shared=True)


def installed_models() -> list[Installed]:
    """The user's own models, then the machine's. Raises ModelFileError where a record cannot be read."""
    return [entry for folder in (own_folder(), machine_folder()) for entry in folder.entries()]


def find_installed(name: str) -> Installed | None:
    """The model with this name; the user's own goes before the machine's."""
    return next((entry for entry in installed_models() if entry.record.name == name), None)


def strays(folder: ModelFolder) -> Iterator[Path]:
    """Model files in the folder that no record names: unfinished, set aside, or put there by hand."""
    known = {entry.path_of(file) for entry in folder.entries() for file in entry.record.files}
    for pattern in ("*.gguf", "*/*.gguf", "*/*.part", f"*/*{CORRUPT}"):
        yield from sorted(path for path in folder.path.glob(pattern) if path not in known)


def delete_folder(folder: Path) -> None:
    """Delete a model's folder and the files in it, following no link. Raises OSError."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
