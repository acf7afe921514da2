import json
from pathlib import Path

import pytest

from medpocket.cli.app import run
from tests.conftest import Medpocket
from tests.evaluation.bench.test_tools import HEEDING, program

QUICK = ("--rounds", "1", "--prompt-tokens", "24", "--answer-tokens", "4", "--threads", "1")


def test_a_model_is_measured_beside_llama_bench_and_kept_for_the_report(
    medpocket: Medpocket, home: Path, tmp_path: Path
) -> None:
    program(tmp_path, "llama-bench", HEEDING)
    result = medpocket("bench", "demo", *QUICK, "--tools", str(tmp_path), "--json", timeout=110)
    assert result.returncode == 0, result.stderr
    data = json.loads(result.stdout)["data"]
    (model,) = data["models"]
    figures = {figure["name"]: figure for figure in model["figures"]}
    assert figures["prefill_tokens_s"]["tool"] == "llama-bench"
    assert figures["prefill_tokens_s"]["ratio"]["median"] > 0
    assert figures["switch_evaluated"]["medpocket"]["median"] < figures["cold_evaluated"]["medpocket"]["median"] / 2
    assert model["adapted"]
    assert {"router_p50_ms", "start_wall_ms"} <= {figure["name"] for figure in data["program"]}
    (line,) = (home / "data" / "evaluation" / "bench.jsonl").read_text().splitlines()
    assert json.loads(line)["model"]["quantization"] == "Q8_0"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["dmo"], 2, "no model 'dmo'"),
        (["demo", "--tools", "."], 1, "no llama-bench"),
        (["--out", "x.gguf"], 2, "--shape"),
        (["demo", "--rounds", "0"], 2, "--rounds"),
        (["demo", *QUICK, "--prompt-tokens", "5000"], 1, "--prompt-tokens 1020"),
    ],
)
def test_what_cannot_be_measured_is_said(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["bench", *arguments]) == code
    written = capfd.readouterr()
    assert written.out == ""
    assert said in " ".join(written.err.splitlines()[-2:])
