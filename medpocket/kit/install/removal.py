"""Remove what a kit installed; history, settings and models only where that is asked for."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from medpocket.errors import InputError, KitError
from medpocket.exclusive import exclusive
from medpocket.kit.install.places import Places, python_of
from medpocket.kit.install.shown import hide

# The program itself knows its folders; they depend on the platform and on MEDPOCKET_HOME.
_FOLDERS = """\
import json
from medpocket import paths
folders = (paths.config_folder, paths.data_folder, paths.cache_folder, paths.log_folder)
print(json.dumps([str(folder()) for folder in folders]))
"""
_TIMEOUT_S = 60.0


def remove(places: Places, *, data: bool, confirmed: bool, say: Callable[[str], None]) -> None:
    """Remove the program, with `data` its data too. Raises KitError, InputError and OSError."""
    current = places.current()
    if current is None and not places.installations():
        raise KitError("no kit installed MedPocket for this user", "there is nothing to remove")
    folders = _data_folders(current) if data else []
    if folders and not confirmed:
        _confirm(folders, say)
    with exclusive(places.lock) as held:
        if not held:
            raise KitError("an installation is at work", "wait until it is done, then try again")
        if not places.command_is_foreign():
            places.command.unlink(missing_ok=True)
            hide(places)
        shutil.rmtree(places.program)
    say(f"removed the program: {places.program}")
    for folder in folders:
        if folder.is_dir():
            shutil.rmtree(folder)
            say(f"removed {folder}")
    if not data:
        say("history, settings and models stay where they are; --remove-data removes them, too")


def _data_folders(current: Path | None) -> list[Path]:
    if current is None:
        raise KitError(
            "the installed program is damaged, and cannot say where its data is",
            "install the kit again, then remove it",
        )
    try:
        asked = subprocess.run(
            [python_of(current), "-I", "-c", _FOLDERS], capture_output=True, timeout=_TIMEOUT_S, check=True
        )
        folders = [Path(one) for one in json.loads(asked.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError):
        return _data_folders(None)
    return list(dict.fromkeys(folders))


def _confirm(folders: list[Path], say: Callable[[str], None]) -> None:
    """Have the user type `yes`. Raises InputError."""
    say("This deletes, for good, the history, the settings and the models in")
    for folder in folders:
        say(f"  {folder}")
    if not sys.stdin.isatty():
        raise InputError("deleting data must be confirmed, and nobody can be asked here", "give --yes")
    if input("Type yes to delete them: ").strip().lower() != "yes":
        raise InputError("nothing was removed", "--uninstall alone removes the program and leaves the data")
