"""The app in a process and a terminal of its own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

READY = "begins a new line"  # of the question box's placeholder; the cursor stands on the first of its words
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]")

# Makes the terminal its session's, so that closing it is heard.
_TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """Reads all that the process writes, from its start on."""

    def __init__(self, *command: str, columns: int = 100, rows: int = 30) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(theirs)
        self.written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while piece := os.read(self._ours, 65536):
                self.written += piece
        except OSError:  # how a terminal on Linux says that its program has ended
            pass

    def text(self, since: int = 0) -> str:
        """What was written, without what moves the cursor and colours."""
        return _CONTROL.sub("", self.written[since:].decode(errors="replace"))

    def send(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def close(self) -> None:
        """Close the window."""
        os.close(self._ours)

    def until(self, condition: "str | Callable[[], object]", seconds: float = 60) -> None:
        """Wait for words on the screen, or for a condition; fail with the screen where they do not come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition in self.text() if isinstance(condition, str) else condition():
                return
            time.sleep(0.02)
        raise AssertionError(self.text()[-2000:])

    def ended(self) -> int:
        """Wait for the end of the process and of all that it wrote; return its code."""
        code = self.process.wait(60)
        self._reader.join(10)
        return code


@contextmanager
def terminal(*command: str) -> Iterator[Terminal]:
    """Run a command, by default `medpocket`, and end it in the end."""
    found = Terminal(*(command or (sys.executable, "-m", "medpocket")))
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
            found.process.wait()
