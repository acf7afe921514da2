"""Gather the wheels of a kit for the Python that runs this: MedPocket's, llama.cpp's portable one, all that they need.

    python packaging/wheels.py OUTDIR PORTABLE_WHEEL [PYTHON ...]

pipx and what it installs with are among them. Needs a network. `make wheels` builds the portable wheel first.

For the Pythons that are named (3.10, for example) and for the machine that the portable wheel is for, which may be
another one than this, the wheels are those that the package index has; none is built.
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

from own_wheel import PROJECT, build_own

_INSTALLERS = ["pip", "pipx", "setuptools", "virtualenv", "wheel"]
# Compiled here, for this machine's processor and libraries: such a wheel may not run elsewhere.
_OF_THIS_MACHINE = re.compile(r"-linux_\w+\.whl$")
_MANYLINUX = re.compile(r"-manylinux_2_(\d+)_(\w+)\.whl$")
_OLDEST_GLIBC = 5
_HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
# pip evaluates the markers of requirements for the Python that it runs on: these are for older ones alone.
_OLDER_PYTHONS_NEED = ["exceptiongroup", "tomli"]
_PIP = [sys.executable, "-m", "pip"]
_PIP_OPTIONS = ["--quiet", "--disable-pip-version-check"]
_PINNED = ["--constraint", str(PROJECT / "constraints.txt")]


def main() -> int:
    """Fill the folder, print what it weighs; 1 where a package has no wheel that runs elsewhere too."""
    if len(sys.argv) < 3:
        print("usage: python packaging/wheels.py OUTDIR PORTABLE_WHEEL [PYTHON ...]", file=sys.stderr)
        return 2
    out, portable, pythons = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.whl"):
        old.unlink()
    build_own(out)
    for source in out.glob("*.tar.gz"):
        source.unlink()
    (own,) = out.glob("medpocket-*.whl")
    (out / portable.name).write_bytes(portable.read_bytes())
    if pythons or platform.machine().lower() not in portable.name:
        _download(out, own, portable, pythons or [_HERE])
    else:
        command = [*_PIP, "wheel", *_PIP_OPTIONS, *_PINNED, "--prefer-binary"]
        command += ["--find-links", str(out), "--wheel-dir", str(out)]
        subprocess.run([*command, str(own), *_INSTALLERS], check=True)
    wheels = sorted(out.glob("*.whl"))
    for wheel in wheels:
        if _OF_THIS_MACHINE.search(wheel.name):
            print(f"{wheel.name} was compiled for this machine: no wheel of it runs elsewhere", file=sys.stderr)
            return 1
    total = sum(wheel.stat().st_size for wheel in wheels)
    print(f"{len(wheels)} wheels of {total / 1e6:.1f} MB in {out}")
    return 0


def _download(out: Path, own: Path, portable: Path, pythons: list[str]) -> None:
    """Take what the index has for these Pythons, on the machine and the glibc of the portable wheel."""
    named = _MANYLINUX.search(portable.name)
    if not named:
        sys.exit(f"{portable.name} is not for Linux: run this on the platform that it is for")
    glibc, machine = int(named[1]), named[2]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, _OLDEST_GLIBC - 1, -1)]
    platforms = [option for tag in [*tags, f"manylinux2014_{machine}"] for option in ("--platform", tag)]
    for python in pythons:
        command = [*_PIP, "download", *_PIP_OPTIONS, *(_PINNED if python == _HERE else []), "--only-binary", ":all:"]
        command += [*platforms, "--python-version", python, "--find-links", str(out), "--dest", str(out)]
        older = _OLDER_PYTHONS_NEED if python == "3.10" else []
        subprocess.run([*command, str(own), *_INSTALLERS, *older], check=True)


if __name__ == "__main__":
    sys.exit(main())
