"""Somebody else on this machine, without a network: what the clinician is who installs a kit.

Where the tests run as root, the user is `nobody`; else it is whoever runs them. The network is a namespace of its own,
in which no interface is up. PATH has a shell, the Python that the kit is for, and what install.sh calls: no compiler.
"""

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534
_TOOLS = ("sh", "dirname", "sed", "ssh-keygen")
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "ld", "make", "cmake")
_QUIT = b"\x11"  # Ctrl+Q


@dataclass(frozen=True)
class OfflineUser:
    """`home` is empty at first, and its name has a space; `temporary` is where the system's temporary files go."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "Dr Ann's home"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def command(self) -> Path:
        return self.home / ".local/bin/medpocket"

    @classmethod
    def new(cls, folder: Path, python: Path) -> "OfflineUser":
        """Make the home, and a PATH that has Python and no compiler."""
        user = cls(folder)
        for place in (user.home, user.temporary, folder / "bin"):
            place.mkdir()
        for name in _TOOLS:
            found = shutil.which(name)
            assert found, f"{name} is missing here"
            (folder / "bin" / name).symlink_to(found)
        (folder / "bin/python3").symlink_to(python)
        if os.geteuid() == 0:
            for place in (user.home, user.temporary):
                os.chown(place, _NOBODY, _NOBODY)
        for place in (user.home, user.temporary):
            place.chmod(0o700)
        assert not [name for name in COMPILERS if shutil.which(name, path=str(folder / "bin"))]
        return user

    def isolated(self, *command: str | Path, trace: Path | None = None, noexec: bool = False) -> list[str]:
        """The command line that runs `command` as this user, in a network of its own.

        `noexec`: the home is another, empty one, where no program may run.
        """
        unshare = [_found("unshare"), "--net"]
        drop: list[str] = []
        if os.geteuid() == 0:
            drop = [_found("setpriv"), f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--no-new-privs"]
        else:
            unshare += ["--user", "--map-root-user" if noexec else "--map-current-user"]
        if noexec:
            options = f"noexec,mode=700,uid={_NOBODY if os.geteuid() == 0 else 0}"
            mount = f'{_found("mount")} -t tmpfs -o {options} none "$HOME" && exec "$@"'
            unshare += ["--mount", _found("sh"), "-c", mount, "sh"]
        traced = (
            [_found("strace"), "-ff", "-y", "-s", "256", "-e", "trace=network,file", "-o", str(trace)] if trace else []
        )
        return [*unshare, *traced, *drop, *map(str, command)]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": str(self.folder / "bin"),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }

    def run(
        self, *command: str | Path, trace: Path | None = None, noexec: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.isolated(*command, trace=trace, noexec=noexec),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=self.environment,
            timeout=900,
            check=False,
        )

    @contextmanager
    def app(self) -> Iterator["Screen"]:
        """The app in a terminal, ended at the end of the block whatever it does."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        process = subprocess.Popen(
            self.isolated(self.command), stdin=theirs, stdout=theirs, stderr=theirs, cwd="/", env=self.environment
        )
        os.close(theirs)
        try:
            yield Screen(process, ours)
        finally:
            process.kill()
            process.wait()
            os.close(ours)


@dataclass
class Screen:
    """A program in a terminal, and what it has written."""

    process: "subprocess.Popen[bytes]"
    terminal: int
    seen: bytes = b""

    def wait_for(self, words: bytes, seconds: float = 120.0) -> None:
        """Read until these words were drawn."""
        end = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < end, self.seen[-2000:]
            assert self._read(1.0) or self.process.poll() is None, self.seen[-2000:]

    def quit(self, seconds: float = 60.0) -> int:
        """Press Ctrl+Q; return the exit code."""
        os.write(self.terminal, _QUIT)
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            self._read(0.2)
        return self.process.wait(1.0)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        try:
            piece = os.read(self.terminal, 65536) if ready else b""
        except OSError:  # how a terminal on Linux says that its program has ended
            return False
        self.seen += piece
        return bool(piece)


def _found(tool: str) -> str:
    """The path of a tool that is not on the user's own PATH."""
    path = shutil.which(tool)
    assert path, f"{tool} is missing here"
    return path


def can_be_alone() -> str | None:
    """Why no network namespace can be made here; None where one can."""
    if not shutil.which("unshare") or not shutil.which("strace"):
        return "unshare (of util-linux) or strace is not installed"
    command: Sequence[str] = ["unshare", "--net", "true"]
    if os.geteuid() != 0:
        command = ["unshare", "--net", "--user", "--map-current-user", "true"]
    tried = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return tried.stderr.strip() or None if tried.returncode else None
