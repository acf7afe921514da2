"""Everything that is written to stdout: the answer, or one JSON envelope."""

import json
import os
import sys
from typing import Any

from medpocket.errors import MedpocketError
from medpocket.text import printable


def is_terminal() -> bool:
    """Tell whether a person sees what is written."""
    return sys.stdout.isatty()


class AnswerWriter:
    """Writes an answer as it comes, ended by one newline."""

    def __init__(self) -> None:
        self._last = "\n"

    def write(self, text: str) -> None:
        """Write the next piece and flush it. Raises OSError."""
        if text:
            _write(printable(text))
            self._last = text[-1]

    @property
    def is_in_line(self) -> bool:
        """Whether a line was begun and not ended."""
        return self._last != "\n"

    def end(self) -> None:
        """End the answer's last line. Raises OSError."""
        if self.is_in_line:
            self.write("\n")


def write_line(text: str = "") -> None:
    """Write a line of a table or a page. Raises OSError."""
    _write(printable(text) + "\n")


def write_text(text: str) -> None:
    """Write a piece of a document as it is. Raises OSError."""
    _write(printable(text))


def write_success(command: str, data: dict[str, Any]) -> None:
    """Write the envelope of a command that did its work. Raises OSError."""
    _write_json({"ok": True, "command": command, "data": data})


def write_failure(command: str, error: MedpocketError) -> None:
    """Write the envelope of a command that failed. Raises OSError."""
    _write_json(
        {
            "ok": False,
            "command": command,
            "error": {"code": error.code, "message": printable(error.message), "hint": printable(error.hint)},
        }
    )


def write_json_line(value: dict[str, Any]) -> None:
    """Write one object of a stream, at once. Raises OSError."""
    _write_json(value)


def _write_json(value: dict[str, Any]) -> None:
    _write(json.dumps(value, ensure_ascii=True, allow_nan=False) + "\n")


def forget() -> None:
    """Keep Python from writing to a stdout that is gone, or full, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(text: str) -> None:
    # Bytes, since the locale's encoding may not hold what a model says.
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
