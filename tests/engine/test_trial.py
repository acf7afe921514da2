import subprocess
import sys
from pathlib import Path

import pytest

from medpocket.engine import load_engine, trial
from medpocket.errors import ModelFileError
from medpocket.models import gguf_architectures
from tests.conftest import DEMO


def test_a_model_that_runs_passes_its_trial() -> None:
    trial.try_model(DEMO)
    run = subprocess.run([sys.executable, "-m", "medpocket.engine.trial", str(DEMO)], timeout=60, check=False)
    assert run.returncode == 0


def test_a_file_that_is_refused_is_left_to_be_refused_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "empty.gguf"
    path.touch()
    trial.try_model(path)
    with pytest.raises(ModelFileError, match="empty"):
        load_engine(path)


@pytest.mark.parametrize("code", [-6, -11, 0xC0000005])
def test_a_crash_becomes_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, code))
    with pytest.raises(ModelFileError, match=f"crashes on demo.gguf \\({code}\\)"):
        trial.try_model(DEMO)


def test_only_uncommon_architectures_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []
    monkeypatch.setattr(trial, "try_model", tried.append)
    load_engine(DEMO, context=256, threads=1).close()
    assert tried == []
    monkeypatch.setattr(gguf_architectures, "FAMILIES", {})
    load_engine(DEMO, context=256, threads=1).close()
    assert tried == [DEMO]
