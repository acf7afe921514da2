from functools import partial
from pathlib import Path

import pytest

from medpocket.forge import demo


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["demo", *arguments])
    return demo.main()


def test_steps_and_minutes_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        demo.parse(["--data", "d", "--out", "o", "--steps", "5", "--minutes", "1"])
    assert stopped.value.code == 2


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_a_length_that_is_none_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        demo.parse(["--data", "d", "--out", "o", "--steps", value])
    assert stopped.value.code == 2


def test_missing_data_is_two_lines_that_name_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="needs torch (the extra `train`)")
    code = run(monkeypatch, "--data", str(tmp_path), "--out", str(tmp_path / "x.gguf"), "--work", str(tmp_path / "w"))
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert code == 2
    assert "medquad.jsonl.gz is missing" in error
    assert "docs/demo-model.md" in hint


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentencepiece", None)
    assert run(monkeypatch, "--data", "nowhere", "--out", "x.gguf") == 2
    assert "training needs sentencepiece" in capsys.readouterr().err


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_one_command_makes_a_file_that_llama_cpp_runs(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="needs torch (the extra `train`)")
    import numpy as np

    from medpocket.forge.architecture import new_model
    from medpocket.forge.tokenizer import train_tokenizer
    from tests.forge.llama_logits import logits_of

    monkeypatch.setattr(demo, "new_model", lambda size, seed: new_model(size, seed, 2, 128, 160))
    monkeypatch.setattr(demo, "train_tokenizer", lambda texts: train_tokenizer(texts, pieces=400))
    monkeypatch.setattr(demo, "Trainer", partial(demo.Trainer, compiled=False))
    out = tmp_path / "made" / "tiny.gguf"
    options = ("--data", str(data), "--out", str(out), "--work", str(tmp_path / "work"))
    assert run(monkeypatch, *options, "--steps", "4") == 0
    said = capsys.readouterr().err
    assert "held-out loss" in said
    assert f"wrote {out}" in said
    assert np.isfinite(logits_of(out, [1, 3, 300, 4])).all()
    out.unlink()
    assert run(monkeypatch, *options, "--steps", "4") == 0, "a finished run only writes its file again"
    again = capsys.readouterr().err
    assert again.count("going on from step") == len(demo.STAGES)
    assert "tokens/s" not in again
    assert out.exists()


def test_stages_share_what_was_asked_for() -> None:
    options = ["--data", "d", "--out", "o"]
    bounds = [demo._bounds(demo.parse([*options, "--minutes", "26"]), stage) for stage in demo.STAGES]
    assert sum(bound.minutes or 0 for bound in bounds) == pytest.approx(26)
    bounds = [demo._bounds(demo.parse(options), stage) for stage in demo.STAGES]
    assert [bound.steps for bound in bounds] == [stage.steps for stage in demo.STAGES]
