"""Compare every file of a kit with its manifest."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medpocket.errors import KitError
from medpocket.kit.manifest import MANIFEST, Listed, Manifest
from medpocket.kit.signature import SIGNATURES

_BLOCK = 1 << 20
_SHOWN_NAMES = 4
# What file managers leave in a folder that they show, beside what they write for each file (`._NAME`).
_LEFT_BY_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Findings:
    """Paths in the kit, sorted: what the manifest has and the kit has not, what differs, what it does not list."""

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not (self.missing or self.changed or self.extra)

    def lines(self) -> list[str]:
        """Name each file, with what is wrong."""
        named = (("missing", self.missing), ("changed", self.changed), ("extra", self.extra))
        return [f"{what}: {path}" for what, paths in named for path in paths]


def check_files(kit: Path, manifest: Manifest, read: Callable[[int], None] = lambda _bytes: None) -> Findings:
    """Hash every file that the manifest lists and look for others; `read` is told the bytes done of all."""
    missing: list[str] = []
    changed: list[str] = []
    done = 0
    for path, listed in sorted(manifest.files.items()):
        if not is_as_listed(kit, path, listed, partial(_read_from, read, done)):
            (changed if (kit / path).exists() or (kit / path).is_symlink() else missing).append(path)
        done += listed.size
        read(done)
    return Findings(tuple(missing), tuple(changed), tuple(sorted(_extra(kit, manifest))))


def _read_from(read: Callable[[int], None], start: int, count: int) -> None:
    read(start + count)


def is_as_listed(kit: Path, path: str, listed: Listed, read: Callable[[int], None] = lambda _bytes: None) -> bool:
    """Whether the file is there, by no link, with the size and the SHA-256 that the manifest has."""
    place = kit / path
    try:
        status = place.lstat()
        regular = stat.S_ISREG(status.st_mode) and not _behind_link(kit, place)
        return regular and status.st_size == listed.size and _sha256(place, read) == listed.sha256
    except OSError:  # it is missing, or the stick has a fault; whoever reads the rest learns of all that is wrong
        return False


def require_whole(findings: Findings) -> None:
    """Raise KitError, naming the files, unless the kit is as its manifest says."""
    if not findings.whole:
        lines = findings.lines()
        more = f" and {len(lines) - _SHOWN_NAMES} more" if len(lines) > _SHOWN_NAMES else ""
        raise KitError(
            f"the kit is not as it was made: {'; '.join(lines[:_SHOWN_NAMES])}{more}",
            "nothing was taken from it; copy the kit anew, or get it anew from whoever made it",
        )


def _behind_link(kit: Path, place: Path) -> bool:
    return any(folder.is_symlink() for folder in place.parents if folder != kit and kit in folder.parents)


def _sha256(path: Path, read: Callable[[int], None]) -> str:
    digest, done = hashlib.sha256(), 0
    buffer = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            done += count
            read(done)
    return digest.hexdigest()


def _extra(kit: Path, manifest: Manifest) -> Iterator[str]:
    known = {MANIFEST, *(f"{MANIFEST}{ending}" for ending in SIGNATURES), *manifest.files}
    folders = {parent for path in known for parent in Path(path).parents}
    for folder, below, names in os.walk(kit):
        inside = Path(folder).relative_to(kit)
        for name in [
            *names,
            *(one for one in below if (Path(folder) / one).is_symlink() or inside / one not in folders),
        ]:
            path = (inside / name).as_posix()
            of_a_known = name.startswith("._") and (inside / name[2:]).as_posix() in {
                *known,
                *map(Path.as_posix, folders),
            }
            if path not in known and name not in _LEFT_BY_SYSTEMS and not of_a_known:
                yield path
        below[:] = [one for one in below if inside / one in folders]
