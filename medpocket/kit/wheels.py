"""Choose from a folder of wheels those that one platform and its Pythons need, and none of them twice.

pip could resolve for another Python, but it evaluates the markers of requirements for the Python that it runs on.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cached_property
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from medpocket.errors import KitError
from medpocket.kit.platforms import Platform

ROOTS = ("medpocket", "pipx", "virtualenv", "pip")
_NEWEST_GLIBC, _OLDEST_GLIBC = 60, 5
_NEWEST_MACOS = (26, 0)
_ROUNDS = 100
_GLIBC = re.compile(rb"GLIBC_2\.(\d{1,3})\0")


@dataclass(frozen=True)
class Wheel:
    """A wheel file. Raises KitError where it cannot be read."""

    path: Path
    name: str
    version: Version
    tags: frozenset[Tag]

    @cached_property
    def metadata(self) -> Message:
        """The wheel's METADATA."""
        with _opened(self.path) as archive:
            inside = next((one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one)), None)
            if inside is None:
                raise _broken(self.path)
            return HeaderParser().parsestr(archive.read(inside).decode("utf-8", "replace"))

    @property
    def unpacked(self) -> int:
        """Bytes of all files in it."""
        with _opened(self.path) as archive:
            return sum(one.file_size for one in archive.infolist())

    def names(self) -> list[str]:
        """The paths of the files in it."""
        with _opened(self.path) as archive:
            return archive.namelist()

    def requirements(self, environment: dict[str, str], extras: frozenset[str]) -> Iterator[Requirement]:
        """What it needs in this environment, with these extras."""
        for line in self.metadata.get_all("Requires-Dist") or []:
            try:
                needed = Requirement(line)
            except InvalidRequirement:
                raise _broken(self.path) from None
            if _applies(needed.marker, environment, extras):
                yield needed

    def runs_on(self, python: str) -> bool:
        """Whether its Requires-Python allows the last release of this Python, `3.11` for example."""
        try:
            allowed = SpecifierSet(self.metadata.get("Requires-Python", ""))
        except InvalidSpecifier:
            raise _broken(self.path) from None
        return allowed.contains(f"{python}.99")


def _applies(marker: Marker | None, environment: dict[str, str], extras: frozenset[str]) -> bool:
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in {"", *extras})


def wheels_in(folder: Path) -> list[Wheel]:
    """Every wheel in the folder. Raises KitError."""
    found = []
    try:
        files = sorted(folder.glob("*.whl"))
    except OSError:
        files = []
    for path in files:
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            raise KitError(f"{path.name} is not a wheel's name", f"take it out of {folder}") from None
        found.append(Wheel(path, name, version, tags))
    if not found:
        raise KitError(
            f"there are no wheels in {folder}", "`make wheels` in a checkout makes them; or give --wheels DIR"
        )
    return found


def choose(wheels: Sequence[Wheel], target: Platform, python: str) -> dict[str, Wheel]:
    """Return, by name, what MedPocket and its installer need on this platform and Python. Raises KitError.

    Of each package the newest version that all the others allow, in the build that pip would take.
    """
    environment = _environment(target, python)
    ranks = {tag: rank for rank, tag in enumerate(_tags(target, python))}
    usable: dict[str, list[Wheel]] = {}
    for wheel in wheels:
        if wheel.tags & ranks.keys() and wheel.runs_on(python):
            usable.setdefault(wheel.name, []).append(wheel)
    for builds in usable.values():
        builds.sort(key=lambda one: (one.version, -min(ranks[tag] for tag in one.tags & ranks.keys())), reverse=True)
    chosen: dict[str, Wheel] = {}
    for _ in range(_ROUNDS):
        needed = _needed(chosen, environment)
        again = {name: _best(name, allowed, usable, target, python) for name, allowed in needed.items()}
        if again == chosen:
            return chosen
        chosen = again
    raise KitError(
        "the wheels need versions of each other that cannot stand together", "make the folder of wheels anew"
    )


def _needed(chosen: dict[str, Wheel], environment: dict[str, str]) -> dict[str, SpecifierSet]:
    """What the chosen ones need, and the versions that they allow of it."""
    needed: dict[str, SpecifierSet] = {name: SpecifierSet() for name in ROOTS}
    extras: dict[str, frozenset[str]] = {}
    changed = True
    while changed:  # an extra that is asked for brings more
        changed = False
        for name in list(needed):
            for one in chosen[name].requirements(environment, extras.get(name, frozenset())) if name in chosen else ():
                other = canonicalize_name(one.name)
                allowed = needed.get(other, SpecifierSet()) & one.specifier
                more = extras.get(other, frozenset()) | one.extras
                if needed.get(other) != allowed or extras.get(other, frozenset()) != more:
                    needed[other], extras[other], changed = allowed, more, True
    return needed


def _best(name: str, allowed: SpecifierSet, usable: dict[str, list[Wheel]], target: Platform, python: str) -> Wheel:
    for wheel in usable.get(name, ()):
        if allowed.contains(wheel.version, prereleases=True):
            return wheel
    wanted = f"{name} {allowed}".strip()
    raise KitError(
        f"there is no wheel of {wanted} for Python {python} on {target.title}",
        "put it into the folder of wheels; one with native code is built on that platform: docs/kit.md",
    )


def _environment(target: Platform, python: str) -> dict[str, str]:
    windows = target.system == "win32"
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "nt" if windows else "posix",
        "platform_machine": {"win32": "AMD64"}.get(target.system, target.machines[0]),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[target.system],
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": target.system,
    }


def _tags(target: Platform, python: str) -> Iterator[Tag]:
    """Tags of wheels that run there, the most fitting first."""
    version = tuple(int(part) for part in python.split("."))
    machine = target.machines[0]
    if target.system == "linux":
        platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)]
        platforms += [f"{old}_{machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    else:
        platforms = list(mac_platforms(_NEWEST_MACOS, "arm64")) if target.system == "darwin" else ["win_amd64"]
    interpreter = "cp" + python.replace(".", "")
    yield from cpython_tags(version, abis=[interpreter], platforms=platforms)
    yield from compatible_tags(version, interpreter, platforms)


def oldest_glibc(wheels: Sequence[Wheel]) -> str | None:
    """The oldest glibc that all native code in these wheels loads on, as `2.34`; None where none names one."""
    newest = 0
    for wheel in wheels:
        if all(tag.platform == "any" for tag in wheel.tags):
            continue
        with _opened(wheel.path) as archive:
            for name in archive.namelist():
                if re.search(r"\.so(\.[0-9.]+)?$", name):
                    needs = [int(minor) for minor in _GLIBC.findall(archive.read(name))]
                    newest = max(newest, *needs, 0)
    return f"2.{newest}" if newest else None


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile):
        raise _broken(path) from None


def _broken(path: Path) -> KitError:
    return KitError(f"{path.name} is not a wheel, or is damaged", f"make it anew, or take it out of {path.parent}")
