"""Build MedPocket's own sdist and wheel: the same bytes from the same commit, whoever builds them.

python packaging/own_wheel.py OUTDIR
"""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def build_own(out: Path) -> None:
    """Build both into `out`; files in them are dated by the last commit, in a checkout."""
    dated = subprocess.run(
        ["git", "-C", PROJECT, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False
    )
    epoch = {"SOURCE_DATE_EPOCH": dated.stdout.strip()} if dated.returncode == 0 else {}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", out.absolute()]
    subprocess.run(command, cwd=PROJECT, env=os.environ | epoch, check=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python packaging/own_wheel.py OUTDIR")
    build_own(Path(sys.argv[1]))
