import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medpocket import paths

DEMO = paths.assets_folder() / "demo.gguf"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail when any test is skipped")


def pytest_configure() -> None:
    """Give each worker of `-n` a core of its own: llama.cpp's threads spin while they wait for each other."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may be skipped here: {report.longrepr}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test; nothing of the developer's is read or written."""
    folder = tmp_path / "medpocket-home"
    monkeypatch.setenv("MEDPOCKET_HOME", str(folder))
    monkeypatch.setenv("MEDPOCKET_MACHINE_CONFIG", str(tmp_path / "machine"))
    monkeypatch.setenv("MEDPOCKET_MACHINE_MODELS", str(tmp_path / "machine-models"))
    return folder


@pytest.fixture
def shared() -> Path:
    """Files that are no part of the project (docs in CONTRIBUTING.md)."""
    folder = os.environ.get("MEDPOCKET_SHARED")
    if not folder:
        pytest.skip("MEDPOCKET_SHARED is not set")
    return Path(folder)


class Medpocket:
    """The command as a user runs it: a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        *arguments: str | bytes,
        stdin: bytes | None = None,
        env: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "medpocket", *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            cwd=self.folder,
            env=os.environ | (env or {}),
            timeout=timeout,
            check=False,
        )


@pytest.fixture
def medpocket(tmp_path: Path) -> Medpocket:
    return Medpocket(tmp_path)


def check_error(result: "subprocess.CompletedProcess[bytes]", code: int, *words: str) -> None:
    """Assert an error as users know it: nothing on stdout, two lines on stderr with `words`, no traceback."""
    lines = result.stderr.decode().splitlines()
    assert result.returncode == code, lines
    assert result.stdout == b""
    assert len(lines) == 2, lines
    assert lines[0].startswith("medpocket: ")
    assert "Traceback" not in result.stderr.decode()
    for word in words:
        assert word in " ".join(lines), (word, lines)
