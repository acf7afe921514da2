"""Whether questions and answers are kept at all."""

from pathlib import Path

from medpocket import paths

_OFF = "off"


def is_on(folder: Path | None = None) -> bool:
    """Tell whether the user keeps a history: yes, unless it was switched off.

    In a folder where the user may not even look it counts as on: opening the history then says what is wrong.
    """
    try:
        return not ((folder or paths.history_folder()) / _OFF).exists()
    except PermissionError:
        return True


def switch(on: bool, folder: Path | None = None) -> None:
    """Switch the history on or off for every command to come; what is kept stays. Raises OSError."""
    place = paths.make_private(folder or paths.history_folder())
    if on:
        (place / _OFF).unlink(missing_ok=True)
    else:
        (place / _OFF).touch(mode=0o600)
