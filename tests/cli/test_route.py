"""`medpocket route` as a process of its own."""

import json
from pathlib import Path

import pytest

from tests.cli.test_start import modules_after
from tests.conftest import Medpocket, check_error

KNOWN = {"text": "new atrial fibrillation, anticoagulate?", "accept": ["cardiology"], "set": "mine"}
PLAIN = {"text": "play some jazz", "accept": ["general"], "set": "other"}


def write(path: Path, *rows: object) -> str:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(path)


def test_one_line_names_expert_score_and_terms(medpocket: Medpocket) -> None:
    result = medpocket("route", "62M s/p CABG with new AF")
    assert result.returncode == 0
    assert result.stderr == b""
    line = result.stdout.decode()
    assert line.startswith("cardiology 0.") or line.startswith("cardiology 1.")
    assert "cabg" in line
    assert line.count("\n") == 1


def test_explain_shows_weights_and_runners_up(medpocket: Medpocket) -> None:
    shown = medpocket("route", "--explain", "chest pain with cough and fever").stdout.decode()
    assert "TERM" in shown
    assert "chest pain" in shown
    assert "RUNNER-UP" in shown


def test_json_is_one_envelope(medpocket: Medpocket) -> None:
    envelope = json.loads(medpocket("route", "--json", "itchy rash").stdout)
    assert (envelope["ok"], envelope["command"], envelope["data"]["expert"]) == (True, "route", "dermatology")
    assert set(envelope["data"]["evidence"][0]) == {"term", "weight"}
    assert sum(envelope["data"]["scores"].values()) == pytest.approx(1, abs=0.01)


def test_text_can_be_piped_in(medpocket: Medpocket) -> None:
    piped = medpocket("route", stdin=b"62M s/p CABG with new AF")
    assert piped.stdout == medpocket("route", "62M s/p CABG with new AF").stdout


def test_batch_answers_row_by_row_in_order(medpocket: Medpocket, tmp_path: Path) -> None:
    name = write(tmp_path / "rows.jsonl", KNOWN, PLAIN, {"text": "😀"})
    result = medpocket("route", "--batch", name)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.returncode, [row["expert"] for row in rows]) == (0, ["cardiology", "general", "general"])
    assert all({"expert", "score", "scores", "evidence"} <= set(row) for row in rows)


def test_batch_reads_stdin(medpocket: Medpocket) -> None:
    result = medpocket("route", "--batch", "-", stdin=json.dumps(KNOWN).encode())
    assert json.loads(result.stdout)["expert"] == "cardiology"


def test_a_bad_row_is_named_by_line_and_the_rest_goes_on(medpocket: Medpocket, tmp_path: Path) -> None:
    name = write(tmp_path / "rows.jsonl", KNOWN, "{not json", {"question": "x"}, {"text": 5}, "[1]", PLAIN)
    result = medpocket("route", "--batch", name)
    assert result.returncode == 1
    assert [json.loads(line)["expert"] for line in result.stdout.splitlines()] == ["cardiology", "general"]
    errors = result.stderr.decode()
    assert all(f"line {number} is left out" in errors for number in (2, 3, 4, 5))
    assert "not json" not in errors


def test_evaluate_prints_the_figures_and_draws(medpocket: Medpocket, tmp_path: Path) -> None:
    name = write(tmp_path / "rows.jsonl", KNOWN, PLAIN)
    result = medpocket("route", "--evaluate", name, "--plot", str(tmp_path / "plot.svg"))
    assert result.returncode == 0, result.stderr
    shown = result.stdout.decode()
    for part in ("ACCURACY", "mine", "other", "cardiology", "precision", "calibration", "p95"):
        assert part in shown
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")


def test_evaluate_as_json(medpocket: Medpocket, tmp_path: Path) -> None:
    name = write(tmp_path / "rows.jsonl", KNOWN, PLAIN)
    data = json.loads(medpocket("route", "--json", "--evaluate", name).stdout)["data"]
    assert data["accuracy"] == 1.0
    assert data["sets"]["mine"]["recall"]["cardiology"] == {"rows": 1, "recall": 1.0}


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_is_refused(medpocket: Medpocket, text: str) -> None:
    check_error(medpocket("route", text), 2, "the question is empty", "medpocket route")


def test_an_emoji_and_another_language_abstain_and_say_so(medpocket: Medpocket) -> None:
    assert "there are no words" in medpocket("route", "😀").stdout.decode()
    assert "not in English" in medpocket("route", "tengo dolor de cabeza desde ayer").stdout.decode()


def test_control_characters_never_reach_the_terminal(medpocket: Medpocket) -> None:
    result = medpocket("route", "--explain", "chest\x1b[31m pain\x07 and stroke")
    assert result.returncode == 0
    assert b"\x1b" not in result.stdout + result.stderr
    assert "taken out" in result.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [("--batch", "no.jsonl"), ("--evaluate", "no.jsonl"), ("--plot", "x.svg", "hello"), ("hello", "--batch", "x")],
)
def test_wrong_usage_is_two_lines(medpocket: Medpocket, arguments: tuple[str, ...]) -> None:
    check_error(medpocket("route", *arguments), 2)


def test_a_row_without_a_known_expert_is_refused_by_line(medpocket: Medpocket, tmp_path: Path) -> None:
    name = write(tmp_path / "rows.jsonl", KNOWN, {"text": "x", "accept": ["surgery"]})
    check_error(medpocket("route", "--evaluate", name), 2, "line 2 of rows.jsonl")


def test_a_plot_that_is_no_svg_is_refused(medpocket: Medpocket, tmp_path: Path) -> None:
    name = write(tmp_path / "rows.jsonl", KNOWN)
    check_error(medpocket("route", "--evaluate", name, "--plot", "x.png"), 2, "SVG")


def test_route_loads_no_model_runtime() -> None:
    modules = modules_after("route", "chest pain")
    assert "numpy" in modules
    heavy = {"llama_cpp", "torch", "textual", "rich", "huggingface_hub", "jinja2", "medpocket.engine", "asyncio"}
    assert not modules & heavy
