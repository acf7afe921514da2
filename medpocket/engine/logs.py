"""llama.cpp's messages, into a rotating log file of MedPocket's own; never to a terminal."""

import ctypes
import logging
import logging.handlers
from pathlib import Path
from typing import Any

import llama_cpp

from medpocket import paths
from medpocket.text import printable

# enum ggml_log_level of ggml.h; the table in llama_cpp._logger is a level off.
_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
_MOST_BYTES = 1_000_000
_REMEMBERED = 20

_logger = logging.getLogger("medpocket.llama_cpp")
_receiver: "LlamaLog | None" = None  # one for the whole process: llama.cpp calls it as long as it lives


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A log that this user alone can read."""

    def _open(self) -> Any:
        path = Path(self.baseFilename)
        path.touch(mode=0o600, exist_ok=True)
        return super()._open()


class LlamaLog:
    """The receiver of llama.cpp's messages: writes them down and remembers the last errors."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._level = logging.INFO
        self._line = ""
        self.callback = llama_cpp.llama_log_callback(self._receive)

    def _receive(self, level: int, text: bytes, _user_data: object) -> None:
        # A level that is not in the table (CONT) continues the line before it.
        self._level = _LEVELS.get(level, self._level)
        self._line += text.decode("utf-8", "replace")
        if self._line.endswith("\n"):
            line, self._line = self._line.strip(), ""
            if self._level >= logging.ERROR:
                self.errors.append(line)
                del self.errors[:-_REMEMBERED]
            _logger.log(self._level, line)


def start_log(level: str) -> LlamaLog:
    """Send llama.cpp's messages of `level` ("warning", "info") and above to the log file from here on.

    Where the file cannot be written (a read-only home, a full disk) messages are dropped: an answer matters more.
    """
    global _receiver  # noqa: PLW0603 - as global as the callback inside llama.cpp
    logging.raiseExceptions = False
    _logger.setLevel(level.upper())
    _logger.propagate = False
    if not _logger.handlers:
        try:
            folder = paths.make_private(paths.log_folder())
            handler: logging.Handler = _PrivateFile(
                folder / "llama.cpp.log", maxBytes=_MOST_BYTES, backupCount=2, encoding="utf-8", delay=True
            )
        except OSError:
            handler = logging.NullHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        _logger.addHandler(handler)
    _receiver = _receiver or LlamaLog()
    _receiver.errors.clear()
    llama_cpp.llama_log_set(_receiver.callback, ctypes.c_void_p(0))
    return _receiver


def reason(log: LlamaLog) -> str:
    """llama.cpp's last error as the end of a sentence; it never holds text of a question."""
    return f": {printable(log.errors[-1])[:200]}" if log.errors else ""
