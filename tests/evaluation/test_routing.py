import math
from pathlib import Path

import numpy as np
import pytest

from medpocket.errors import InputError
from medpocket.evaluation.confusion_plot import confusion_svg
from medpocket.evaluation.experts_matrix import NONE, ORACLE, ROUTED, Matrix
from medpocket.evaluation.routing import Judged, Verdict, read_labelled

EXPERTS = ("cardiology", "neurology", "general")


def judged(accept: str, expert: str, score: float = 1.0, name: str = "s", seconds: float = 0.001) -> Judged:
    return Judged(tuple(accept.split(",")), name, expert, score, seconds)


VERDICT = Verdict(
    [
        judged("cardiology,neurology", "neurology"),
        judged("cardiology", "general", name="t"),
        judged("neurology", "neurology"),
        judged("general", "general"),
        judged("general", "cardiology", name="t"),
    ]
)


def test_any_accepted_expert_is_right() -> None:
    assert VERDICT.accuracy == pytest.approx(3 / 5)
    assert {name: own.accuracy for name, own in VERDICT.sets.items()} == {"s": 1.0, "t": 0.0}
    assert {name: own.accuracy for name, own in VERDICT.experts.items()} == {
        "cardiology": 0.0,
        "general": 0.5,
        "neurology": 1.0,
    }
    assert VERDICT.macro_recall == pytest.approx(0.5)


def test_abstaining_is_measured_both_ways() -> None:
    assert VERDICT.abstain_precision == 0.5
    assert VERDICT.abstain_recall == 0.5
    assert VERDICT.wrongly_abstained == pytest.approx(1 / 3)
    assert math.isnan(Verdict([judged("cardiology", "cardiology")]).abstain_recall)


def test_calibration_error_is_the_gap_between_score_and_accuracy() -> None:
    rows = [judged("cardiology", "cardiology", 0.75)] * 3 + [judged("cardiology", "neurology", 0.75)]
    assert Verdict(rows).calibration_error == pytest.approx(0)
    assert Verdict([judged("cardiology", "neurology", 0.9)]).calibration_error == pytest.approx(0.9)


def test_latency_percentiles() -> None:
    rows = [judged("cardiology", "cardiology", seconds=number / 1000) for number in range(1, 101)]
    assert Verdict(rows).latency(95) == pytest.approx(0.095)


def test_confusions_count_by_truth_and_choice_and_are_drawn() -> None:
    assert VERDICT.confusion["cardiology", "general"] == 1
    drawn = confusion_svg(VERDICT.confusion, EXPERTS)
    assert drawn.startswith("<svg")
    assert "cardiology (1)" in drawn
    import xml.etree.ElementTree as ET

    ET.fromstring(drawn)


@pytest.mark.parametrize(
    "line", ["{", '{"text": "x"}', '{"text": "x", "accept": ["none"]}', '{"text": 1, "accept": ["general"]}']
)
def test_a_bad_row_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "x", "accept": ["general"]}\n' + line + "\n")
    with pytest.raises(InputError, match="line 2"):
        read_labelled(path, EXPERTS)


def test_the_routers_column_takes_each_answer_from_the_column_it_chose() -> None:
    matrix = Matrix(
        specialties=("cardiology", "neurology"),
        columns=(NONE, "cardiology", "neurology"),
        nats=np.array([[9.0, 1.0, 5.0], [9.0, 5.0, 1.0], [9.0, 5.0, 1.0]]),
        tokens=np.array([1.0, 1.0, 1.0]),
        specialty=np.array([0, 1, 1]),
        routed=np.array([1, 2, 0]),
    )
    assert matrix.stream(ROUTED).tolist() == [1.0, 1.0, 9.0]
    assert matrix.stream(ORACLE).tolist() == [1.0, 1.0, 1.0]
    assert matrix.routed_right == pytest.approx(2 / 3)
