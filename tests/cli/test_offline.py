"""The whole command, watched by the kernel."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("command", [("ask", "-m", "demo", "-o", "max_tokens", "8", "What is asthma?"), ("doctor",)])
def test_no_inet_socket_is_ever_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    trace = tmp_path / "trace"
    result = subprocess.run(
        ["strace", "-f", "-e", "trace=network", "-o", str(trace), sys.executable, "-m", "medpocket", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    calls = trace.read_text()
    assert "exited with 0" in calls
    assert "AF_INET" not in calls
    assert "PF_INET" not in calls
