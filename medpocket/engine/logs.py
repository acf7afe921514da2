"""llama.cpp's messages, into a rotating log file of MedPocket's own; never to a terminal."""

import ctypes
import logging
import logging.handlers
from pathlib import Path
from typing import Any

import llama_cpp

from medpocket import paths

_LEVELS = {
    llama_cpp.GGML_LOG_LEVEL_DEBUG: logging.DEBUG,
    llama_cpp.GGML_LOG_LEVEL_INFO: logging.INFO,
    llama_cpp.GGML_LOG_LEVEL_WARN: logging.WARNING,
    llama_cpp.GGML_LOG_LEVEL_ERROR: logging.ERROR,
}
_MOST_BYTES = 1_000_000
_REMEMBERED = 20

_logger = logging.getLogger("medpocket.llama_cpp")


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
        self._callback = llama_cpp.llama_log_callback(self._receive)  # kept alive as long as llama.cpp may call it
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))

    def _receive(self, level: int, text: bytes, _user_data: object) -> None:
        # A level that is not in the table (CONT) continues the line before it.
        self._level = _LEVELS.get(level, self._level)
        self._line += text.decode("utf-8", "replace")
        if self._line.endswith("\n"):
            line, self._line = self._line.strip(), ""
            if self._level >= logging.ERROR:
                self.errors = [*self.errors[-_REMEMBERED:], line]
            _logger.log(self._level, line)


def start_log(level: str) -> LlamaLog:
    """Send llama.cpp's messages of `level` ("warning", "info") and above to the log file from here on.

    Where the file cannot be written (a read-only home, a full disk) messages are dropped: an answer matters more.
    """
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
    return LlamaLog()
