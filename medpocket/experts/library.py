"""The adapters that are here: those that MedPocket brings and those that were added.

Added ones lie in the experts' folder below the data folder, beside `experts.json`, the record of what each file was
when it was added. A file that is not in the record, or no longer what it says, is never loaded.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from medpocket import paths
from medpocket.errors import AdapterError, ModelFileError
from medpocket.exclusive import exclusive
from medpocket.experts.adapter import Adapter, read_adapter
from medpocket.models.gguf_kinds import shown
from medpocket.models.hashing import sha256_of

RECORD = "experts.json"
_VERSION = 1
_MOST_BYTES = 1 << 22
_WAIT_S = 10.0
REPAIR = "`medpocket experts verify` names what is wrong; `medpocket experts remove` and `add` put it right"


@dataclass(frozen=True)
class Record:
    """An adapter as it was when it was added. `gain` is the measured perplexity ratio, as in Adapter."""

    expert: str
    file: str
    sha256: str
    size: int
    fingerprint: str
    base_name: str
    added: str  # UTC, as 2026-01-31T12:00:00Z
    source: str
    training_data: str | None = None
    licence: str | None = None
    gain: float | None = None


@dataclass(frozen=True)
class Entry:
    """A record and where its file should be. `shipped` ones came with MedPocket and cannot be removed."""

    record: Record
    path: Path
    shipped: bool

    def load(self) -> Adapter:
        """Read the file. Raises AdapterError where it is not what was recorded, and ModelFileError."""
        try:
            adapter = read_adapter(self.path)
        except ModelFileError as error:
            raise AdapterError(error.message, REPAIR) from None
        if adapter.sha256 != self.record.sha256:
            raise AdapterError(f"the adapter {shown(self.path.name)} is not the file that was added", REPAIR)
        return adapter


class Library:
    """All adapters that are recorded. Reading it never changes anything."""

    def __init__(self, added: Path | None = None, shipped: Path | None = None) -> None:
        self.added = added or paths.data_folder() / "experts"
        self.shipped = shipped or paths.assets_folder() / "experts"

    def entries(self) -> list[Entry]:
        """Everything recorded, what was added first. Raises AdapterError where a record cannot be read."""
        return [
            Entry(record, folder / record.file, shipped=folder == self.shipped)
            for folder in (self.added, self.shipped)
            for record in read_records(folder)
        ]

    def find(self, expert: str, fingerprint: str) -> Entry | None:
        """The adapter of `expert` for the base model with this fingerprint; an added one goes before a shipped one."""
        return next(
            (one for one in self.entries() if (one.record.expert, one.record.fingerprint) == (expert, fingerprint)),
            None,
        )

    def add(self, adapter: Adapter, record: Record, *, replace: bool = False) -> Entry:
        """Copy the file in and record it; a crash leaves the old state or the new one.

        Raises AdapterError where the expert has one for this base already, or the file is another expert's; OSError.
        """
        paths.make_private(self.added)
        destination = self.added / record.file
        unfinished = self.added / f".{record.file}.{os.getpid()}.partial"
        replaced: list[str] = []

        def change(records: list[Record]) -> list[Record]:
            for one in records:
                if one.sha256 == record.sha256 and one.expert != record.expert:
                    raise AdapterError(
                        f"this file is the adapter of {one.expert} already",
                        f"remove that first, or add it as {one.expert}",
                    )
            same = [one for one in records if (one.expert, one.fingerprint) == (record.expert, record.fingerprint)]
            if same and not replace:
                raise AdapterError(
                    f"{record.expert} has an adapter for this model already, added {same[0].added[:10]}",
                    "give --replace to take the new one in its place",
                )
            replaced.extend(one.file for one in same if one.file != record.file)
            unfinished.replace(destination)
            return [one for one in records if one not in same] + [record]

        try:
            _copy(adapter.path, unfinished)
            if sha256_of(unfinished) != record.sha256:
                raise AdapterError(f"{shown(adapter.path.name)} changed while it was copied", "try again")
            self._update(change)
        finally:
            unfinished.unlink(missing_ok=True)
        for name in replaced:
            (self.added / name).unlink(missing_ok=True)
        return Entry(record, destination, shipped=False)

    def remove(self, entry: Entry) -> None:
        """Take an added adapter out of the record, then delete its file. Raises OSError and AdapterError."""
        self._update(lambda records: [one for one in records if one != entry.record])
        entry.path.unlink(missing_ok=True)

    def strays(self) -> list[Path]:
        """Files beside the added adapters that no record names, left by a crash or put there by hand."""
        if not self.added.is_dir():
            return []
        known = {record.file for record in read_records(self.added)} | {RECORD, ".lock"}
        return sorted(path for path in self.added.iterdir() if path.name not in known)

    def _update(self, change: Callable[[list[Record]], list[Record]]) -> None:
        with exclusive(self.added / ".lock", _WAIT_S) as held:
            if not held:
                raise AdapterError("another process keeps the record of the adapters", "try again")
            write_records(self.added, change(read_records(self.added)))


def read_records(folder: Path) -> list[Record]:
    """Read the record in `folder`; empty where there is none. Raises AdapterError, naming what is wrong."""
    path = folder / RECORD
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _broken(path, "it is far too long")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError):
        raise _broken(path, "it cannot be read") from None
    if (
        not isinstance(content, dict)
        or content.get("version") != _VERSION
        or not isinstance(content.get("adapters"), list)
    ):
        raise _broken(path, "it is in a form that this version does not know")
    return [_record(path, row) for row in content["adapters"]]


def write_records(folder: Path, records: list[Record]) -> None:
    """Write the record whole or not at all. Raises OSError."""
    unfinished = folder / f".{RECORD}.new"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(as_text(records))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / RECORD)
    finally:
        unfinished.unlink(missing_ok=True)


def as_text(records: list[Record]) -> bytes:
    """What stands in the record's file."""
    content = {"version": _VERSION, "adapters": [asdict(record) for record in records]}
    return (json.dumps(content, indent=1) + "\n").encode()


def record_of(adapter: Adapter, *, expert: str, fingerprint: str, base_name: str, source: str) -> Record:
    """The record of an adapter that was checked against this base."""
    return Record(
        expert=expert,
        file=f"{expert}-{adapter.sha256[:16]}.gguf",
        sha256=adapter.sha256,
        size=adapter.size_bytes,
        fingerprint=fingerprint,
        base_name=base_name,
        added=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        source=source,
        training_data=adapter.training_data,
        licence=adapter.licence,
        gain=adapter.gain,
    )


def _record(path: Path, row: object) -> Record:
    known = {field.name for field in fields(Record)}
    optional = {"training_data", "licence", "gain"}
    if not isinstance(row, Mapping) or not known - optional <= row.keys() <= known:
        raise _broken(path, "a row lacks a value, or has one too many")
    for name, value in row.items():
        if name == "size":
            good = type(value) is int and value > 0
        elif name == "gain":
            good = value is None or (type(value) is float and math.isfinite(value))
        else:
            good = isinstance(value, str) or (value is None and name in optional)
        if not good:
            raise _broken(path, f"{name} has a value that it cannot have")
    if Path(row["file"]).name != row["file"] or row["file"].startswith("."):
        raise _broken(path, "a file's name has a path in it")
    values: dict[str, Any] = dict(row)
    return Record(**values)


def _copy(source: Path, destination: Path) -> None:
    descriptor = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        while block := reading.read(1 << 20):
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())


def _broken(path: Path, reason: str) -> AdapterError:
    return AdapterError(f"the record {path} is damaged: {reason}", "move it away, and add the adapters again")
