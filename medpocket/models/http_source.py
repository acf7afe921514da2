"""A file of the hub as a stream of bytes from any place in it, over the hub client's own HTTP session."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any
from urllib.parse import urljoin, urlsplit

from medpocket.errors import DownloadError, MedpocketError
from medpocket.lockdown import OpenHosts
from medpocket.models.gguf_kinds import shown

BLOCK_BYTES = 1 << 16
MOST_REDIRECTS = 5
LONGEST_WAIT_S = 600.0  # what a server that asks for more is not given
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_PORTS = {"http": 80, "https": 443}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class TryAgainError(Exception):
    """It did not work now. `wait_s` is how long the server asked to wait, None where it did not."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


@dataclass(frozen=True)
class Patience:
    """How long to wait for a silent server, and how often to come back without having got anything new."""

    stall_s: float = 30.0
    attempts: int = 6
    pause_s: float = 1.0  # doubled at every attempt in vain


def host_and_port(url: str) -> tuple[str, int]:
    """Return where a URL leads. Raises DownloadError for one that leads nowhere over http."""
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname:
            return parts.hostname, parts.port or _PORTS[parts.scheme]
    except ValueError:
        pass
    raise DownloadError("this is no address of a hub", "give one that begins with https://")


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def session(patience: Patience) -> Any:
    """Return the hub client's HTTP session, which never waits longer than `stall_s` for a silent server."""
    from huggingface_hub import get_session

    client = get_session()
    client.timeout = patience.stall_s
    return client


def http_errors(client: Any) -> tuple[type[Exception], ...]:
    """What the session raises when the network or the server fails: httpx or httpx2, by the hub client's version."""
    package = import_module(type(client).__module__.partition(".")[0])
    return package.HTTPError, package.StreamError, package.InvalidURL


class HttpSource:
    """One file at one address. `sha256` is what it must have, as far as the server says it beforehand."""

    def __init__(
        self,
        url: str,
        size: int,
        sha256: str,
        *,
        token: str | None,
        hosts: OpenHosts | None,
        patience: Patience,
        tell_host: Callable[[str], None] = lambda _host: None,
    ) -> None:
        self._url, self._size, self._sha256 = url, size, sha256
        self._token, self._hosts, self._patience = token, hosts, patience
        self._tell_host = tell_host
        self._told: set[str] = {host_and_port(url)[0]}

    def read(self, start: int) -> Iterator[bytes]:
        """Yield the file's bytes from `start` on. Raises TryAgainError and DownloadError."""
        client = session(self._patience)
        try:
            yield from self._read(client, start)
        except http_errors(client) as error:
            raise TryAgainError(reason_of(error)) from None

    def _read(self, client: Any, start: int) -> Iterator[bytes]:
        url, token = self._url, self._token
        for _ in range(MOST_REDIRECTS):
            headers = {"Accept-Encoding": "identity"}
            if start:
                headers["Range"] = f"bytes={start}-"
            if token:
                headers["Authorization"] = f"Bearer {token}"
            with client.stream("GET", url, headers=headers, follow_redirects=False) as response:
                self._check_promise(response)
                if response.status_code in (301, 302, 303, 307, 308):
                    url, token = self._redirected(url, token, response.headers.get("Location", ""))
                    continue
                yield from self._body(response, start)
                return
        raise DownloadError("the server sends from one address to the next without an end", "try again later")

    def _redirected(self, url: str, token: str | None, location: str) -> tuple[str, str | None]:
        """Where to go on, with the token only where it belongs; the host is named, and opened."""
        target = urljoin(url, location)
        host, port = host_and_port(target)
        before, port_before = host_and_port(url)
        if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
            raise DownloadError("the server sends to an address without encryption", "this was refused; try later")
        if self._hosts:
            self._hosts.open(host, port)
        if host not in self._told:
            self._told.add(host)
            self._tell_host(host)
        return target, token if (host, port) == (before, port_before) else None

    def _check_promise(self, response: Any) -> None:
        """Raise DownloadError where the hub itself says that this is another file now."""
        linked = response.headers.get("X-Linked-ETag", "").strip('"')
        size = response.headers.get("X-Linked-Size", "")
        if (re.fullmatch(r"[0-9a-f]{64}", linked) and linked != self._sha256) or (
            size.isdigit() and int(size) != self._size
        ):
            raise changed()

    def _body(self, response: Any, start: int) -> Iterator[bytes]:
        skip = start
        if response.status_code == 206:
            matched = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if not matched or int(matched[1]) != start:
                raise TryAgainError("the server sent another part of the file than it was asked for")
            if matched[3] not in ("*", str(self._size)):
                raise changed()
            skip = 0
        elif response.status_code == 416:
            raise changed()
        elif response.status_code != 200:
            check_status(response.status_code, response.headers)
            raise TryAgainError(f"the server answers with status {response.status_code}")
        for block in response.iter_raw(BLOCK_BYTES):
            if skip:  # a server that ignores ranges: what is here already is passed over
                passed = min(skip, len(block))
                skip -= passed
                yield b""  # a sign of life
                block = block[passed:]  # noqa: PLW2901
            if block:
                yield block


def changed() -> DownloadError:
    return DownloadError(
        "the file on the hub is no longer the one that it described", "give the command again: it looks it up anew"
    )


def check_status(status: int, headers: Any) -> None:
    """Raise what a refusing status means: TryAgainError, or DownloadError. Return where it refuses nothing."""
    if status in BUSY:
        wait = retry_after_s(headers.get("Retry-After", ""))
        if wait is not None and wait > LONGEST_WAIT_S:
            raise DownloadError(
                f"the hub asks to come back in {wait / 60:.0f} minutes", "give the command again then: it goes on"
            )
        raise TryAgainError("the server is busy" if status in (429, 503) else f"the server failed ({status})", wait)
    if status in (401, 403):
        raise DownloadError(
            "the hub does not give out this file without an account that accepted its terms",
            "accept them on its page there, and set HF_TOKEN to a token of that account",
        )
    if status == 404:
        raise DownloadError("the hub does not have this file", "check its name, and --revision where you gave one")
    if status >= 400:
        raise DownloadError(f"the hub refuses (status {status})", "try again later, or bring the file on a USB stick")


def retry_after_s(value: str) -> float | None:
    """Return the seconds of a Retry-After header, which are a number or a date; None where it says nothing."""
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, IndexError):
        return None


class UnreachableError(DownloadError):
    """The hub cannot be reached."""


def no_network(reason: str) -> UnreachableError:
    return UnreachableError(
        f"the hub cannot be reached: {reason}",
        "check the line, or HTTPS_PROXY; a USB stick will do: `medpocket models import PATH` on this machine",
    )


def reason_of(error: Exception) -> str:
    """Say in a few words what failed, without the address, which may hold a signature."""
    if isinstance(error, MedpocketError):
        return error.message
    if "CERTIFICATE" in str(error).upper():
        return "its certificate is not trusted here (SSL_CERT_FILE can name your own authority's)"
    name = type(error).__name__
    known = {
        "ConnectError": "no connection",
        "ConnectTimeout": "no answer",
        "ReadTimeout": "the server fell silent",
        "ReadError": "the connection broke",
        "RemoteProtocolError": "the connection ended early",
        "ProxyError": "the proxy refuses",
    }
    return known.get(name, shown(name))
