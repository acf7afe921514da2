"""What every process of MedPocket gives up before it does anything else: the network and core dumps."""

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
