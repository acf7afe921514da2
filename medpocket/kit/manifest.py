"""`manifest.json`: what a kit is for, and the size and SHA-256 of every file in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from medpocket.errors import KitError

MANIFEST = "manifest.json"
FORMAT = 1
_MOST_BYTES = 1 << 22
_AGAIN = "get the kit anew from whoever made it"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!-]{0,63}")
_PYTHON = re.compile(r"3\.\d{1,3}")
_GLIBC = re.compile(r"2\.\d{1,3}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# As a FAT file system can hold it, too; no part of it is `.` or `..`, or begins with a dot.
_PATH = re.compile(
    r"(?:[^/\\:*?\"<>|\x00-\x1f\x7f.][^/\\:*?\"<>|\x00-\x1f\x7f]{0,254}/)*[^/\\:*?\"<>|\x00-\x1f\x7f.]"
    r"[^/\\:*?\"<>|\x00-\x1f\x7f]{0,254}"
)


@dataclass(frozen=True)
class Listed:
    """A file of the kit, by its path in it."""

    size: int
    sha256: str


@dataclass(frozen=True)
class ModelFile:
    """A file of a model, as it is once installed; in the kit it may lie in pieces, in this order."""

    name: str
    size: int
    sha256: str
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class KitModel:
    """A model of the kit. The first of `files` is the one to load."""

    name: str
    title: str
    licence: str
    advisory: str | None
    repository: str | None
    commit: str | None
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Manifest:
    """`room` is what the installed program takes on the disk, in bytes, models aside; `built` a day, in UTC."""

    medpocket: str
    platform: str
    tested: bool
    pythons: tuple[str, ...]
    glibc: str | None
    built: str
    room: int
    models: tuple[KitModel, ...]
    files: Mapping[str, Listed]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


def write_manifest(kit: Path, manifest: Manifest) -> None:
    """Write it into the kit. Raises OSError."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1, sort_keys=True)
    (kit / MANIFEST).write_text(text + "\n", encoding="utf-8")


def is_kit(path: Path) -> bool:
    """Whether a folder is a kit, or what is left of one."""
    return (path / MANIFEST).is_file()


def read_manifest(kit: Path) -> Manifest:
    """Read the manifest of the kit in this folder. Raises KitError, naming what is wrong."""
    path = kit / MANIFEST
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _broken("it is far too long")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KitError(f"{kit} is not a kit: it has no {MANIFEST}", "give the folder that holds it") from None
    except OSError as error:
        raise KitError(f"{path} cannot be read ({error.strerror})", "the stick may have a fault: try another") from None
    except (ValueError, RecursionError):
        raise _broken("it is not JSON") from None
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        raise _broken("it says nothing of its form")
    if content.pop("format") != FORMAT:
        raise KitError("the kit is in a form that this version does not know", "use the `medpocket` of the kit itself")
    values = _row(Manifest, content)
    values["files"] = {path: Listed(**_row(Listed, row)) for path, row in values["files"].items()}
    values["models"] = tuple(_model(row) for row in values["models"])
    values["pythons"] = tuple(values["pythons"])
    manifest = Manifest(**values)
    _check(manifest)
    return manifest


def _check(manifest: Manifest) -> None:
    pieces = [piece for model in manifest.models for file in model.files for piece in file.pieces]
    good = (
        _VERSION.fullmatch(manifest.medpocket)
        and _NAME.fullmatch(manifest.platform)
        and manifest.pythons
        and all(isinstance(one, str) and _PYTHON.fullmatch(one) for one in manifest.pythons)
        and (manifest.glibc is None or _GLIBC.fullmatch(manifest.glibc))
        and manifest.room >= 0
    )
    if not good:
        raise _broken("it does not say what the kit is for")
    if not all(_PATH.fullmatch(path) and ".." not in path.split("/") for path in manifest.files):
        raise _broken("a path leads out of the kit, or is none")
    if not all(file.size >= 0 and _SHA256.fullmatch(file.sha256) for file in manifest.files.values()):
        raise _broken("a size or a hash is none")
    if not all(piece in manifest.files for piece in pieces):
        raise _broken("a model has a file that is not listed")


def _model(row: object) -> KitModel:
    values = _row(KitModel, row)
    files = []
    for file in values["files"]:
        one = _row(ModelFile, file)
        if not one["pieces"] or not all(isinstance(piece, str) for piece in one["pieces"]):
            raise _broken("a model's file lies nowhere")
        files.append(ModelFile(**{**one, "pieces": tuple(one["pieces"])}))
    model = KitModel(**{**values, "files": tuple(files)})
    if not _NAME.fullmatch(model.name) or not files:
        raise _broken("a model has no name, or no files")
    if not all("/" not in one.name and _PATH.fullmatch(one.name) and _SHA256.fullmatch(one.sha256) for one in files):
        raise _broken("a model's file has no name, or no hash")
    return model


# The types that values have in the file, as they are written in the dataclasses.
_KINDS: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    bool: (bool,),
    str | None: (str, type(None)),
    tuple[str, ...]: (list,),
    tuple[KitModel, ...]: (list,),
    tuple[ModelFile, ...]: (list,),
    Mapping[str, Listed]: (dict,),
}


def _row(kind: type, row: object) -> dict[str, Any]:
    """Return the row as keywords for `kind`, every value of its type. Raises KitError."""
    known = {field.name: field for field in fields(kind)}
    if not isinstance(row, dict) or set(row) != set(known):
        raise _broken("a row lacks a value, or has one too many")
    for name, value in row.items():
        if type(value) not in _KINDS[known[name].type]:
            raise _broken(f"{name} has a value that it cannot have")
    return dict(row)


def _broken(reason: str) -> KitError:
    return KitError(f"the kit's {MANIFEST} is damaged: {reason}", _AGAIN)
