"""Whether a kit can be installed on this machine: said before anything is copied."""

import os
import platform
import re
import shutil
import sys
import sysconfig
from pathlib import Path

from medpocket.errors import DiskShortError, KitError
from medpocket.kit.install.places import Places, version_of
from medpocket.kit.manifest import Manifest
from medpocket.kit.platforms import platform_named

_SPARE_BYTES = 200 << 20  # what the disk keeps for the history and for others
_OTHER = "ask whoever made the kit for one for your machine: medpocket bundle build --platform NAME --python 3.N"


def check_machine(manifest: Manifest) -> None:
    """Raise KitError, saying what this machine has, where the kit is for another one."""
    wanted = platform_named(manifest.platform)
    if not wanted.is_here():
        raise KitError(f"this kit is for {wanted.title}; this machine is {_named()}", _OTHER)
    if sys.maxsize <= 2**32:
        raise KitError(f"this kit needs a 64-bit Python; {sys.executable} has 32 bits", "install a 64-bit Python")
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise KitError(
            f"this kit needs the usual build of CPython; {sys.executable} is another one",
            "name the Python to use: MEDPOCKET_PYTHON=/usr/bin/python3 sh install.sh",
        )
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if here not in manifest.pythons:
        raise KitError(f"this kit needs Python {' or '.join(manifest.pythons)}; this one is {here}", _OTHER)
    if manifest.glibc:
        _check_glibc(manifest.glibc)


def _check_glibc(needed: str) -> None:
    found = _glibc()
    if found is None:
        raise KitError("this kit needs a Linux with glibc; this one has another C library", _OTHER)
    if _minor(found) < _minor(needed):
        raise KitError(
            f"this kit needs glibc {needed} or newer; this machine has {found}",
            "it runs on a newer Linux: Debian 12, Ubuntu 22.04 or RHEL 9, for example",
        )


def _glibc() -> str | None:
    try:
        named = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        return None
    matched = re.fullmatch(r"glibc (2\.\d+)(\.\d+)?", named or "")
    return matched[1] if matched else None


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


def _named() -> str:
    return f"{platform.system()} on {platform.machine()}"


def check_room(manifest: Manifest, places: Places) -> None:
    """Raise DiskShortError where program and models have no room, KitError where nothing can be written or run."""
    place = next(path for path in (places.program, *places.program.parents) if path.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        raise KitError(f"{place} cannot be written", "chmod u+rwx it, or set HOME to a folder that you can write to")
    if _is_noexec(place):
        raise KitError(
            f"no program may run in {place}: it is mounted noexec",
            "ask whoever looks after the machine to allow it, or set XDG_DATA_HOME to your folder on another disk",
        )
    needed = manifest.room + _SPARE_BYTES
    if not os.environ.get("MEDPOCKET_HOME"):  # else the models go elsewhere, and are checked when they are taken
        needed += sum(model.size for model in manifest.models if not _is_there(model.name, model.size, places))
    free = shutil.disk_usage(place).free
    if free < needed:
        raise DiskShortError(
            f"MedPocket needs {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB is free in {place}",
            f"free {(needed - free) / 1e9:.2f} GB there; nothing was copied",
        )


def _is_noexec(place: Path) -> bool:
    return sys.platform == "linux" and bool(os.statvfs(place).f_flag & os.ST_NOEXEC)


def _is_there(name: str, size: int, places: Places) -> bool:
    """Whether the model seems to be installed already, so that no room is needed for it."""
    folder = places.program.with_name("medpocket") / "models" / name
    return folder.is_dir() and sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) == size


def check_version(manifest: Manifest, places: Places, allow_older: bool) -> None:
    """Raise KitError for a kit that is older than what is installed, unless that was asked for."""
    current = places.current()
    installed = version_of(current) if current else None
    if installed and not allow_older and order(manifest.medpocket) < order(installed):
        raise KitError(
            f"MedPocket {installed} is installed, and this kit has the older {manifest.medpocket}",
            "nothing was changed; to go back all the same, give --older",
        )


def order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Something to compare versions by: 0.9 < 0.10.0rc1 < 0.10.0."""
    release = re.match(r"\d+(?:\.\d+)*", version)
    numbers = tuple(int(part) for part in release[0].split(".")) if release else ()
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    rest = version[release.end() :] if release else version
    final = not re.match(r"[.-]?(a|b|rc|dev)", rest)
    return numbers, final, rest
