"""Lay a llama-cpp-python wheel out anew, so that it runs wherever its name says.

    python packaging/portable_layout.py WHEEL OUTDIR [--carry FILE] [--licence FILE] [--system NAME] [--search FOLDER]
                                        [--platform TAG]

Libraries go to llama_cpp/lib, wherever the build put them; what MedPocket does not load stays out. On Linux each
library must find its neighbours beside itself, what is carried too, and everything else on every system; the
platform's tag names the oldest glibc that will do. Elsewhere `--platform` gives the tag, and nothing is checked.
"""

import argparse
import base64
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from elf import Asked, asked_by, oldest_glibc

_FOLDER = "llama_cpp/lib"
_LIBRARY = re.compile(r"(lib)?(ggml|llama)[\w.-]*?\.(so|dylib|dll|metal)([.\d]*)$")
_UNUSED = re.compile(r"(lib)?llama-common|(lib)?mtmd")
_LEFT_OUT = re.compile(r"/RECORD$|/WHEEL$|^llama_cpp/(lib|include|bin)/")
_WHEEL = "Wheel-Version: 1.0\nGenerator: medpocket\nRoot-Is-Purelib: false\nTag: py3-none-{}\n"
# What every Linux with Python has, C++'s library included; oldest_glibc sees to its version.
_SYSTEM = {
    "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1", "libstdc++.so.6",
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
}  # fmt: skip


def main() -> int:
    """Do it, print the wheel's path; 1 where the wheel would not run everywhere."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--carry", action="append", type=Path, default=[], help="a library that others need")
    parser.add_argument("--licence", action="append", type=Path, default=[], help="a file to lay beside the licence")
    parser.add_argument("--system", action="append", default=[], help="a library that the system it is for has")
    parser.add_argument("--search", action="append", default=[], help="the folder where it has that")
    parser.add_argument("--platform", help="the platform's tag, where it is not read from Linux libraries")
    given = parser.parse_args()
    try:
        print(lay_out(given))
    except (ValueError, OSError, subprocess.CalledProcessError, zipfile.BadZipFile) as error:
        print(f"portable_layout: {error}", file=sys.stderr)
        return 1
    return 0


def lay_out(given: argparse.Namespace) -> Path:
    """Write the wheel anew. Raises ValueError with what stands in the way."""
    wheel: Path = given.wheel
    name, version, *_ = wheel.stem.split("-")
    information = f"{name}-{version}.dist-info"
    files = dict(_placed(_members(wheel), information))
    if not any(path.startswith(f"{_FOLDER}/") and "llama." in path for path in files):
        raise ValueError(f"there is no llama library in {wheel.name}")
    files |= {f"{_FOLDER}/{library.name}": library.read_bytes() for library in given.carry}
    platform = given.platform or _checked_linux(files, _SYSTEM.union(given.system), {"$ORIGIN", *given.search})
    for licence in given.licence:
        files[f"{information}/licenses/{licence.parent.name}-{licence.name}"] = licence.read_bytes()
    files[f"{information}/WHEEL"] = _WHEEL.format(platform).encode()
    given.out.mkdir(parents=True, exist_ok=True)
    return _written(given.out / f"{name}-{version}-py3-none-{platform}.whl", files, f"{information}/RECORD")


def _members(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield member.filename, archive.read(member)


def _placed(members: Iterator[tuple[str, bytes]], information: str) -> Iterator[tuple[str, bytes]]:
    """The files that stay, under their paths in the new wheel."""
    seen: dict[str, str] = {}
    for path, data in members:
        name = PurePosixPath(path).name
        library = _LIBRARY.match(name)
        if library and not _UNUSED.match(name):
            if library[4]:
                raise ValueError(f"{name} has a version in its name: build with CMAKE_PLATFORM_NO_VERSIONED_SONAME=ON")
            digest = hashlib.sha256(data).hexdigest()
            if seen.setdefault(name, digest) != digest:
                raise ValueError(f"there are two libraries of the name {name}")
            yield f"{_FOLDER}/{name}", data
        elif path.startswith((f"{information}/", "llama_cpp/")) and not _LEFT_OUT.search(path):
            yield path, data


def _checked_linux(files: dict[str, bytes], system: set[str], search: set[str]) -> str:
    """The platform's tag."""
    own = {PurePosixPath(path).name for path in files if path.startswith(f"{_FOLDER}/")}
    with tempfile.TemporaryDirectory() as folder:
        asked: dict[str, Asked] = {}
        for name in own:
            path = Path(folder, name)
            path.write_bytes(files[f"{_FOLDER}/{name}"])
            asked[name] = asked_by(path)
    for name, one in sorted(asked.items()):
        if one.libraries & own and not {"$ORIGIN"} <= set(one.search.split(":")) <= search:
            raise ValueError(f"{name} looks for libraries in {one.search or 'no folder'}, not only beside itself")
        if unknown := one.libraries - own - system:
            raise ValueError(f"{name} needs {', '.join(sorted(unknown))}, which a system may lack: --carry it")
    major, minor = oldest_glibc(list(asked.values()))
    machines = {one.machine for one in asked.values()}
    if len(machines) > 1:
        raise ValueError(f"its libraries are for {' and '.join(sorted(machines))}")
    return f"manylinux_{major}_{minor}_{machines.pop()}"


def _written(path: Path, files: dict[str, bytes], record: str) -> Path:
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(files.items())]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o100755 if ".so" in name else 0o100644) << 16
            archive.writestr(member, data)
    return part.replace(path)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    sys.exit(main())
