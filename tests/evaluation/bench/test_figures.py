import math

import pytest

from medpocket.evaluation.bench.figures import Figure, spread


def test_each_repetition_is_compared_with_its_neighbour() -> None:
    figure = Figure("rate", "a rate", "tokens/s", [10.0, 30.0, 20.0], [20.0, 20.0, 20.0], "llama-bench")
    assert figure.ratios == [0.5, 1.5, 1.0]
    assert figure.as_json()["ratio"] == {"median": 1.0, "least": 0.5, "greatest": 1.5, "values": [0.5, 1.5, 1.0]}


def test_what_was_written_is_read_back() -> None:
    for figure in (
        Figure("rate", "a rate", "tokens/s", (10.0, 30.0), (20.0, 15.0), "llama-bench"),
        Figure("load", "loading", "s", (0.25,)),
    ):
        assert Figure.from_json(figure.as_json()) == figure


@pytest.mark.parametrize("values", [(), (math.nan,), (1.0, math.nan)])
def test_what_nobody_could_measure_is_not_known(values: tuple[float, ...]) -> None:
    assert not Figure("peak", "peak memory", "MB", values).is_known


def test_the_spread_is_said_only_where_there_is_one() -> None:
    assert spread([292.0, 292.0]) == "292"
    assert spread([1.0, 3.0, 2.0]) == "2 (1 - 3)"
    assert spread([]) == ""
