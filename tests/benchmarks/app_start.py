"""How long `medpocket` takes to its first frame, and to a loaded model.

Usage: python tests/benchmarks/app_start.py [RUNS]

Each run is a process of its own in a terminal of 100 x 30. The first frame is the first output that holds the question
box's words; the time is from the start of the process. Beside it stands what `python -c "import textual.app"` takes.
"""

import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

_WORDS = b"begins a new line"  # the cursor stands on the first of its words
_WAIT_S = 60.0


def first_frame_s(home: str) -> float:
    """Start the app; return the seconds until its question box is drawn."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    environment = os.environ | {"MEDPOCKET_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "medpocket"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = b""
    try:
        while _WORDS not in seen:
            seen += os.read(ours, 65536)
            if time.perf_counter() - started > _WAIT_S:
                sys.exit("no frame came")
        return time.perf_counter() - started
    finally:
        os.write(ours, b"\x11")  # Ctrl+Q
        _drain(ours)
        process.wait(_WAIT_S)
        os.close(ours)


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:  # how a terminal on Linux says that its program has ended
        pass


def import_s() -> float:
    """Return the seconds of a Python that imports the app's toolkit and ends."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print medians and the slowest."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "state").mkdir()
        (Path(home) / "state" / "tour-seen").touch()
        first_frame_s(home)  # compiles what was not compiled yet
        frames = [first_frame_s(home) for _ in range(runs)]
    imports = [import_s() for _ in range(runs)]
    print(f"first frame: median {statistics.median(frames):.3f} s, slowest {max(frames):.3f} s, of {runs}")
    print(f"import textual.app alone: median {statistics.median(imports):.3f} s")


if __name__ == "__main__":
    main()
