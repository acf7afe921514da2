"""Wheels as small as they can be, with true names and metadata, for all that a kit needs."""

import zipfile
from pathlib import Path

from medpocket import paths
from medpocket.kit.carried import INSTALL, MODULES, SCRIPTS

VERSION = "0.1.0"


def write_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    tag: str = "py3-none-any",
    needs: tuple[str, ...] = (),
    python: str = ">=3.9",
    files: dict[str, bytes] | None = None,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    escaped = name.replace("-", "_")
    path = folder / f"{escaped}-{version}-{tag}.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    lines += ["License: MIT", *(f"Requires-Dist: {one}" for one in needs), "", ""]
    with zipfile.ZipFile(path, "w") as archive:
        for inside, content in (files or {f"{escaped}.py": b""}).items():
            archive.writestr(inside, content)
        archive.writestr(f"{escaped}-{version}.dist-info/METADATA", "\n".join(lines))
    return path


def write_medpocket(folder: Path, version: str = VERSION, needs: tuple[str, ...] = ()) -> Path:
    """MedPocket's wheel with the installer in it, and nothing else."""
    package = paths.PACKAGE.parent
    inside = [*MODULES, *SCRIPTS, *(f"{INSTALL}{path.name}" for path in (package / INSTALL).glob("*.py"))]
    files = {name: (package / name).read_bytes() for name in inside}
    return write_wheel(folder, "medpocket", version, needs=("numpy", "llama-cpp-python", *needs), files=files)


def write_all(folder: Path, pythons: tuple[str, ...] = ("cp311",), platform: str = "manylinux_2_34_x86_64") -> Path:
    """Everything for these Pythons."""
    write_medpocket(folder)
    for name in ("pip", "pipx", "virtualenv"):
        write_wheel(folder, name)
    native = {"llama_cpp/lib/libggml-cpu-x64.so": b"\0GLIBC_2.17\0GLIBC_2.34\0"}
    write_wheel(folder, "llama-cpp-python", "0.3.36", f"py3-none-{platform}", files=native)
    for python in pythons:
        write_wheel(folder, "numpy", "2.0", f"{python}-{python}-{platform}")
    return folder
