"""What traced processes did, from the files that `strace -ff -y -e trace=network,file` wrote."""

import re
from collections.abc import Iterator
from pathlib import Path

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+|\?)(?:<(?P<opened>[^>]*)>)?")
# A path, after the folder that it is told from where the call has one: AT_FDCWD</home/ann>, "notes"
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_CHANGING = re.compile(
    r"creat|(mkdir|mknod|unlink|rename|link|symlink)(at2?)?|rmdir|truncate|(fchmod|fchown|utimens)at|l?chown|chmod|l?setxattr"
)
_INET = re.compile(r"sa_family=AF_INET6?\b")
_LOOPBACK = re.compile(r'inet_addr\("127\.|"::1"')


def _calls(trace: Path) -> Iterator[tuple[str, str, str | None]]:
    """Name, arguments, and the path that was opened, of each call that succeeded."""
    for file in sorted(trace.parent.glob(f"{trace.name}.*")):
        for line in file.read_text(errors="replace").splitlines():
            call = _CALL.match(line)
            if call and not call["result"].startswith("-"):
                yield call["name"], call["arguments"], call["opened"]


def written_paths(trace: Path) -> set[Path]:
    """Every path that was opened for writing, made, renamed, changed or deleted; devices that keep nothing left out."""
    found: set[Path] = set()
    for name, arguments, opened in _calls(trace):
        if name in ("open", "openat", "openat2"):
            if _WRITING.search(arguments) and opened:
                found.add(Path(opened.removesuffix(" (deleted)")))
        elif _CHANGING.fullmatch(name):
            paths = [Path(one["folder"] or "/", one["path"]) for one in _PATH.finditer(arguments)]
            # The first path of these is what a link leads to, which need not be there and is not changed.
            found.update(paths[1:] if name in ("symlink", "symlinkat", "link", "linkat") else paths)
    return {path for path in found if not path.is_relative_to("/dev")}


def inet_sockets(trace: Path) -> int:
    """How many sockets for a network were made."""
    return sum(name == "socket" and arguments.startswith("AF_INET") for name, arguments, _ in _calls(trace))


def reached_beyond_loopback(trace: Path) -> list[str]:
    """Calls, successful or not, that name an address of a network other than this machine's own."""
    found = []
    for file in sorted(trace.parent.glob(f"{trace.name}.*")):
        for line in file.read_text(errors="replace").splitlines():
            if _INET.search(line) and not _LOOPBACK.search(line):
                found.append(line)
    return found
