import stat
from pathlib import Path

import pytest

from medpocket import paths
from medpocket.engine import load_engine
from medpocket.engine.logs import LlamaLog, start_log
from tests.conftest import DEMO


def test_loading_a_model_writes_nothing_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    load_engine(DEMO, context=256, threads=1).close()
    assert capfd.readouterr() == ("", "")


def test_the_last_errors_are_remembered_and_begin_anew_with_a_load() -> None:
    log = start_log("warning")
    log._receive(4, b"tensor is ", None)
    log._receive(5, b"missing\n", None)
    log._receive(2, b"only information\n", None)
    assert log.errors == ["tensor is missing"]
    assert start_log("warning") is log
    assert log.errors == []


def test_only_so_many_errors_are_remembered() -> None:
    log = LlamaLog()
    for number in range(100):
        log._receive(4, f"error {number}\n".encode(), None)
    assert log.errors[-1] == "error 99"
    assert len(log.errors) == 20


def test_bytes_that_are_not_utf_8_do_no_harm() -> None:
    log = start_log("warning")
    log._receive(4, b"\xff\xfe\n", None)
    assert log.errors == ["\ufffd\ufffd"]


def test_two_engines_can_come_and_go(home: Path) -> None:
    first, second = (load_engine(DEMO, context=256, threads=1) for _ in range(2))
    first.close()
    del first
    third = load_engine(DEMO, context=256, threads=1, log_level="info")
    second.close()
    third.close()
    log = paths.log_folder() / "llama.cpp.log"
    if log.exists():  # the handler opens the file of the home in which the first engine of this process was loaded
        assert stat.S_IMODE(log.stat().st_mode) == 0o600
