"""Gather the wheels of a kit for the Python that runs this: MedPocket's, llama.cpp's portable one, all that they need.

    python packaging/wheels.py OUTDIR PORTABLE_WHEEL

pipx and what it installs with are among them. Needs a network. `make wheels` builds the portable wheel first.
"""

import re
import subprocess
import sys
from pathlib import Path

from own_wheel import PROJECT, build_own

_INSTALLERS = ["pip", "pipx", "setuptools", "virtualenv", "wheel"]
# Compiled here, for this machine's processor and libraries: such a wheel may not run elsewhere.
_OF_THIS_MACHINE = re.compile(r"-linux_\w+\.whl$")


def main() -> int:
    """Fill the folder, print what it weighs; 1 where a package has no wheel that runs elsewhere too."""
    if len(sys.argv) != 3:
        print("usage: python packaging/wheels.py OUTDIR PORTABLE_WHEEL", file=sys.stderr)
        return 2
    out, portable = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.whl"):
        old.unlink()
    build_own(out)
    for source in out.glob("*.tar.gz"):
        source.unlink()
    (own,) = out.glob("medpocket-*.whl")
    (out / portable.name).write_bytes(portable.read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    command += ["--constraint", str(PROJECT / "constraints.txt"), "--find-links", str(out), "--wheel-dir", str(out)]
    subprocess.run([*command, str(own), *_INSTALLERS], check=True)
    wheels = sorted(out.glob("*.whl"))
    for wheel in wheels:
        if _OF_THIS_MACHINE.search(wheel.name):
            print(f"{wheel.name} was compiled for this machine: no wheel of it runs elsewhere", file=sys.stderr)
            return 1
    total = sum(wheel.stat().st_size for wheel in wheels)
    print(f"{len(wheels)} wheels of {total / 1e6:.1f} MB in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
