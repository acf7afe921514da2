"""Where others look for what was installed: the desktop's menu and `man`. Nothing of it is needed to work."""

import shutil
from contextlib import suppress
from pathlib import Path

from medpocket.kit.install.places import COMMAND, WINDOWS, Places, python_of

_ENTRY, _MANUAL = f"{COMMAND}.desktop", f"{COMMAND}.1"
_QUOTED_IN_EXEC = str.maketrans(
    {one: f"\\{one}" for one in '"`$\\'} | {"%": "%%"}
)  # of the desktop entry specification


def show(places: Places, installation: Path) -> None:
    """Put the desktop entry and the manual of this installation where they are looked for."""
    if WINDOWS:
        return
    share = python_of(installation).parent.parent / "share"
    with suppress(OSError, UnicodeDecodeError):
        text = (share / "applications" / _ENTRY).read_text(encoding="utf-8")
        entry = _entry(places)
        entry.parent.mkdir(parents=True, exist_ok=True)
        lines = [_exec(places.command) if line == f"Exec={COMMAND}" else line for line in text.splitlines()]
        kept = [line for line in lines if not line.startswith("TryExec=")]  # it takes a path without quotes
        entry.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with suppress(OSError):
        manual = _manual(places)
        manual.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(share / "man" / "man1" / _MANUAL, manual)


def hide(places: Places) -> None:
    """Take both away."""
    for path in (_entry(places), _manual(places)):
        with suppress(OSError):
            path.unlink()


def _exec(command: Path) -> str:
    """The line that starts the command, whose folder need not be on the desktop's PATH."""
    quoted = str(command).translate(_QUOTED_IN_EXEC).replace("\\", "\\\\")
    return f'Exec="{quoted}"'


def _entry(places: Places) -> Path:
    return places.program.parent / "applications" / _ENTRY


def _manual(places: Places) -> Path:
    return places.program.parent / "man" / "man1" / _MANUAL
