"""Lay a llama-cpp-python wheel out anew, so that it runs wherever its name says.

    python packaging/portable_layout.py WHEEL OUTDIR [--openmp FILE] [--platform TAG] [--system NAME] [--licence FILE]

Libraries go to llama_cpp/lib, wherever the build put them; what MedPocket does not load stays out. On Linux each
library must find its neighbours beside itself and everything else on every system: OpenMP's library is carried, and
the platform's tag names the oldest glibc that will do. Elsewhere `--platform` gives the tag.
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
_OPENMP = "libgomp.so.1"
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
    parser.add_argument("--openmp", type=Path, help=f"the {_OPENMP} to carry, where a library needs one")
    parser.add_argument("--platform", help="the platform's tag, where it is not read from Linux libraries")
    parser.add_argument("--system", action="append", default=[], help="a library that the system it is for has")
    parser.add_argument("--licence", action="append", type=Path, default=[], help="a file to lay beside the licence")
    given = parser.parse_args()
    try:
        print(lay_out(given.wheel, given.out, given.openmp, given.platform, set(given.system), given.licence))
    except (ValueError, OSError, subprocess.CalledProcessError, zipfile.BadZipFile) as error:
        print(f"portable_layout: {error}", file=sys.stderr)
        return 1
    return 0


def lay_out(
    wheel: Path, out: Path, openmp: Path | None, platform: str | None, system: set[str], licences: list[Path]
) -> Path:
    """Write the wheel anew into `out`. Raises ValueError with what stands in the way."""
    name, version, *_ = wheel.stem.split("-")
    information = f"{name}-{version}.dist-info"
    files = dict(_placed(_members(wheel), information))
    if not any(path.startswith(f"{_FOLDER}/") and "llama." in path for path in files):
        raise ValueError(f"there is no llama library in {wheel.name}")
    if platform is None:
        platform = _checked_linux(files, openmp, system)
    for licence in licences:
        files[f"{information}/licenses/{licence.parent.name}-{licence.name}"] = licence.read_bytes()
    files[f"{information}/WHEEL"] = _WHEEL.format(platform).encode()
    out.mkdir(parents=True, exist_ok=True)
    return _written(out / f"{name}-{version}-py3-none-{platform}.whl", files, f"{information}/RECORD")


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


def _checked_linux(files: dict[str, bytes], openmp: Path | None, system: set[str]) -> str:
    """The platform's tag. Adds OpenMP's library to `files` where one needs it."""
    own = {PurePosixPath(path).name for path in files if path.startswith(f"{_FOLDER}/")}
    with tempfile.TemporaryDirectory() as folder:
        asked: dict[str, Asked] = {}
        for name in own:
            path = Path(folder, name)
            path.write_bytes(files[f"{_FOLDER}/{name}"])
            asked[name] = asked_by(path)
    for name, one in sorted(asked.items()):
        if one.search != "$ORIGIN":
            raise ValueError(f"{name} looks for libraries in {one.search or 'no folder'}, not only beside itself")
        unknown = one.libraries - own - _SYSTEM - system - {_OPENMP}
        if unknown:
            raise ValueError(f"{name} needs {', '.join(sorted(unknown))}, which a system may lack")
    if any(_OPENMP in one.libraries for one in asked.values()):
        if openmp is None or not openmp.is_file():
            raise ValueError(f"a library needs {_OPENMP}: give it with --openmp")
        files[f"{_FOLDER}/{_OPENMP}"] = openmp.read_bytes()
        asked[_OPENMP] = asked_by(openmp)
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
