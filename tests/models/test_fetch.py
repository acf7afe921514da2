"""What a bad line, a bad server and a bad disk do to a download."""

import errno
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import DiskShortError, DownloadError
from medpocket.exclusive import exclusive
from medpocket.models import part_file
from medpocket.models.fetch import Wanted, fetch
from medpocket.models.http_source import BLOCK_BYTES, HttpSource, Patience, retry_after_s
from medpocket.models.part_file import PartFile, bytes_kept, part_of, state_of
from tests.models.hub_server import COMMIT, Fault, HubServer

CONTENT = random.Random(5).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CHUNK = 500_000
REPOSITORY, NAME = "owner/model-GGUF", "model.Q4_K_M.gguf"
QUICK = Patience(stall_s=0.4, attempts=3, pause_s=0.01)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer({REPOSITORY: {NAME: CONTENT}}) as server:
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / NAME


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_file, "CHUNK_BYTES", CHUNK)


def get(hub: HubServer, target: Path, token: str | None = None, wanted: Wanted | None = None) -> list[Any]:
    """Fetch the file; return what was told."""
    told: list[Any] = []
    url = f"{hub.endpoint}/{REPOSITORY}/resolve/{COMMIT}/{NAME}"
    wanted = wanted or Wanted(len(CONTENT), SHA256)
    source = HttpSource(url, wanted.size, wanted.sha256, token=token, hosts=None, patience=QUICK)
    fetch(wanted, target, source, QUICK, told.append)
    return told


def refused(hub: HubServer, target: Path) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        get(hub, target)
    assert not target.exists()
    return caught.value


def test_a_file_arrives_whole_and_leaves_nothing_else(hub: HubServer, target: Path) -> None:
    get(hub, target)
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o600
    assert not part_of(target).exists() and not state_of(target).exists()


def test_what_is_there_already_is_not_fetched(hub: HubServer, target: Path) -> None:
    target.write_bytes(CONTENT)
    get(hub, target)
    assert hub.asked == []


def test_a_damaged_file_in_its_place_is_replaced(hub: HubServer, target: Path) -> None:
    target.write_bytes(CONTENT[:-1] + b"x")
    told = get(hub, target)
    assert target.read_bytes() == CONTENT
    assert any("damaged" in event.get("text", "") for event in told)


@pytest.mark.parametrize("kind", ["cut", "stall"])
def test_a_body_that_ends_early_or_stalls_goes_on_where_it_stopped(hub: HubServer, target: Path, kind: str) -> None:
    hub.faults = [Fault(kind, after=1_000_000), Fault(kind, after=700_000)]
    get(hub, target)
    assert target.read_bytes() == CONTENT
    assert len(hub.starts) == 3
    assert 1_000_000 - BLOCK_BYTES <= hub.starts[1] <= 1_000_000
    assert hub.starts[1] + 700_000 - BLOCK_BYTES <= hub.starts[2] <= hub.starts[1] + 700_000


def test_a_flipped_bit_is_found_and_what_came_is_thrown_away(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("flip", after=1_234_567)]
    error = refused(hub, target)
    assert "SHA-256" in error.message
    assert not part_of(target).exists()
    get(hub, target)
    assert target.read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_is_read_past_what_is_here(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=2_000_000), Fault("ignore-range")]
    get(hub, target)
    assert target.read_bytes() == CONTENT


def test_another_range_than_asked_for_is_not_taken(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=2_000_000), Fault("wrong-range")]
    get(hub, target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_given_the_time_that_it_asks_for(hub: HubServer, target: Path, status: int) -> None:
    hub.faults = [Fault("status", status=status, retry_after="0"), Fault("status", status=status)]
    told = get(hub, target)
    assert target.read_bytes() == CONTENT
    waits = [event for event in told if event["event"] == "waiting"]
    assert [event["seconds"] for event in waits] == [0.0, QUICK.pause_s * 2]
    assert all("busy" in event["reason"] for event in waits)


def test_a_server_that_asks_for_an_hour_is_not_waited_for(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("status", status=429, retry_after="3600")]
    assert "60 minutes" in refused(hub, target).message


def test_the_time_to_wait_may_be_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    assert retry_after_s("Tue, 14 Nov 2023 22:13:50 GMT") == 30
    assert retry_after_s("17") == 17
    assert retry_after_s("Tue, 14 Nov 2022 22:13:50 GMT") == 0
    assert retry_after_s("soon") is None and retry_after_s("") is None


def test_a_server_that_never_recovers_is_given_up_and_what_came_is_kept(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=1_500_000), *[Fault("status", status=500)] * QUICK.attempts]
    error = refused(hub, target)
    assert "USB stick" in error.hint
    kept = bytes_kept(target)
    assert kept and kept[0] > 1_000_000
    get(hub, target)
    assert hub.starts[-1] == kept[0]


def test_a_file_that_changed_under_its_name_is_refused_before_it_is_read(hub: HubServer, target: Path) -> None:
    hub.files[REPOSITORY][NAME] = CONTENT[::-1]
    assert "no longer the one" in refused(hub, target).message
    assert hub.asked == []


def test_a_size_that_changed_in_the_middle_is_refused(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=1_000_000), Fault("other-size")]
    assert "no longer the one" in refused(hub, target).message


