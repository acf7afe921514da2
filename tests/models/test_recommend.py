from collections.abc import Mapping
from dataclasses import replace

import pytest

from medpocket.models.judged import Judged, judge
from medpocket.models.known_shapes import known_shape
from medpocket.models.recommend import READING_RATE, USES, Recommendation, accuracy_of, recommend
from medpocket.models.speed import MachineRates, Rates
from medpocket.registry import Registry, Use, load_registry
from tests.models.simulated import GB, graphics, machine


def rates(bandwidth: float) -> MachineRates:
    """A machine that multiplies so many bytes of weights a second."""
    one = Rates(bandwidth, 50 * bandwidth)
    return MachineRates(8, dict.fromkeys(("Q4_K", "Q5_K", "Q6_K", "F16"), one), one)


def judged_on(free: int, bandwidth: float = 50e9) -> tuple[Registry, list[Judged]]:
    registry = load_registry()
    specs = [spec for spec in registry.models.values() if not spec.demonstration]
    return registry, [judge(spec, known_shape(spec), machine(free), (), rates(bandwidth)) for spec in specs]


def answers(free: int, bandwidth: float = 50e9) -> Mapping[Use, Recommendation]:
    registry, judged = judged_on(free, bandwidth)
    return {use: recommend(use, judged, registry, free) for use in USES}


def picks(free: int, bandwidth: float = 50e9) -> dict[Use, str | None]:
    return {use: one.pick.spec.id if one.pick else None for use, one in answers(free, bandwidth).items()}


def test_a_large_machine_gets_the_reports_own_table() -> None:
    assert picks(128 * GB, 500e9) == {
        "chatbot": "qcammel-13b-q4",
        "diagnosis": "openbiollm-70b-q4",
        "edge": "biomistral-7b-q4",
        "research": "clinicalcamel-70b-q4",
    }


def test_a_laptop_gets_the_8b_model_where_the_report_has_one_of_70b() -> None:
    laptop = picks(12 * GB)
    assert laptop["diagnosis"] == laptop["research"] == "openbiollm-8b-q4"
    assert laptop["edge"] == "biomistral-7b-q4"


def test_a_chatbot_that_is_slower_than_people_read_is_not_taken() -> None:
    slow = answers(16 * GB, 8e9)["chatbot"]
    assert slow.pick and slow.pick.spec.id == "biomistral-7b-q4"
    assert "slower than people read" in slow.reason
    assert f"{READING_RATE:.1f}" in slow.reason


def test_a_small_machine_is_told_that_nothing_fits_with_the_numbers() -> None:
    for one in answers(2 * GB).values():
        assert one.pick is None
        assert "nothing fits into 2.0 GB" in one.reason and "smallest needs" in one.reason


@pytest.mark.parametrize("free", [3 * GB, 6 * GB, 12 * GB, 24 * GB, 64 * GB])
def test_what_is_picked_fits_and_runs_here(free: int) -> None:
    for use, one in answers(free).items():
        assert one.use == use and one.reason
        if one.pick:
            assert one.pick.fits and one.pick.spec.runs_here and not one.pick.spec.demonstration
            assert one.pick.memory_bytes and one.pick.memory_bytes <= free


def test_an_awq_file_is_stood_in_for() -> None:
    chatbot = answers(128 * GB, 500e9)["chatbot"]
    assert chatbot.report_pick and chatbot.report_pick.id == "qcammel-13-awq"
    assert "stands in for the report's pick" in chatbot.reason


def test_every_reason_is_one_sentence() -> None:
    for free in (2, 6, 12, 64):
        for one in answers(free * GB).values():
            assert "\n" not in one.reason and not one.reason.endswith(".") and ". " not in one.reason


def test_accuracy_is_the_published_average_or_the_mean_of_the_scores() -> None:
    _, judged = judged_on(64 * GB)
    by_id = {one.spec.id: one for one in judged}
    assert accuracy_of(by_id["openbiollm-8b-q4"]) == 72.5
    mean = accuracy_of(by_id["clinicalcamel-70b-q4"])
    assert mean is not None and round(mean, 2) == 64.27
    assert accuracy_of(by_id["qcammel-13b-q4"]) is None


def test_published_accuracy_has_a_source() -> None:
    scored = [spec.accuracy for spec in load_registry().models.values() if spec.accuracy]
    assert scored and all(one.source for one in scored)


def test_a_model_without_a_known_shape_is_judged_by_the_registrys_estimate() -> None:
    spec = replace(load_registry().models["biomistral-7b-q4"], architecture="Unheard-of")
    judged = judge(spec, known_shape(spec), machine(6 * GB), (), rates(50e9))
    assert judged.fits and judged.estimated and judged.fit is None and judged.speed is None
    assert judged.memory_bytes == 4_790_000_000


def test_no_speed_is_claimed_for_layers_on_a_graphics_processor() -> None:
    spec = load_registry().models["biomistral-7b-q4"]
    judged = judge(spec, known_shape(spec), machine(16 * GB), [graphics(24 * GB)], rates(50e9))
    assert judged.fit and judged.fit.gpu_layers == 33
    assert judged.speed is None
