"""What is installed: `models.json` in a folder of models, the record of what each file was when it was verified.

A file that is not in the record, or no longer what it says, is never loaded by the name of its model.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from medpocket import paths
from medpocket.errors import ModelFileError
from medpocket.exclusive import exclusive
from medpocket.models.hashing import fingerprint_of

RECORD = "models.json"
NAME = re.compile(r"(?!.*\.gguf$)[a-z0-9][a-z0-9._-]{0,63}")  # as the ids of models.toml are
_VERSION = 1
_MOST_BYTES = 1 << 22
_WAIT_S = 10.0
_FILE_NAME = re.compile(r"(?!\.)[^/\\:\x00-\x1f\x7f]{1,255}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class RecordedFile:
    """A file as it was when its hash was last found to be right. `changed_ns` is its time of last change."""

    name: str
    size: int
    sha256: str
    fingerprint: str
    changed_ns: int

    @classmethod
    def of(cls, path: Path, sha256: str) -> "RecordedFile":
        """Describe a file whose hash is known. Raises OSError."""
        status = path.stat()
        return cls(path.name, status.st_size, sha256, fingerprint_of(path), status.st_mtime_ns)


@dataclass(frozen=True)
class Record:
    """An installed model. The first of `files` is the one to load; the others are the other parts of a split model.

    `origin` is "pull" or "import"; `linked` is the folder of files that lie elsewhere; `damaged` is set by a hash that
    was found wrong, and keeps the model from being loaded.
    """

    name: str
    files: tuple[RecordedFile, ...]
    origin: str
    source: str
    added: str  # UTC, as 2026-01-31T12:00:00Z
    repository: str | None = None
    commit: str | None = None
    licence: str | None = None
    linked: str | None = None
    damaged: bool = False

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Accepted:
    """A licence and an advisory that the user was shown and accepted."""

    model: str
    licence: str
    advisory: str
    accepted: str  # UTC


@dataclass(frozen=True)
class Records:
    """All of a `models.json`."""

    models: tuple[Record, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    def find(self, name: str) -> Record | None:
        return next((record for record in self.models if record.name == name), None)

    def with_model(self, record: Record) -> "Records":
        """Return these records with this one in the place of the one of its name."""
        return replace(self, models=(*(one for one in self.models if one.name != record.name), record))

    def without(self, name: str) -> "Records":
        return replace(self, models=tuple(one for one in self.models if one.name != name))


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_records(folder: Path) -> Records:
    """Read the record in `folder`; empty where there is none. Raises ModelFileError, naming what is wrong."""
    path = folder / RECORD
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _broken(path, "it is far too long")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Records()
    except (OSError, ValueError, RecursionError):
        raise _broken(path, "it cannot be read") from None
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise _broken(path, "it is in a form that this version does not know")
    models, accepted = content.get("models"), content.get("accepted", [])
    if not isinstance(models, list) or not isinstance(accepted, list):
        raise _broken(path, "it is in a form that this version does not know")
    records = Records(
        tuple(_record(path, row) for row in models),
        tuple(Accepted(**_checked(path, Accepted, row)) for row in accepted),
    )
    names = [record.name for record in records.models]
    if len(set(names)) < len(names):
        raise _broken(path, "a model is in it twice")
    return records


def update_records(folder: Path, change: Callable[[Records], Records], mode: int = 0o600) -> None:
    """Change the record while no other process does; whole or not at all. Raises OSError and ModelFileError."""
    paths.make_private(folder)
    with exclusive(folder / ".lock", _WAIT_S) as held:
        if not held:
            raise ModelFileError("another process keeps the record of the models", "try again")
        _write(folder, change(read_records(folder)), mode)


def _write(folder: Path, records: Records, mode: int) -> None:
    unfinished = folder / f".{RECORD}.new"
    content = {"version": _VERSION, **asdict(records)}
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / RECORD)
    finally:
        unfinished.unlink(missing_ok=True)


def _record(path: Path, row: object) -> Record:
    values = _checked(path, Record, row)
    files = values["files"]
    if not isinstance(files, list) or not files:
        raise _broken(path, "a model has no files")
    values["files"] = tuple(_file(path, file) for file in files)
    record = Record(**values)
    if not NAME.fullmatch(record.name):
        raise _broken(path, "a model's name is none")
    if record.linked is not None and not Path(record.linked).is_absolute():
        raise _broken(path, "a linked folder is not told from its root")
    if record.commit is not None and not _COMMIT.fullmatch(record.commit):
        raise _broken(path, "a commit is none")
    return record


def _file(path: Path, row: object) -> RecordedFile:
    file = RecordedFile(**_checked(path, RecordedFile, row))
    if not _FILE_NAME.fullmatch(file.name):
        raise _broken(path, "a file's name has a path in it")
    if not _SHA256.fullmatch(file.sha256) or not _SHA256.fullmatch(file.fingerprint) or file.size <= 0:
        raise _broken(path, "a size or a hash is none")
    return file


# The types that values have in the file, as they are written in the dataclasses.
_KINDS: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    bool: (bool,),
    str | None: (str, type(None)),
    tuple[RecordedFile, ...]: (list,),
}


def _checked(path: Path, kind: type, row: object) -> dict[str, Any]:
    """Return the row as keywords for `kind`, every value of its type. Raises ModelFileError."""
    known = {field.name: field for field in fields(kind)}
    if not isinstance(row, Mapping) or set(row) != set(known):
        raise _broken(path, "a row lacks a value, or has one too many")
    for name, value in row.items():
        if type(value) not in _KINDS[known[name].type]:
            raise _broken(path, f"{name} has a value that it cannot have")
    return dict(row)


def _broken(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(
        f"the record {path} is damaged: {reason}",
        "move it away, then `medpocket models import` each folder beside it, which records what is there anew",
    )
