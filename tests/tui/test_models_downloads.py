"""Downloads from the Models screen, by the one process that may reach the network, from a hub on the loopback."""

import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from medpocket.models.installed import find_installed
from medpocket.models.part_file import bytes_kept
from tests.models.gguf_seeds import write_seed
from tests.models.hub_server import HubServer
from tests.tui.models_app import (
    add_rows,
    confirm,
    go_to,
    going_on,
    has_told,
    models_app,
    open_models,
    said,
    state,
    told,
)
from tests.tui.scripted_app import ask, texts, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_seed(tmp_path / "seed-of-hub.gguf").read_bytes()


@pytest.fixture
def hub(content: bytes, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    add_rows(home)
    names = ("tiny-model", "other-model")
    with HubServer({f"nobody/{name}-GGUF": {f"{name}.gguf": content} for name in names}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


async def test_a_download_is_stopped_and_gone_on_with_and_the_model_is_there(hub: HubServer, content: bytes) -> None:
    hub.rate = 100_000
    app, _ = models_app("answer")
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        await pilot.press("d")
        text = await confirm(pilot, "y")
        assert all(words in text for words in ("tiny-model.gguf, 0.6 MB", "licence: MIT", "Mind what it says.", "free"))
        await until(pilot, lambda: "MB/s" in going_on(pilot) and "left" in going_on(pilot))
        assert state(pilot, "tiny") == "fetching"
        await pilot.press("x")
        assert "Stop it first" in said(pilot)
        await pilot.press("d")
        await until(pilot, lambda: "wait for it, or stop it" in said(pilot))
        await pilot.press("s")
        await has_told(pilot, "What came is kept")
        await until(pilot, lambda: state(pilot, "tiny").startswith("unfinished, "))
        assert going_on(pilot) == ""
        installed = find_installed("tiny")
        assert installed is None
        hub.rate = None
        await pilot.press("d")  # what was accepted is not asked again
        await has_told(pilot, "Tiny is installed and verified")
        assert hub.starts[-1] > 0
        await until(pilot, lambda: state(pilot, "tiny") == "installed")
        found = find_installed("tiny")
        assert found and found.path.read_bytes() == content
        await pilot.press("d")
        await until(pilot, lambda: "is installed, as the hub has it" in said(pilot))


async def test_two_downloads_go_on_at_once_behind_the_conversation(hub: HubServer) -> None:
    hub.rate = 20_000
    app, _ = models_app("answer")
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        for name in ("tiny", "other"):
            await go_to(pilot, name)
            await pilot.press("d")
            await confirm(pilot, "y")
        await until(pilot, lambda: "fetching tiny" in going_on(pilot) and "fetching other" in going_on(pilot))
        await go_to(pilot, "demo")
        await pilot.press("s")
        assert "Go to one of them first: tiny, other" in said(pilot)
        hub.rate = None
        await pilot.press("escape")
        await ask(pilot, "Question.")
        assert texts(app) == ["answer"]
        await has_told(pilot, "Tiny is installed")
        await has_told(pilot, "Other is installed")
    assert find_installed("tiny") and find_installed("other")


async def test_what_came_is_kept_when_the_app_ends(hub: HubServer, home: Path) -> None:
    hub.rate = 100_000
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        await pilot.press("d")
        await confirm(pilot, "y")
        await until(pilot, lambda: "MB/s" in going_on(pilot))
    kept = bytes_kept(home / "data" / "models" / "tiny" / "tiny-model.gguf")
    assert kept and kept[0] > 0
    assert app.transfers.running() == []


async def test_an_unfinished_download_is_removed(hub: HubServer, home: Path) -> None:
    hub.rate = 100_000
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        await pilot.press("d")
        await confirm(pilot, "y")
        await until(pilot, lambda: "MB/s" in going_on(pilot))
        await pilot.press("s")
        await until(pilot, lambda: state(pilot, "tiny").startswith("unfinished"))
        await pilot.press("x")
        assert "of 0.6 MB have come" in await confirm(pilot, "y")
        await until(pilot, lambda: state(pilot, "tiny") == "not installed")
        assert not (home / "data" / "models" / "tiny").exists()


async def test_a_disk_without_room_is_told_before_anything_is_fetched(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9 - 1000, 1000))
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        await pilot.press("d")
        await until(pilot, lambda: "needs 67.7 MB more" in said(pilot))
        assert hub.asked == []
        assert going_on(pilot) == ""


async def test_without_a_network_it_says_so_and_that_a_stick_will_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_rows(home)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        await pilot.press("d")
        assert "Asking the hub about Tiny" in said(pilot)
        await until(pilot, lambda: "cannot be reached" in said(pilot), seconds=60)
        assert "USB stick" in said(pilot)


async def test_what_is_forbidden_or_cannot_run_is_not_asked_for(hub: HubServer, tmp_path: Path) -> None:
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "qcammel-13-awq")
        await pilot.press("d")
        await until(pilot, lambda: "does not run here" in said(pilot) and "vLLM" in said(pilot))
        (tmp_path / "machine").mkdir()
        (tmp_path / "machine" / "config.toml").write_text("allow_pull = false\n")
        await go_to(pilot, "tiny")
        await pilot.press("d")
        await until(pilot, lambda: "downloads are forbidden" in said(pilot))
        assert hub.asked == []


async def test_a_file_that_is_not_what_the_hub_promised_is_told(hub: HubServer, content: bytes) -> None:
    hub.files["nobody/tiny-model-GGUF"]["tiny-model.gguf"] = b"<!DOCTYPE html>" + content
    app, _ = models_app()
    async with app.run_test() as pilot:
        await open_models(pilot, "tiny")
        await pilot.press("d")
        await confirm(pilot, "y")
        await has_told(pilot, "it cannot be used")
        assert "a web page" in told(pilot)
        await until(pilot, lambda: state(pilot, "tiny") == "not installed")
