"""A hub on the loopback interface: it speaks the protocol of the real one, to the real client.

`/api/models/...` gives revision, tree and paths-info; `resolve` redirects to another host, which serves ranges.
What a bad line or a bad server does is planned with `faults`, one for each request of a file's content.
"""

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BLOCK = 1 << 16


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request: `kind` after `after` bytes of its body.

    Kinds: "status" (with `status` and `retry_after`), "cut", "flip", "ignore-range", "stall", "other-size",
    "wrong-range".
    """

    kind: str
    after: int = 0
    status: int = 503
    retry_after: str | None = None


@dataclass
class Asked:
    """One request for a file's content, and how it was answered."""

    start: int
    host: str
    authorization: str | None
    status: int = 0


@dataclass
class HubServer:
    """Repositories of files, at one commit each. `rate` limits the bytes a second of a body."""

    files: dict[str, dict[str, bytes]]
    commit: str = COMMIT
    faults: list[Fault] = field(default_factory=list)
    api_faults: list[Fault] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    listed_as: dict[str, dict[str, Any]] = field(default_factory=dict)  # what the tree says of a path instead
    token: str | None = None
    rate: float | None = None
    redirect_host: str | None = "localhost"  # None: the content comes from the endpoint itself

    def __enter__(self) -> "HubServer":
        hub = self

        class Handler(_Handler):
            server_of = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._stopped = threading.Event()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def starts(self) -> list[int]:
        """Where each request for content began."""
        return [one.start for one in self.asked]

    def wait(self, seconds: float) -> None:
        self._stopped.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: HubServer

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def do_GET(self) -> None:
        self._serve(body=True)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        matched = re.fullmatch(r"/api/models/([^/]+/[^/]+)/paths-info/[^/]+", self.path)
        if not matched or self._refused(matched[1]):
            return
        paths = parse_qs(content.decode()).get("paths", [])
        files = self.server_of.files[matched[1]]
        self._json([self._entry(path, files[path]) for path in paths if path in files])

    def _serve(self, body: bool) -> None:
        parts = urlsplit(self.path)
        if matched := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/([^/]+))?", parts.path):
            if not self._refused(matched[1], matched[3]):
                siblings = [{"rfilename": path} for path in self.server_of.files[matched[1]]]
                self._json({"id": matched[1], "sha": self.server_of.commit, "siblings": siblings})
        elif matched := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", parts.path):
            if not self._refused(matched[1], matched[2]):
                self._json([self._entry(*one) for one in self.server_of.files[matched[1]].items()])
        elif matched := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", parts.path):
            if not self._refused(matched[1], matched[2]):
                self._resolve(matched[1], unquote(matched[3]), body)
        elif matched := re.fullmatch(r"/blobs/([^/]+/[^/]+)/(.+)", parts.path):
            self._content(self.server_of.files[matched[1]][unquote(matched[2])], body)
        else:
            self._error(404, "EntryNotFound")

    def _refused(self, repository: str, revision: str | None = None) -> bool:
        hub = self.server_of
        if hub.api_faults and self.path.startswith("/api/"):
            self._status(hub.api_faults.pop(0))
        elif hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self._error(401, "GatedRepo")
        elif repository not in hub.files:
            self._error(404, "RepoNotFound")
        elif revision not in (None, "main", hub.commit):
            self._error(404, "RevisionNotFound")
        else:
            return False
        return True

    def _entry(self, path: str, content: bytes) -> dict[str, Any]:
        sha256 = hashlib.sha256(content).hexdigest()
        lfs = {"oid": sha256, "size": len(content), "pointerSize": 134}
        entry = {"type": "file", "oid": sha256[:40], "size": len(content), "path": path, "lfs": lfs}
        return entry | self.server_of.listed_as.get(path, {})

    def _resolve(self, repository: str, path: str, body: bool) -> None:
        content = self.server_of.files[repository].get(path)
        if content is None:
            self._error(404, "EntryNotFound")
            return
        sha256 = hashlib.sha256(content).hexdigest()
        headers = {
            "X-Repo-Commit": self.server_of.commit,
            "X-Linked-Size": str(len(content)),
            "X-Linked-ETag": f'"{sha256}"',
            "ETag": f'"{sha256}"',
        }
        host = self.server_of.redirect_host
        if host is None:
            self._content(content, body, headers)
            return
        headers["Location"] = f"http://{host}:{self.server_of.port}/blobs/{repository}/{path}?signature=secret"
        self._head(302, headers | {"Content-Length": "0"})

    def _content(self, content: bytes, body: bool, more: dict[str, str] | None = None) -> None:
        hub = self.server_of
        matched = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(matched[1]) if matched else 0
        fault = hub.faults.pop(0) if body and hub.faults else Fault("none")
        if body:
            host = self.headers["Host"].partition(":")[0]
            hub.asked.append(Asked(start, host, self.headers.get("Authorization"), fault.status))
        if fault.kind == "status":
            self._status(fault)
            return
        if fault.kind == "ignore-range":
            matched, start = None, 0
        if start >= len(content):
            self._head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            return
        size = len(content) + (fault.kind == "other-size")
        shift = 7 if fault.kind == "wrong-range" else 0
        headers = {"Content-Length": str(len(content) - start), "Accept-Ranges": "bytes", **(more or {})}
        if matched:
            headers["Content-Range"] = f"bytes {start + shift}-{len(content) - 1}/{size}"
        self._head(206 if matched else 200, headers)
        if body:
            self._send(content[start:], fault)

    def _send(self, content: bytes, fault: Fault) -> None:
        hub = self.server_of
        view = memoryview(content)
        for place in range(0, len(view), BLOCK):
            block = view[place : place + BLOCK]
            if fault.kind in ("cut", "stall") and place + len(block) > fault.after:
                self.wfile.write(block[: max(0, fault.after - place)])
                self.wfile.flush()
                if fault.kind == "stall":
                    hub.wait(30)
                self.close_connection = True
                self.connection.close()
                return
            if fault.kind == "flip" and place <= fault.after < place + len(block):
                block = memoryview(bytearray(block))
                block[fault.after - place] ^= 1
            try:
                self.wfile.write(block)
            except OSError:
                self.close_connection = True
                return
            if hub.rate:
                time.sleep(len(block) / hub.rate)

    def _status(self, fault: Fault) -> None:
        headers = {"Content-Length": "0"} | ({"Retry-After": fault.retry_after} if fault.retry_after else {})
        self._head(fault.status, headers)

    def _error(self, status: int, code: str) -> None:
        self._head(status, {"X-Error-Code": code, "X-Error-Message": code, "Content-Length": "0"})

    def _json(self, value: object) -> None:
        content = json.dumps(value).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(content))})
        self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
