"""The only process of MedPocket that reaches the network: `python -m medpocket.models.download_process`.

It reads one request, as JSON, from stdin and writes what happens as lines of JSON to stdout. It can reach the endpoint,
the configured proxy, and the hosts that the endpoint redirects to, each of which it names.
"""

import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from medpocket.errors import DownloadError, MedpocketError
from medpocket.lockdown import OpenHosts, disable_core_dumps, refuse_other_hosts
from medpocket.models.http_source import HttpSource, Patience, UnreachableError, host_and_port, is_loopback

INTERRUPTED = 130


def main() -> int:
    """Do what the request says; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    hosts = refuse_other_hosts()
    disable_core_dumps()
    try:
        request = json.load(sys.stdin)
        _serve(request, hosts)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MedpocketError as error:
        tell({"event": "error", "kind": type(error).__name__, "message": error.message, "hint": error.hint})
        return 1
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        hint = "`medpocket doctor` shows the folders, and whether they can be written"
        tell({"event": "error", "kind": "DownloadError", "message": f"the system refused: {reason}", "hint": hint})
        return 1
    return 0


def _interrupt(_signal: int, _frame: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a terminal and the parent may both say it
    raise KeyboardInterrupt


def tell(event: Any) -> None:
    """Write one line of JSON. Raises BrokenPipeError."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _serve(request: dict[str, Any], hosts: OpenHosts) -> None:
    from medpocket.models.fetch import Wanted, fetch
    from medpocket.models.hub_files import Hub, Sought

    endpoint = request["endpoint"] or _usual_endpoint()
    patience = Patience(**request["patience"])
    _open(endpoint, hosts)
    token = request["token"] if _may_carry_token(endpoint) else None
    if request["token"] and not token:
        tell({"event": "notice", "text": "HF_TOKEN is not sent: this endpoint is reached without encryption"})
    hub = Hub(endpoint, token, patience)
    if request["action"] == "find":
        found = _find_first(hub, [Sought(**one) for one in request["sought"]], request["revision"])
        tell({"event": "found", "endpoint": endpoint, **asdict(found)})
        return
    for file in request["files"]:
        source = HttpSource(
            hub.url(request["repository"], request["commit"], file["path"]),
            file["size"],
            file["sha256"],
            token=token,
            hosts=hosts,
            patience=patience,
            tell_host=lambda host: tell({"event": "host", "host": host}),
        )
        fetch(Wanted(file["size"], file["sha256"], request["mode"]), Path(file["target"]), source, patience, tell)
    tell({"event": "done"})


def _find_first(hub: Any, sought: Any, revision: str | None) -> Any:
    """The first that is there; where none is, what is wrong with the first. Raises DownloadError and InputError."""
    first: DownloadError | None = None
    for one in sought:
        try:
            return hub.find(one, revision)
        except UnreachableError:
            raise
        except DownloadError as error:
            first = first or error
    assert first is not None
    raise first


def _usual_endpoint() -> str:
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def _open(endpoint: str, hosts: OpenHosts) -> None:
    """Let this process reach the endpoint, or the proxies through which it is reached."""
    from urllib.request import getproxies

    hosts.open(*host_and_port(endpoint))
    for scheme, proxy in getproxies().items():
        if scheme in ("http", "https", "all"):
            address = proxy if "://" in proxy else f"http://{proxy}"
            if urlsplit(address).scheme not in ("http", "https"):
                raise DownloadError("only a proxy that speaks HTTP is supported", f"set {scheme.upper()}_PROXY to one")
            hosts.open(*host_and_port(address))


def _may_carry_token(endpoint: str) -> bool:
    return urlsplit(endpoint).scheme == "https" or is_loopback(host_and_port(endpoint)[0])


if __name__ == "__main__":
    sys.exit(main())
