"""What a Linux library asks of the system that loads it, as `readelf` tells it."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Every glibc of a long-lived distribution, and the newest symbols of the C++ library (libstdc++) that stands beside it:
# RHEL 8, Debian 11, RHEL 9, Ubuntu 22.04, Debian 12, Ubuntu 24.04, Debian 13.
_SYSTEMS = (
    ((2, 28), (3, 4, 25)),
    ((2, 31), (3, 4, 28)),
    ((2, 34), (3, 4, 29)),
    ((2, 35), (3, 4, 30)),
    ((2, 36), (3, 4, 30)),
    ((2, 39), (3, 4, 33)),
    ((2, 41), (3, 4, 33)),
)
_NEEDED = re.compile(r"\((NEEDED|RUNPATH|RPATH)\).*\[(.*)\]")
_VERSION = re.compile(r"Name: ([A-Z]+)_([0-9.]+)\s+Flags:")

_MACHINES = {62: "x86_64", 183: "aarch64"}

Version = tuple[int, ...]


@dataclass(frozen=True)
class Asked:
    """The machine that a library is for, the libraries that it needs, where it looks for them, the newest symbols."""

    machine: str
    libraries: frozenset[str]
    search: str
    versions: dict[str, Version]


def asked_by(library: Path) -> Asked:
    """Read it. Raises ValueError for a file that is no library."""
    with library.open("rb") as file:
        header = file.read(20)
    machine = _MACHINES.get(int.from_bytes(header[18:20], "little"))
    if header[:4] != b"\x7fELF" or not machine:
        raise ValueError(f"{library.name} is no library for Linux on x86_64 or aarch64")
    done = subprocess.run(
        ["readelf", "--wide", "--dynamic", "--version-info", library],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"LC_ALL": "C"},
    )
    needed, search = set(), ""
    for kind, value in _NEEDED.findall(done.stdout):
        if kind == "NEEDED":
            needed.add(value)
        else:
            search = value
    versions: dict[str, Version] = {}
    for name, number in _VERSION.findall(done.stdout.partition("Version needs section")[2]):
        found = tuple(int(part) for part in number.split("."))
        versions[name] = max(found, versions.get(name, found))
    return Asked(machine, frozenset(needed), search, versions)


def oldest_glibc(libraries: list[Asked]) -> Version:
    """The glibc of the oldest system that has what all of them need. Raises ValueError where none is known."""
    glibc = max((one.versions["GLIBC"] for one in libraries if "GLIBC" in one.versions), default=_SYSTEMS[0][0])
    standard = max((one.versions["GLIBCXX"] for one in libraries if "GLIBCXX" in one.versions), default=(3, 4))
    for has_glibc, has_standard in _SYSTEMS:
        if glibc <= has_glibc and standard <= has_standard:
            return has_glibc
    asked = ".".join(map(str, glibc)), ".".join(map(str, standard))
    raise ValueError(f"no known system has GLIBC_{asked[0]} and GLIBCXX_{asked[1]}: build on an older one")
