"""Start the downloading process and hear what it says; this process itself never reaches the network."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medpocket import errors
from medpocket.config import load_settings
from medpocket.errors import DownloadError, MedpocketError
from medpocket.models.http_source import Patience, host_and_port
from medpocket.models.hub_files import Found, HubFile, Sought

Event = Mapping[str, Any]
_END_S = 10.0
# Xet is native code that no guard sees; nothing is told to anybody; a token goes out only as HF_TOKEN says.
_ENVIRONMENT = {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_OFFLINE": "0",
    "TRANSFORMERS_OFFLINE": "0",
    "HF_DEBUG": "0",
    "PYTHONSAFEPATH": "1",  # what lies in the current folder is not imported
}


@dataclass(frozen=True)
class Line:
    """How the hub is reached: `endpoint` None for the usual one."""

    endpoint: str | None = None
    token: str | None = field(default=None, repr=False)
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def configured(cls, endpoint: str | None) -> "Line":
        """Take the token from the environment. Raises DownloadError where pull is forbidden, and for a bad endpoint."""
        if not load_settings().allow_pull:
            raise DownloadError(
                "downloads are forbidden on this machine (allow_pull = false)",
                "get the file from whoever administers it, and `medpocket models import PATH`",
            )
        if endpoint is not None:
            host_and_port(endpoint)
        return cls(endpoint.rstrip("/") if endpoint else None, os.environ.get("HF_TOKEN") or None)


class Stop:
    """Ends a download from another thread; what came is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._is_set = False

    def set(self) -> None:
        """End the downloading process, or the next one as soon as it runs."""
        with self._lock:
            self._is_set = True
            self._end()

    def is_set(self) -> bool:
        return self._is_set

    def watch(self, child: "subprocess.Popen[str]") -> None:
        """This process is the one to end."""
        with self._lock:
            self._child = child
            self._end()

    def _end(self) -> None:
        if self._is_set and self._child:
            self._child.send_signal(signal.SIGTERM)


def find(line: Line, sought: list[Sought], revision: str | None = None) -> Found:
    """Look a model up at the hub. Raises DownloadError, InputError and OSError."""
    request = {"action": "find", "sought": [asdict(one) for one in sought], "revision": revision}
    for event in _events(line, request):
        if event["event"] == "found":
            files = tuple(HubFile(**file) for file in event["files"])
            return Found(event["repository"], event["commit"], files)
    raise _ended("without an answer")


def fetch_all(line: Line, found: Found, folder: Path, mode: int = 0o600, stop: Stop | None = None) -> Iterator[Event]:
    """Fetch the files of a model into `folder`, yielding what happens. Raises DownloadError, DiskShortError, OSError.

    A `stop` that is set ends it at once, with a DownloadError, even while the server is silent.
    Events: "progress" (file, done, size, doing), "waiting" (reason, seconds), "host" (host), "notice" (text).
    """
    files = [asdict(file) | {"target": str(folder / file.name)} for file in found.files]
    request = {"action": "fetch", "repository": found.repository, "commit": found.commit, "files": files, "mode": mode}
    for event in _events(line, request, stop):
        if event["event"] == "done":
            return
        yield event
    raise _ended("before the file was there")


def _events(line: Line, request: dict[str, Any], stop: Stop | None = None) -> Iterator[Event]:
    request |= {"endpoint": line.endpoint, "token": line.token, "patience": asdict(line.patience)}
    child = subprocess.Popen(
        [sys.executable, "-m", "medpocket.models.download_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | _ENVIRONMENT,
        text=True,
        encoding="utf-8",
    )
    assert child.stdin is not None and child.stdout is not None
    try:
        if stop:
            stop.watch(child)
        with child.stdin as stdin:
            json.dump(request, stdin)
        for text in child.stdout:
            event = json.loads(text)
            if event["event"] == "error":
                raise _as_error(event)
            yield event
        if child.wait(_END_S):
            raise _ended(f"with code {child.returncode}")
    except BrokenPipeError:
        raise _ended("at once") from None
    finally:
        _end(child)


def _end(child: "subprocess.Popen[str]") -> None:
    """Let the child keep what came, then end it."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout:
        child.stdout.close()


def _as_error(event: Event) -> MedpocketError:
    kind = getattr(errors, str(event["kind"]), DownloadError)
    known = kind in (errors.DownloadError, errors.DiskShortError, errors.InputError, errors.OfflineError)
    return (kind if known else DownloadError)(str(event["message"]), str(event["hint"]))


def _ended(how: str) -> DownloadError:
    return DownloadError(f"the download ended {how}", "give the command again: it goes on where it stopped")
