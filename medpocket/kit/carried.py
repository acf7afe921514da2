"""The parts of MedPocket that a kit carries outside its wheel: what checks and installs it. Taken out of that wheel."""

import zipfile
from pathlib import Path

from medpocket.errors import KitError

FOLDER = "installer"  # in the kit
SCRIPTS = {"medpocket/kit/install.sh": "install.sh", "medpocket/kit/install.ps1": "install.ps1"}
MODULES = (
    "medpocket/__init__.py",
    "medpocket/errors.py",
    "medpocket/exclusive.py",
    "medpocket/text.py",
    "medpocket/kit/__init__.py",
    "medpocket/kit/checking.py",
    "medpocket/kit/manifest.py",
    "medpocket/kit/platforms.py",
    "medpocket/kit/signature.py",
)
INSTALL = "medpocket/kit/install/"  # and every module of this folder


def carried_files(wheel: Path, windows: bool) -> dict[str, bytes]:
    """Return path in the kit and content of each. Raises KitError where the wheel is of a version without them."""
    unwanted = "install.sh" if windows else "install.ps1"
    with zipfile.ZipFile(wheel) as archive:
        inside = [*MODULES, *(one for one in archive.namelist() if one.startswith(INSTALL) and one.endswith(".py"))]
        try:
            files = {f"{FOLDER}/{name}": archive.read(name) for name in inside}
            scripts = {name: archive.read(path) for path, name in SCRIPTS.items() if name != unwanted}
        except KeyError:
            raise KitError(
                f"{wheel.name} has no installer: it is of a version before the kits", "make the folder of wheels anew"
            ) from None
    return files | scripts
