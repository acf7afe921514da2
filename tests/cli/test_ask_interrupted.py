"""Ctrl-C and kill -9 at random moments."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medpocket.models import cache_file

ASK = [sys.executable, "-m", "medpocket", "ask", "-m", "demo", "-o", "threads", "1", "What are the symptoms of asthma?"]


def interpreter_start_s() -> float:
    """How long Python itself takes to start on this machine now; a Ctrl-C before that is Python's to handle."""
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - started


def start(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ASK,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,
    )


@pytest.mark.prove
def test_ctrl_c_at_any_moment_ends_with_130_or_the_whole_answer_and_no_traceback(tmp_path: Path) -> None:
    chance = random.Random(2)
    codes = []
    for _ in range(60):
        process = start(tmp_path)
        time.sleep(3 * interpreter_start_s() + chance.uniform(0, 1.2))
        process.send_signal(signal.SIGINT)
        answer, errors = process.communicate(timeout=30)
        codes.append(process.returncode)
        assert b"Traceback" not in errors, errors
        assert process.returncode in (0, 130), (process.returncode, errors)
        assert process.returncode == 130 or answer.endswith(b"\n")
    assert 130 in codes


@pytest.mark.prove
def test_kill_at_any_moment_leaves_nothing_half_written(tmp_path: Path, home: Path) -> None:
    chance = random.Random(3)
    for _ in range(40):
        process = start(tmp_path)
        time.sleep(chance.uniform(0, 1))
        process.kill()
        process.communicate(timeout=30)
    left = [path.relative_to(home) for path in home.rglob("*") if path.is_file()] if home.exists() else []
    assert all(path.parts[0] in ("log", "cache") or path.parts[:2] == ("data", "history") for path in left), left
    assert isinstance(cache_file.read("file-hashes.json"), dict | None)
    process = start(tmp_path)
    answer, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert answer
