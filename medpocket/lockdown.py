"""What every process of MedPocket gives up before it does anything else: the network and core dumps.

The one process that downloads gives up all of the network but the hosts that it was given.
"""

import os
import sys
from typing import Any

_NAME_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})
_ADDRESSED = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_UNSET_FAMILY = -1


def refuse_network() -> None:
    """Refuse inet sockets and name look-ups in this process, for good: an audit hook cannot be removed.

    AF_UNIX and socketpair go on working, asyncio needs them. A refused attempt raises OfflineError.
    """
    import _socket

    unix = getattr(_socket, "AF_UNIX", None)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        if event in _NAME_LOOKUPS:
            _refuse("look up a host name")
        elif event == "socket.__new__":
            # The family is unset for a descriptor of unknown kind; what is done with it is audited below.
            if arguments[1] not in (unix, _UNSET_FAMILY) and not _inside_socketpair():
                _refuse("open a network socket")
        elif event in _ADDRESSED:
            address = arguments[1] if len(arguments) > 1 else None
            if isinstance(address, tuple) and not _inside_socketpair():
                _refuse("use a network address")

    sys.addaudithook(hook)


def network_is_refused() -> bool:
    """Try to open a network socket; tell whether this process was refused."""
    import socket

    from medpocket.errors import OfflineError

    try:
        socket.socket(socket.AF_INET).close()
    except OfflineError:
        return True
    return False


class OpenHosts:
    """The hosts and ports that a downloading process may reach; everything else of the network is refused."""

    def __init__(self) -> None:
        self._hosts: set[tuple[str, int]] = set()
        self._addresses: set[tuple[str, int]] = set()

    def open(self, host: str, port: int) -> None:
        """Let this process reach one more."""
        self._hosts.add((host.lower(), port))

    def check_lookup(self, host: object, port: object) -> None:
        """Raise OfflineError for a host that was not opened."""
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if (name.lower(), _number(port)) not in self._hosts:
            _refuse("look up a host that this download does not need")

    def found(self, answers: Any) -> Any:
        """Keep the addresses that the name look-up of an open host gave."""
        self._addresses.update((answer[4][0], answer[4][1]) for answer in answers)
        return answers

    def check_address(self, address: Any) -> None:
        """Raise OfflineError for an address that is none of an open host."""
        if tuple(address[:2]) not in self._addresses:
            _refuse("reach an address that this download does not need")


def _number(port: object) -> int:
    return int(port) if isinstance(port, (int, str)) and str(port).isdigit() else -1


def refuse_other_hosts() -> OpenHosts:
    """Refuse, for good, every host in this process but those that are opened; TCP alone, and outgoing alone.

    Names are looked up through `socket.getaddrinfo`, which is where open hosts' addresses become known.
    """
    import socket

    hosts = OpenHosts()
    look_up = socket.getaddrinfo
    inet, local = (socket.AF_INET, socket.AF_INET6), getattr(socket, "AF_UNIX", None)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        if event == "socket.getaddrinfo":
            hosts.check_lookup(arguments[0], arguments[1])
        elif event in _NAME_LOOKUPS:
            _refuse("look up a host name")
        elif event == "socket.__new__":
            stream = int(arguments[2]) & 0xF == socket.SOCK_STREAM  # the bits above are flags of Linux
            if arguments[1] not in (local, _UNSET_FAMILY) and not (arguments[1] in inet and stream):
                _refuse("open a network socket")
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            hosts.check_address(arguments[1])
        elif event in _ADDRESSED and isinstance(arguments[1] if len(arguments) > 1 else None, tuple):
            _refuse("use a network address")

    def getaddrinfo(*arguments: Any, **named: Any) -> Any:
        return hosts.found(look_up(*arguments, **named))

    sys.addaudithook(hook)
    socket.getaddrinfo = getaddrinfo
    return hosts


def _inside_socketpair() -> bool:
    """On Windows socket.socketpair is made of two loopback sockets."""
    if sys.platform != "win32":
        return False
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "socketpair" and frame.f_globals.get("__name__") == "socket":
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def _refuse(what: str) -> None:
    from medpocket.errors import OfflineError

    raise OfflineError(
        f"MedPocket works offline: something in it tried to {what}, and was refused",
        "no data left this machine; please report this with the command that you ran",
    )


def disable_core_dumps() -> None:
    """Keep a crash from writing memory, and with it a patient's text, to a disk or a terminal."""
    os.environ["GGML_NO_BACKTRACE"] = "1"  # else llama.cpp, when it aborts, has a debugger print what it finds
    try:
        import resource
    except ImportError:  # Windows writes no core files
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def hide_memory() -> None:
    """Keep other processes of this user, and crash collectors that ignore the limit, from reading our memory."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    PR_SET_DUMPABLE = 4  # noqa: N806 - the kernel's name, from prctl(2)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
