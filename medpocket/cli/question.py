"""The question, from the arguments and from stdin."""

import os
import stat
import sys
from collections.abc import Sequence

from medpocket.errors import QuestionError

_MOST_BYTES = 4_000_000
_STDIN = "-"


def read_question(words: Sequence[str]) -> str:
    """Return what is piped in, if anything is, and then the words of the argument, a blank line between.

    Raises QuestionError when stdin is not UTF-8, or larger than any context.
    """
    argument = " ".join(word for word in words if word != _STDIN)
    piped = _read_stdin() if _STDIN in words or _is_piped() else ""
    return "\n\n".join(part for part in (piped, argument) if part.strip())


def _is_piped() -> bool:
    """Tell whether stdin is a pipe, a file or a socket: not a terminal, nor a device such as /dev/null."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # stdin is closed
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read_stdin() -> str:
    if sys.stdin is None:
        return ""
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise QuestionError(
            f"more than {_MOST_BYTES / 1e6:.0f} MB are piped in", "give the part that the question is about"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QuestionError(
            f"what is piped in is not UTF-8 (byte {error.start + 1} is 0x{data[error.start]:02x})",
            "convert it first, for example with `iconv -f latin1 -t utf-8`",
        ) from None
