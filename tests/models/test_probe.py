import json
import math
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from medpocket import paths
from medpocket.engine import probe
from medpocket.engine.probe import MEASURED_TYPES, machine_rates, measure_rates
from medpocket.models.rates_file import FILE_NAME, read_rates, write_rates
from medpocket.models.speed import TOKEN_S, MachineRates, Rates, expected_speed
from tests.models.simulated import GB, SEVEN_B, machine

RATES = MachineRates(8, {"Q4_K": Rates(10e9, 200e9), "Q6_K": Rates(12e9, 150e9)}, Rates(5e9, 50e9))


@pytest.fixture(scope="module")
def measured() -> MachineRates:
    return measure_rates(["Q4_K", "F16"], 1)


def test_the_probe_measures_every_type_and_attention(measured: MachineRates) -> None:
    assert set(measured.matrices) == {"Q4_K", "F16"}
    for rates in (*measured.matrices.values(), measured.attention):
        assert 1e6 < rates.single_bytes_s < 1e13
        assert 1e8 < rates.many_flop_s < 1e15


def test_many_tokens_at_once_are_cheaper_than_one_after_the_other(measured: MachineRates) -> None:
    rates = measured.matrices["F16"]
    one_at_a_time = 2 * rates.single_bytes_s / 2  # FLOP: two for each element of two bytes
    assert rates.many_flop_s > one_at_a_time


def test_every_type_that_is_measured_can_be() -> None:
    rates = measure_rates(sorted(MEASURED_TYPES), 1).matrices
    assert set(rates) == MEASURED_TYPES
    assert all(one.single_bytes_s > 0 and one.many_flop_s > 0 for one in rates.values())


def test_types_that_cannot_be_multiplied_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "busy_share", lambda: 1.0)
    assert set(machine_rates(["I32", "F16"], machine(16 * GB, physical_cores=1)).matrices) == {"F16"}


def test_rates_are_kept_and_read_again_for_this_machine_alone() -> None:
    here = machine(16 * GB)
    assert read_rates(here) is None
    write_rates(here, RATES)
    assert read_rates(here) == RATES
    assert read_rates(replace(here, cpu_model="another")) is None
    assert read_rates(replace(here, usable_cores=4)) is None
    assert stat.S_IMODE((paths.cache_folder() / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("change", ["", "{", "[]", "rate", "zero", "nan", "missing"])
def test_a_cache_that_makes_no_sense_is_measured_again(change: str) -> None:
    here = machine(16 * GB)
    write_rates(here, RATES)
    file = paths.cache_folder() / FILE_NAME
    content = json.loads(file.read_text())
    values = {"rate": "fast", "zero": 0, "nan": math.nan}
    if change in values:
        content["matrices"]["Q4_K"]["many_flop_s"] = values[change]
    elif change == "missing":
        del content["attention"]
    file.write_text(json.dumps(content) if change in values or change == "missing" else change)
    assert read_rates(here) is None


def test_a_cache_that_cannot_be_written_is_no_error(home: Path) -> None:
    home.touch()
    write_rates(machine(16 * GB), RATES)
    assert read_rates(machine(16 * GB)) is None


def test_only_what_is_missing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def measure(types: list[str], threads: int) -> MachineRates:
        asked.append(types)
        return MachineRates(threads, {name: Rates(1e9, 1e9) for name in types}, Rates(1e9, 1e9))

    monkeypatch.setattr(probe, "measure_rates", measure)
    monkeypatch.setattr(probe, "busy_share", lambda: 0.0)
    here = machine(16 * GB)
    machine_rates(["Q4_K"], here)
    machine_rates(["Q4_K"], here)
    assert set(machine_rates(["Q4_K", "Q6_K"], here).matrices) == {"Q4_K", "Q6_K"}
    assert asked == [["Q4_K"], ["Q6_K"]]
    machine_rates(["Q4_K"], here, anew=True)
    assert asked[-1] == ["Q4_K"]


def test_what_a_busy_machine_shows_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "measure_rates", lambda *_: RATES)
    monkeypatch.setattr(probe, "busy_share", lambda: 0.9)
    assert machine_rates(["Q4_K"], machine(16 * GB)).busy
    assert read_rates(machine(16 * GB)) is None


def test_expected_speed_is_the_work_over_the_rates() -> None:
    rates = replace(RATES, attention=Rates(math.inf, math.inf))
    speed = expected_speed(SEVEN_B, rates, tokens=100)
    assert speed
    q4, q6 = 32 * 248_000_000, 131_072_000
    assert math.isclose(1 / speed.decode, q4 / 256 * 144 / 10e9 + q6 / 256 * 210 / 12e9 + TOKEN_S)
    # The output is computed for the last token of a prompt alone.
    assert math.isclose(100 / speed.prefill, 2 * (100 * q4 / 200e9 + q6 / 150e9))


def test_a_longer_conversation_is_slower() -> None:
    short, long = (expected_speed(SEVEN_B, RATES, tokens=tokens) for tokens in (512, 8192))
    assert short and long and long.decode < short.decode and long.prefill < short.prefill


def test_without_the_rate_of_a_type_there_is_no_speed() -> None:
    assert expected_speed(SEVEN_B, replace(RATES, matrices={"Q4_K": Rates(1e9, 1e9)})) is None
    assert expected_speed(replace(SEVEN_B, layers=(), output=replace(SEVEN_B.output, matrices={})), RATES) is None
