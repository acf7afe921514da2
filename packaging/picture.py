"""Draw what a command shows in a terminal, as SVG.

Usage: python packaging/picture.py OUT.svg COMMAND [ARGUMENT ...]

Needs rich, which comes with textual. The fonts are those of whoever looks at it: nothing is fetched.
"""

import io
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 92
FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def shown_by(command: list[str]) -> str:
    """Run `command` in a terminal of its own; return what it wrote, with its styles."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    parts: list[bytes] = []
    try:
        while part := os.read(ours, 4096):
            parts.append(part)
    except OSError:  # how a terminal on Linux says that its program has ended
        pass
    if process.wait():
        sys.exit(f"{shlex.join(command)} failed")
    # A line that was taken away again is not drawn.
    return re.sub(r"[^\n]*\r\x1b\[K", "", b"".join(parts).decode().replace("\r\n", "\n"))


def main() -> None:
    """Write the picture."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, command = Path(sys.argv[1]), sys.argv[2:]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {shlex.join([Path(command[0]).name, *command[1:]])}", style="bold"))
    console.print(Text.from_ansi(shown_by(command).rstrip()))
    svg = console.export_svg(title="medpocket ask")
    out.write_text(
        FONT_FACE.sub("", svg).replace("Fira Code", "ui-monospace, DejaVu Sans Mono, Menlo"), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