def test_another_file_than_the_part_was_of_starts_anew(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=1_500_000), *[Fault("status", status=500)] * QUICK.attempts]
    refused(hub, target)
    other = CONTENT[::-1]
    hub.files[REPOSITORY][NAME] = other
    told = get(hub, target, wanted=Wanted(len(other), hashlib.sha256(other).hexdigest()))
    assert target.read_bytes() == other
    assert any("another one than before" in event.get("text", "") for event in told)


def test_a_part_that_the_disk_damaged_is_thrown_away(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=1_500_000), *[Fault("status", status=500)] * QUICK.attempts]
    refused(hub, target)
    with part_of(target).open("r+b") as file:
        file.write(b"x" if CONTENT[:1] != b"x" else b"y")
    told = get(hub, target)
    assert target.read_bytes() == CONTENT
    assert any("damaged on the disk" in event.get("text", "") for event in told)


@pytest.mark.parametrize(
    "state", ["", "[]", '{"size": 1}', "nonsense", '{"size":3000000,"sha256":1,"bytes":2,"so_far":3}']
)
def test_a_state_that_says_nothing_starts_anew(hub: HubServer, target: Path, state: str) -> None:
    part_of(target).write_bytes(b"something")
    state_of(target).write_text(state)
    get(hub, target)
    assert target.read_bytes() == CONTENT


def test_bytes_after_the_last_checkpoint_are_not_trusted(hub: HubServer, target: Path) -> None:
    part = PartFile(target, len(CONTENT), SHA256)
    part.resume()
    part.write(CONTENT[:1000])
    part.checkpoint()
    part.close()
    with part_of(target).open("ab") as file:  # as after a power cut
        file.write(bytes(5000))
    get(hub, target)
    assert hub.starts == [1000]
    assert target.read_bytes() == CONTENT


def test_an_interruption_between_write_and_count_does_not_spoil_what_came(
    hub: HubServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = PartFile._write
    with monkeypatch.context() as patched:

        def interrupted(self: PartFile, view: memoryview) -> int:
            written = write(self, view)
            if self.have > 1_000_000:
                raise KeyboardInterrupt
            return written

        patched.setattr(PartFile, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            get(hub, target)
    kept = bytes_kept(target)
    assert kept and kept[0] > 1_000_000
    get(hub, target)
    assert hub.starts[-1] == kept[0]
    assert target.read_bytes() == CONTENT


def test_a_full_disk_keeps_what_came_and_says_how_much_is_missing(
    hub: HubServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = PartFile._write
    with monkeypatch.context() as patched:

        def until_full(self: PartFile, view: memoryview) -> int:
            if self.have > 2_000_000:
                raise OSError(errno.ENOSPC, "full")
            return write(self, view)

        patched.setattr(PartFile, "_write", until_full)
        with pytest.raises(DiskShortError) as caught:
            get(hub, target)
    assert "are kept" in caught.value.message and "GB" in caught.value.hint
    kept = bytes_kept(target)
    assert kept and kept[0] > 2_000_000
    get(hub, target)
    assert hub.starts[-1] == kept[0]
    assert target.read_bytes() == CONTENT


def test_a_disk_without_room_is_refused_before_anything_is_fetched(hub: HubServer, target: Path) -> None:
    with pytest.raises(DiskShortError) as caught:
        get(hub, target, wanted=Wanted(10**15, SHA256))
    assert "1000000" in caught.value.message
    assert hub.asked == []


def test_the_token_goes_to_the_hub_alone(hub: HubServer, target: Path) -> None:
    hub.token = "hf_secret"
    get(hub, target, token="hf_secret")
    assert [(one.host, one.authorization) for one in hub.asked] == [("localhost", None)]


def test_without_the_token_a_gated_file_says_what_to_set(hub: HubServer, target: Path) -> None:
    hub.token = "hf_secret"
    assert "HF_TOKEN" in refused(hub, target).hint


def test_a_second_fetch_waits_for_the_first_and_finds_the_file(hub: HubServer, target: Path) -> None:
    told: list[Any] = []
    with exclusive(target.with_name(f".{target.name}.lock")) as held:
        assert held
        second = threading.Thread(target=lambda: told.extend(get(hub, target)))
        second.start()
        second.join(0.5)
        assert second.is_alive()
        target.write_bytes(CONTENT)
    second.join(20)
    assert not second.is_alive()
    assert hub.asked == []
    assert any("another process" in event.get("reason", "") for event in told)


def test_a_part_that_is_a_link_is_not_written_through(hub: HubServer, target: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    part_of(target).symlink_to(elsewhere)
    with pytest.raises(OSError):
        get(hub, target)
    assert elsewhere.read_text() == "precious"


def test_the_state_holds_no_more_than_it_needs(hub: HubServer, target: Path) -> None:
    hub.faults = [Fault("cut", after=1_500_000), *[Fault("status", status=500)] * QUICK.attempts]
    refused(hub, target)
    assert set(json.loads(state_of(target).read_text())) == {"size", "sha256", "bytes", "so_far"}
    assert "signature" not in state_of(target).read_text()
    assert state_of(target).stat().st_mode & 0o777 == 0o600
