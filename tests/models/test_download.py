"""The downloading process, with the real client of the hub, over the loopback hub."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import DownloadError, InputError
from medpocket.models.download import Line, Stop, fetch_all, find
from medpocket.models.http_source import BLOCK_BYTES, Patience, reason_of
from medpocket.models.hub_files import Found, HubFile, Sought
from medpocket.models.part_file import CHUNK_BYTES, bytes_kept, part_of
from tests.models.hub_server import COMMIT, Fault, HubServer

CONTENT = random.Random(6).randbytes(1_000_000)
REPOSITORY, NAME = "owner/model-GGUF", "model.Q4_K_M.gguf"
QUICK = Patience(stall_s=5.0, attempts=2, pause_s=0.01)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer({REPOSITORY: {NAME: CONTENT, "README.md": b"# model"}}) as server:
        yield server


def line(hub: HubServer, token: str | None = None) -> Line:
    return Line(hub.endpoint, token, QUICK)


def test_the_clients_own_download_succeeds_against_this_hub(hub: HubServer, tmp_path: Path) -> None:
    code = (
        "import sys; from huggingface_hub import hf_hub_download as get\n"
        f"print(get({REPOSITORY!r}, {NAME!r}, endpoint={hub.endpoint!r}, cache_dir=sys.argv[1], token=False))"
    )
    environment = os.environ | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert Path(done.stdout.strip()).read_bytes() == CONTENT


def test_the_hub_says_commit_size_and_hash(hub: HubServer) -> None:
    found = find(line(hub), [Sought(REPOSITORY, NAME)])
    assert found == Found(REPOSITORY, COMMIT, (HubFile(NAME, len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),))


def test_a_file_arrives_and_the_host_that_sends_it_is_named(hub: HubServer, tmp_path: Path) -> None:
    found = find(line(hub), [Sought(REPOSITORY, NAME)])
    events = list(fetch_all(line(hub), found, tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert {"event": "host", "host": "localhost"} in events
    assert [event["done"] for event in events if event["event"] == "progress"][-1] == len(CONTENT)


def test_a_hub_that_sends_the_file_itself_works_too(hub: HubServer, tmp_path: Path) -> None:
    hub.redirect_host = None
    events = list(fetch_all(line(hub), find(line(hub), [Sought(REPOSITORY, NAME)]), tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert not any(event["event"] == "host" for event in events)


# --- which file ------------------------------------------------------------------------------------


def test_a_pattern_finds_the_file_whatever_its_case(hub: HubServer) -> None:
    assert find(line(hub), [Sought(REPOSITORY, None, "*q4_k_m*.GGUF")]).files[0].name == NAME


def test_a_pattern_that_fits_two_files_asks_which(hub: HubServer) -> None:
    hub.files[REPOSITORY]["other.Q4_K_M.gguf"] = b"x" * 100
    with pytest.raises(InputError) as caught:
        find(line(hub), [Sought(REPOSITORY, None, "*Q4_K_M*.gguf")])
    assert "--file" in caught.value.hint and NAME in caught.value.hint


def test_all_parts_of_a_split_model_are_found_in_their_order(hub: HubServer, tmp_path: Path) -> None:
    parts = {f"Q4/big-Q4_K_M-0000{n}-of-00003.gguf": bytes([n]) * 50_000 for n in (3, 1, 2)}
    hub.files[REPOSITORY] = parts
    found = find(line(hub), [Sought(REPOSITORY, None, "*Q4_K_M*.gguf")])
    assert [file.name[-19:-14] for file in found.files] == ["00001", "00002", "00003"]
    list(fetch_all(line(hub), found, tmp_path))
    assert all((tmp_path / Path(path).name).read_bytes() == content for path, content in parts.items())


def test_a_split_model_without_one_of_its_parts_is_refused(hub: HubServer) -> None:
    hub.files[REPOSITORY] = {f"big-Q4_K_M-0000{n}-of-00003.gguf": b"x" for n in (1, 3)}
    with pytest.raises(DownloadError, match="lacks a part"):
        find(line(hub), [Sought(REPOSITORY, None, "*Q4_K_M*.gguf")])


def test_another_conversion_is_taken_where_the_first_is_gone(hub: HubServer) -> None:
    found = find(line(hub), [Sought("gone/gone", "gone.gguf"), Sought(REPOSITORY, NAME)])
    assert found.repository == REPOSITORY


def test_a_certificate_that_is_not_trusted_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ConnectionError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate")
    assert "SSL_CERT_FILE" in reason_of(error)


def test_a_file_that_is_not_there_is_answered_with_what_is(hub: HubServer) -> None:
    with pytest.raises(DownloadError) as caught:
        find(line(hub), [Sought(REPOSITORY, "model.Q5_K_M.gguf")])
    assert NAME in caught.value.hint


@pytest.mark.parametrize(
    "path",
    ["../../evil.Q4_K_M.gguf", "/etc/evil.Q4_K_M.gguf", "a/../evil.Q4_K_M.gguf", ".evil.Q4_K_M.gguf",
     "a\\b.Q4_K_M.gguf", "C:evil.Q4_K_M.gguf", "a\nb.Q4_K_M.gguf"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(hub: HubServer, path: str) -> None:
    hub.files[REPOSITORY] = {path: CONTENT}
    with pytest.raises(DownloadError) as caught:
        find(line(hub), [Sought(REPOSITORY, None, "*Q4_K_M*.gguf")])
    assert "elsewhere" in caught.value.message and "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ({"lfs": None}, "no SHA-256"),
        ({"lfs": {"oid": "0" * 63, "size": 1_000_000, "pointerSize": 1}}, "no SHA-256"),
        ({"lfs": {"oid": "0" * 64, "size": 10**15, "pointerSize": 1}, "size": 10**15}, "no sense"),
        ({"lfs": {"oid": "0" * 64, "size": 5, "pointerSize": 1}}, "no sense"),
        ({"lfs": {"oid": "0" * 64}}, "no sense"),
    ],
)
def test_what_the_hub_says_must_make_sense(hub: HubServer, listed: dict[str, Any], words: str) -> None:
    hub.listed_as[NAME] = listed
    with pytest.raises(DownloadError, match=words):
        find(line(hub), [Sought(REPOSITORY, NAME)])


def test_a_busy_hub_is_asked_again(hub: HubServer) -> None:
    hub.api_faults = [Fault("status", status=503, retry_after="0")]
    assert find(line(hub), [Sought(REPOSITORY, NAME)]).commit == COMMIT


def test_unknown_revisions_and_repositories_are_said_to_be_none(hub: HubServer) -> None:
    with pytest.raises(DownloadError, match="no such revision"):
        find(line(hub), [Sought(REPOSITORY, NAME)], revision="old")
    with pytest.raises(DownloadError, match="no such repository"):
        find(line(hub), [Sought("nobody/nothing", NAME)])


def test_a_gated_model_needs_the_token(hub: HubServer, tmp_path: Path) -> None:
    hub.token = "hf_secret"
    with pytest.raises(DownloadError) as caught:
        find(line(hub), [Sought(REPOSITORY, NAME)])
    assert "HF_TOKEN" in caught.value.hint
    list(fetch_all(line(hub, "hf_secret"), find(line(hub, "hf_secret"), [Sought(REPOSITORY, NAME)]), tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_without_a_network_it_says_so_and_that_a_stick_will_do() -> None:
    with HubServer({}) as gone:
        endpoint = gone.endpoint
    with pytest.raises(DownloadError) as caught:
        find(Line(endpoint, None, QUICK), [Sought(REPOSITORY, NAME)])
    assert "cannot be reached" in caught.value.message
    assert "stick" in caught.value.hint


# --- the guard -------------------------------------------------------------------------------------


def test_the_configured_proxy_is_used(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback hub plays the proxy: it is asked for the address of a host that nobody can look up."""
    monkeypatch.setenv("HTTP_PROXY", hub.endpoint)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    found = find(Line("http://hub.invalid", None, QUICK), [Sought(REPOSITORY, NAME)])
    assert found.commit == COMMIT


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', other))",
        "socket.create_connection(('localhost', port))",
        "socket.socket().connect(('127.0.0.2', port))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket().bind(('127.0.0.1', 0))",
        "socket.gethostbyname('127.0.0.1')",
        "socket.getaddrinfo('hub.invalid', 443)",
    ],
)
def test_the_downloading_process_reaches_no_other_host(hub: HubServer, attempt: str) -> None:
    code = (
        "import socket\nfrom medpocket.lockdown import refuse_other_hosts\n"
        f"port, other = {hub.port}, {hub.port} - 1\n"
        "refuse_other_hosts().open('127.0.0.1', port)\n"
        "socket.create_connection(('127.0.0.1', port)).close()\nprint('reached')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + attempt], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "reached\n"
    assert "OfflineError" in done.stderr


# --- killed ----------------------------------------------------------------------------------------


def start(hub: HubServer, found: Found, folder: Path) -> "subprocess.Popen[str]":
    """Start the downloading process itself."""
    files = [
        {"path": one.path, "size": one.size, "sha256": one.sha256, "target": str(folder / one.name)}
        for one in found.files
    ]
    request = {
        "action": "fetch", "repository": found.repository, "commit": found.commit, "files": files, "mode": 0o600,
        "endpoint": hub.endpoint, "token": None, "patience": {"stall_s": 5.0, "attempts": 2, "pause_s": 0.01},
    }  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "medpocket.models.download_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin
    child.stdin.write(json.dumps(request))
    child.stdin.close()
    return child


def test_an_interrupted_process_keeps_every_byte_that_came(hub: HubServer, tmp_path: Path) -> None:
    hub.rate = 400_000
    found = find(line(hub), [Sought(REPOSITORY, NAME)])
    child = start(hub, found, tmp_path)
    target = tmp_path / NAME
    while not part_of(target).exists() or part_of(target).stat().st_size < 300_000:
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 130
    assert child.stdout
    child.stdout.close()
    kept = bytes_kept(target)
    assert kept and kept[0] == part_of(target).stat().st_size
    hub.rate = None
    list(fetch_all(line(hub), found, tmp_path))
    assert hub.starts[-1] == kept[0]
    assert target.read_bytes() == CONTENT


def test_it_ends_when_nobody_listens_any_more(hub: HubServer, tmp_path: Path) -> None:
    hub.rate = 100_000
    child = start(hub, find(line(hub), [Sought(REPOSITORY, NAME)]), tmp_path)
    assert child.stdout
    child.stdout.readline()
    child.stdout.close()
    assert child.wait(20) == 1


@pytest.mark.prove
def test_killed_at_twenty_random_points_it_resumes_and_fetches_no_byte_twice(tmp_path: Path) -> None:
    chance = random.Random(20)
    content = chance.randbytes(200_000_000)
    with HubServer({REPOSITORY: {NAME: content}}, rate=40_000_000) as hub:
        found = find(line(hub), [Sought(REPOSITORY, NAME)])
        target = tmp_path / NAME
        kills = 0
        while kills < 20:
            asked_before = len(hub.asked)
            child = start(hub, found, tmp_path)
            had = part_of(target).stat().st_size if part_of(target).exists() else 0
            point = had + chance.randrange(1, 10_000_000)
            while child.poll() is None and (not part_of(target).exists() or part_of(target).stat().st_size < point):
                time.sleep(0.001)
            child.kill()
            child.wait()
            assert child.stdout
            child.stdout.close()
            kills += 1
            if len(hub.asked) > asked_before:
                assert had - hub.asked[asked_before].start <= CHUNK_BYTES + BLOCK_BYTES
        list(fetch_all(line(hub), found, tmp_path))
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()


@pytest.mark.prove
def test_memory_stays_below_a_hundred_megabytes_whatever_the_size(tmp_path: Path) -> None:
    content = random.Random(7).randbytes(1 << 20) * 300
    with HubServer({REPOSITORY: {NAME: content}}) as hub:
        found = find(line(hub), [Sought(REPOSITORY, NAME)])
        child = start(hub, found, tmp_path)
        peak = 0
        status = Path(f"/proc/{child.pid}/status")
        while child.poll() is None:
            for text in status.read_text().splitlines() if status.exists() else ():
                if text.startswith("VmHWM"):
                    peak = max(peak, int(text.split()[1]) * 1024)
            time.sleep(0.01)
        assert child.stdout
        child.stdout.close()
        assert child.returncode == 0
    assert 0 < peak < 100_000_000


def test_a_download_is_stopped_from_another_thread_while_the_server_is_silent(hub: HubServer, tmp_path: Path) -> None:
    found = find(line(hub), [Sought(REPOSITORY, NAME)])
    hub.faults = [Fault("stall", after=500_000)]
    stop, seen = Stop(), []
    started = time.monotonic()
    with pytest.raises(DownloadError):
        for event in fetch_all(Line(hub.endpoint), found, tmp_path, stop=stop):
            seen.append(event["event"])
            if event["event"] == "progress" and event["done"]:
                threading.Timer(0.5, stop.set).start()
    assert time.monotonic() - started < 15  # the server's silence would be waited for 30 s
    kept = bytes_kept(tmp_path / NAME)
    assert kept and kept[0] > 0
    list(fetch_all(line(hub), found, tmp_path))
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert hub.starts[-1] == kept[0]
