"""`medpocket eval experts` as a process of its own, on a few answers."""

import json
import math
from pathlib import Path

import pytest

from medpocket.engine import load_engine
from medpocket.engine.protocol import Scaled
from medpocket.evaluation.perplexity import answer_losses
from medpocket.experts.library import Library
from tests.conftest import DEMO, Medpocket, check_error

HEART = ("Tell me more about atrial fibrillation.", "The heart beats without a rhythm, and blood clots may form.")
SKIN = ("Tell me more about psoriasis.", "Red, scaly patches appear on the elbows, the knees and the scalp.")
UNCLEAR = ("Tell me more.", "It runs in families, and nobody knows its cause.")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, held in {"cardiology": [HEART, UNCLEAR], "dermatology": [SKIN]}.items():
        learnt = {"question": "What is learnt from?", "answer": "This.", "held_out": False}
        lines = [learnt, *({"question": question, "answer": answer, "held_out": True} for question, answer in held)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def losses(expert: str | None, *held: tuple[str, str]) -> tuple[float, int]:
    """Nats and tokens of the answers, by the engine itself."""
    engine = load_engine(DEMO, context=1024)
    try:
        entry = Library().find(expert, engine.model.fingerprint) if expert else None
        column = (Scaled(entry.load().file),) if entry else ()
        found = [loss for (loss,) in answer_losses(engine, list(held), [column])]
    finally:
        engine.close()
    return sum(loss.nats for loss in found), sum(loss.tokens for loss in found)


def test_the_matrix_and_the_stream_are_those_of_the_single_answers(medpocket: Medpocket, rows: Path) -> None:
    result = medpocket("eval", "experts", "-m", "demo", "--data", str(rows), "--json")
    assert result.returncode == 0, result.stderr
    data = json.loads(result.stdout)["data"]
    assert list(data["specialties"]) == ["cardiology", "dermatology"]
    heart = data["specialties"]["cardiology"]
    base, tokens = losses(None, HEART, UNCLEAR)
    assert heart["answer_tokens"] == tokens
    assert heart["base_perplexity"] == pytest.approx(math.exp(base / tokens), rel=1e-3)
    own, _ = losses("cardiology", HEART, UNCLEAR)
    assert heart["ratios"]["cardiology"] == pytest.approx(math.exp((own - base) / tokens), rel=1e-3)

    # Of the three questions the router knows two; "Tell me more." is read by the base alone.
    assert data["routed_right"] == pytest.approx(2 / 3)
    routed = losses("cardiology", HEART)[0] + losses("dermatology", SKIN)[0] + losses(None, UNCLEAR)[0]
    none, count = losses(None, HEART, SKIN, UNCLEAR)
    over_none = data["stream"]["the router's expert over none"]
    assert over_none["ratio"] == pytest.approx(math.exp((routed - none) / count), rel=1e-3)
    assert over_none["low"] <= over_none["ratio"] <= over_none["high"]


def test_a_folder_without_held_out_rows_is_two_lines(medpocket: Medpocket, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_error(medpocket("eval", "experts", "-m", "demo", "--data", "empty"), 2, "no held-out rows")
    check_error(medpocket("eval", "experts", "-m", "demo", "--data", "nowhere"), 2, "there is no folder")
