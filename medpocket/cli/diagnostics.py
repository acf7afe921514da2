"""Everything that is written to stderr: errors, notices, progress and figures. It never fails."""

import os
import sys

from medpocket.errors import MedpocketError
from medpocket.text import printable

_BOLD, _DIM, _RESET, _CLEAR_LINE = "\x1b[1m", "\x1b[2m", "\x1b[0m", "\r\x1b[K"

plain = False  # set by --plain: no styling and no line that changes
_progress_is_shown = False


def error(problem: MedpocketError) -> None:
    """Write what is wrong and what to do next, a line each."""
    _write(f"{_styled('medpocket: ' + _one_line(problem.message), _BOLD)}\n{_one_line(problem.hint)}\n")


def notice(text: str) -> None:
    """Write a line that the user should know of."""
    _write(_styled(_one_line(text), _DIM) + "\n")


def progress(done: int, total: int, what: str = "reading {:,} of {:,} tokens") -> None:
    """Show how much is done, on one line of a terminal that the next one replaces."""
    if total:
        status(what.format(done, total))


def status(text: str) -> bool:
    """Show one line that the next one replaces; tell whether there is a terminal that shows it."""
    global _progress_is_shown  # noqa: PLW0603 - there is one terminal
    if not _has_style():
        return False
    _write(f"{_CLEAR_LINE}{_DIM}{_one_line(text)}{_RESET}")
    _progress_is_shown = True
    return True


def clear_progress() -> None:
    """Take the progress line away, where one is shown."""
    global _progress_is_shown  # noqa: PLW0603
    if _progress_is_shown:
        _write(_CLEAR_LINE)
        _progress_is_shown = False


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{_RESET}" if _has_style() and "NO_COLOR" not in os.environ else text


def _has_style() -> bool:
    return not plain and sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _write(text: str) -> None:
    try:
        sys.stderr.buffer.write(text.encode("utf-8", "replace"))
        sys.stderr.buffer.flush()
    except (OSError, AttributeError):  # stderr is closed: there is nobody to tell
        pass
