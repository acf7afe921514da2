import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import InputError

torch = pytest.importorskip("torch", reason="needs torch (the extra `train`)")
pytest.importorskip("transformers", reason="needs transformers (the extra `train`)")

from medpocket.forge.training import CHECKPOINT, Bounds  # noqa: E402
from tests.forge.tiny_run import PLAN, tiny_trainer  # noqa: E402

pytestmark = pytest.mark.prove
STEPS = 60
ROOT = Path(__file__).parents[2]


def start(work: Path) -> "subprocess.Popen[str]":
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
    command = [sys.executable, "-m", "tests.forge.tiny_run", str(work), str(STEPS)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def stop_at(process: "subprocess.Popen[str]", words: str, number: int) -> str:
    """Send signal `number` when the process reports `words`; return what it said afterwards."""
    assert process.stderr
    for line in process.stderr:
        if words in line:
            process.send_signal(number)
            break
    rest = process.stderr.read()
    process.stderr.close()
    process.wait()
    return rest


def weights(work: Path) -> dict[str, Any]:
    state = torch.load(work / CHECKPOINT, weights_only=True)
    assert state["step"] == STEPS
    return dict(state["model"])


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_killed_and_resumed_run_gives_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    stop_at(start(unbroken), "never said", signal.SIGKILL)
    for step in (10, 30):
        process = start(broken)
        stop_at(process, f"step {step}/", signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    rest = stop_at(start(broken), "going on from step", 0)
    assert f"step {STEPS}/{STEPS}" in rest
    assert same(weights(unbroken), weights(broken))


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start(tmp_path)
    rest = stop_at(process, "step 20/", signal.SIGINT)
    assert process.returncode == 130
    assert "the same command goes on from here" in rest
    assert torch.load(tmp_path / CHECKPOINT, weights_only=True)["step"] >= 20


def test_training_learns(tmp_path: Path) -> None:
    lines: list[str] = []
    assert tiny_trainer(tmp_path, lines=lines).run(Bounds(steps=STEPS))
    losses = [float(line.split("loss ")[1].split()[0]) for line in lines if "loss" in line]
    assert losses[0] > 2.0  # ln 64 = 4.2 before the first step; reported from the tenth on
    assert losses[-1] < 1.0


def test_minutes_become_steps_once_and_for_all(tmp_path: Path) -> None:
    lines: list[str] = []
    trainer = tiny_trainer(tmp_path, lines=lines)
    assert trainer.run(Bounds(minutes=0.02))
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert state["steps"] == state["step"] == trainer.steps
    again = tiny_trainer(tmp_path, lines=lines)
    assert again.run(Bounds(minutes=10.0))
    assert again.step == state["step"]


def test_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    lines: list[str] = []
    tiny_trainer(tmp_path, lines=lines).run(Bounds(steps=3))
    for plan, steps in ((replace(PLAN, seed=8), 3), (replace(PLAN, data="other"), 3), (PLAN, 4)):
        with pytest.raises(InputError, match="other settings"):
            tiny_trainer(tmp_path, plan, lines).run(Bounds(steps=steps))


def test_a_crash_while_saving_leaves_the_checkpoint_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    trainer = tiny_trainer(tmp_path, lines=lines)
    trainer.run(Bounds(steps=3))
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(_state: Any, file: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        trainer.save()
    assert (tmp_path / CHECKPOINT).read_bytes() == before
