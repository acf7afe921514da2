"""The audit hook cannot be removed, so each test runs in a process of its own."""

import subprocess
import sys

import pytest

PREPARE = "from medpocket.lockdown import refuse_network, disable_core_dumps; refuse_network()\n"


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PREPARE + code], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket(socket.AF_INET)",
        "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "import socket; socket.socket()",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import socket; socket.gethostbyname('localhost')",
        "import socket; socket.gethostbyaddr('127.0.0.1')",
        "import socket; socket.getnameinfo(('127.0.0.1', 80), 0)",
        "import _socket; _socket.socket().connect(('127.0.0.1', 9))",
        "import _socket; _socket.socket().bind(('127.0.0.1', 0))",
        "import _socket; _socket.socket(type=_socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    ],
)
def test_an_attempt_to_reach_the_network_is_refused(attempt: str) -> None:
    result = run(attempt)
    assert result.returncode == 1
    assert "OfflineError" in result.stderr
    assert "MedPocket works offline" in result.stderr


@pytest.mark.parametrize(
    "use",
    [
        "import socket; a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'",
        "import socket; socket.socket(socket.AF_UNIX).close()",
        "import asyncio; asyncio.run(asyncio.sleep(0))",
    ],
)
def test_what_asyncio_needs_goes_on_working(use: str) -> None:
    assert run(use).stderr == ""


def test_a_thread_is_refused_too() -> None:
    result = run(
        "import socket, threading\n"
        "def attempt():\n"
        "    try: socket.socket(socket.AF_INET)\n"
        "    except Exception as error: print(type(error).__name__)\n"
        "t = threading.Thread(target=attempt); t.start(); t.join()"
    )
    assert result.stdout == "OfflineError\n"


def test_core_dumps_are_off() -> None:
    result = run("disable_core_dumps(); import resource; print(resource.getrlimit(resource.RLIMIT_CORE))")
    assert result.stdout == "(0, 0)\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a Linux system call")
def test_memory_is_hidden_from_other_processes() -> None:
    result = run(
        "from medpocket.lockdown import hide_memory; import ctypes; hide_memory()\nprint(ctypes.CDLL(None).prctl(3))"
    )
    assert result.stdout == "0\n"
