"""Where the installed program lives, and which installation is the one that is used."""

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import KitError

COMMAND = "medpocket"
WINDOWS = sys.platform == "win32"
_INSTALLATION = re.compile(r"[1-9]\d{0,8}")  # the name of an installation's folder
_VERSION = "version"  # a file in it


@dataclass(frozen=True)
class Places:
    """`program` has a folder for each installation; `commands` is the user's folder of commands."""

    program: Path
    commands: Path

    @classmethod
    def of_this_user(cls) -> "Places":
        """Find them as the platform has them. Raises KitError where there is no home folder."""
        home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
        if not home.is_absolute() or not home.is_dir():
            raise KitError("this user has no home folder", "set HOME to a folder that you can write to")
        if WINDOWS:
            data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
        elif sys.platform == "darwin":
            data = home / "Library" / "Application Support"
        else:
            given = Path(os.environ.get("XDG_DATA_HOME") or "")
            data = given if given.is_absolute() else home / ".local" / "share"
        return cls(data / "medpocket-program", home / ".local" / "bin")

    @property
    def log(self) -> Path:
        return self.program / "install.log"

    @property
    def lock(self) -> Path:
        return self.program / "lock"

    @property
    def command(self) -> Path:
        """What the user types."""
        return self.commands / (f"{COMMAND}.cmd" if WINDOWS else COMMAND)

    def command_is_foreign(self) -> bool:
        """Whether something that no kit put there has the command's name."""
        return self._leads_to() is None and (self.command.exists() or self.command.is_symlink())

    def current(self) -> Path | None:
        """The folder of the installation that is used."""
        folder = self._leads_to()
        return folder if folder and folder.is_dir() else None

    def installations(self) -> list[Path]:
        """Every installation, finished or not, the oldest first."""
        if not self.program.is_dir():
            return []
        found = [path for path in self.program.iterdir() if _INSTALLATION.fullmatch(path.name)]
        return sorted(found, key=lambda path: int(path.name))

    def new_installation(self) -> Path:
        """Delete all that is not used, and make the folder of a new one. Raises OSError."""
        current, last = self.current(), 0
        for folder in self.installations():
            if folder != current:
                shutil.rmtree(folder)
            else:
                last = int(folder.name)
        new = self.program / str(last + 1)
        new.mkdir(mode=0o700)
        return new

    def use(self, installation: Path) -> None:
        """Make this installation the one that is used, at once. Raises OSError."""
        self.commands.mkdir(parents=True, exist_ok=True)
        executable = executable_of(installation)
        unfinished = self.command.with_name(f".{self.command.name}.new")
        unfinished.unlink(missing_ok=True)
        if WINDOWS:
            unfinished.write_text(f'@"{executable}" %*\n', encoding="utf-8")
        else:
            unfinished.symlink_to(executable)
        unfinished.replace(self.command)

    def on_path(self) -> bool:
        """Whether the command is found by its name."""
        found = shutil.which(COMMAND)
        return found is not None and Path(found) == self.command

    def _leads_to(self) -> Path | None:
        """The installation that the command leads to, which need not be there; None where it is no command of a kit."""
        try:
            target = self.command.readlink() if not WINDOWS else Path(self.command.read_text("utf-8").split('"')[1])
        except (OSError, UnicodeDecodeError, IndexError):
            return None
        folders = [folder for folder in target.parents if folder.parent == self.program]
        return folders[0] if folders and _INSTALLATION.fullmatch(folders[0].name) else None


def executable_of(installation: Path) -> Path:
    return installation / "bin" / (f"{COMMAND}.exe" if WINDOWS else COMMAND)


def python_of(installation: Path) -> Path:
    """The Python of the environment that has MedPocket."""
    environment = installation / "pipx" / "venvs" / COMMAND
    return environment / "Scripts" / "python.exe" if WINDOWS else environment / "bin" / "python"


def write_version(installation: Path, version: str) -> None:
    (installation / _VERSION).write_text(version + "\n", encoding="utf-8")


def version_of(installation: Path) -> str | None:
    """The version of an installation; None where that file is missing or damaged."""
    try:
        text = (installation / _VERSION).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if re.fullmatch(r"[0-9A-Za-z.+!-]{1,64}", text) else None
