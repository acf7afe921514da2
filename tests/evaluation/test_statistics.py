import math

import pytest

from medpocket.evaluation.statistics import calibration_error, mcnemar, mean_share, shares, wilson


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_as_published(right: int, total: int, low: float, high: float) -> None:
    share = wilson(right, total)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert share.value == right / total


def test_a_share_of_nothing_is_unknown() -> None:
    assert math.isnan(wilson(0, 0).value)


def pairs(only_first: int, only_second: int, both: int = 0) -> list[tuple[bool, bool]]:
    return [(True, False)] * only_first + [(False, True)] * only_second + [(True, True)] * both


def test_mcnemar_is_the_exact_binomial_test() -> None:
    found = mcnemar(pairs(1, 9, 90))
    assert found.p == pytest.approx(2 * (1 + 10) / 2**10)
    assert found.difference == pytest.approx(0.08)
    assert not found.is_noise
    assert mcnemar(pairs(5, 5)).p == 1.0
    assert mcnemar(pairs(4, 9)).is_noise
    assert mcnemar([]).p == 1.0
    assert 0 < mcnemar(pairs(1000, 1200)).p < 0.001


def test_calibration_is_the_gap_between_confidence_and_accuracy() -> None:
    assert calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0)
    assert calibration_error([(0.95, False), (0.15, True)]) == pytest.approx(0.9)
    assert calibration_error([(1.0, True)]) == 0
    assert math.isnan(calibration_error([]))


def test_the_mean_of_sets_counts_each_set_the_same() -> None:
    mean = mean_share([wilson(100, 100), wilson(0, 10)])
    assert mean.value == 0.5
    mean = mean_share([wilson(50, 100), wilson(50, 100)])
    assert (mean.low, mean.high) == pytest.approx((0.5 - 1.96 * 0.05 / 2**0.5, 0.5 + 1.96 * 0.05 / 2**0.5), abs=1e-4)


def test_shares_are_of_one_whole() -> None:
    assert shares([-1000.0, -1000.0 - math.log(3)]) == pytest.approx([0.75, 0.25])
