"""Machines that are not here, and what is wrong with them."""

from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.cli.doctor import report
from medpocket.config import Settings
from medpocket.doctor.checks import LEAST_DISK_BYTES, problems_of
from medpocket.doctor.facts import Facts
from medpocket.errors import ModelFileError
from medpocket.models.judged import judge
from medpocket.models.surroundings import Power
from medpocket.registry import load_registry
from tests.models.simulated import GB, SEVEN_B, graphics, machine

NAMES = ("config", "data", "models", "cache", "log", "machine", "assets")


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """A sound machine."""
    return Facts(
        versions={"medpocket": "1", "python": "3", "click": "8"},
        machine=machine(16 * GB),
        folders={name: tmp_path / name for name in NAMES},
        offline=True,
        registry=load_registry(),
        settings=Settings(),
        chosen="biomistral-7b-q4",
        disk_free=100 * GB,
    )


def only(facts: Facts) -> tuple[str, str]:
    (problem,) = problems_of(facts)
    return problem.what, problem.mend


def test_a_sound_machine_has_no_problem(facts: Facts) -> None:
    assert problems_of(facts) == []


def test_a_package_that_is_missing_is_named(facts: Facts) -> None:
    what, mend = only(replace(facts, versions={**facts.versions, "textual": None}))
    assert "textual is missing" in what and mend.endswith("pip install textual")


def test_a_llama_cpp_that_does_not_load_is_to_be_built_here(facts: Facts) -> None:
    what, mend = only(replace(facts, llama_error="OSError"))
    assert "OSError" in what and "llama-cpp-python" in mend


def test_a_network_that_is_not_refused_is_said(facts: Facts) -> None:
    assert "network" in only(replace(facts, offline=False))[0]


def test_a_full_disk_is_said_with_the_numbers(facts: Facts) -> None:
    what, mend = only(replace(facts, disk_free=LEAST_DISK_BYTES - 1))
    assert "0.2 GB is free" in what and "df -h" in mend
    assert problems_of(replace(facts, disk_free=None)) == []


def test_a_model_that_cannot_be_found_is_said_with_its_own_hint(facts: Facts) -> None:
    assert only(replace(facts, chosen_error=ModelFileError("not here", "get it"))) == ("not here", "get it")


@pytest.mark.parametrize(("free", "mend"), [(5 * GB, "write `context = "), (3 * GB, "medpocket models recommend")])
def test_a_model_that_does_not_fit_has_the_numbers_and_a_way_out(facts: Facts, free: int, mend: str) -> None:
    spec = load_registry().models["biomistral-7b-q4"]
    judged = judge(spec, SEVEN_B, machine(free))
    what, way_out = only(replace(facts, judged=judged))
    assert "needs 5.1 GB of memory" in what
    assert mend in way_out


def test_more_threads_than_cores_are_said(facts: Facts) -> None:
    what, mend = only(replace(facts, settings=Settings(threads=64)))
    assert "threads = 64" in what and "write 8" in mend


def test_layers_for_a_graphics_processor_that_is_not_there_are_said(facts: Facts) -> None:
    layers = replace(facts, settings=Settings(gpu_layers=20))
    assert "gpu_layers = 20" in only(layers)[0]
    assert problems_of(replace(layers, accelerators=(graphics(8 * GB),))) == []


def test_repacking_is_said_where_it_would_be_refused(facts: Facts) -> None:
    repacking = replace(facts, settings=Settings(repack=True))
    assert problems_of(repacking) == []
    assert "repack" in only(replace(repacking, compiled_with="AMX_INT8 = 1"))[0]


def test_a_graphics_processor_is_said_to_be_untested(facts: Facts) -> None:
    with_one = replace(facts, accelerators=(graphics(8 * GB),))
    offload = report(with_one, [])["offload"]
    assert offload["tested"] is False
    assert offload["devices"][0]["free_bytes"] == 8 * GB


def test_a_battery_is_reported_and_no_problem(facts: Facts) -> None:
    unplugged = replace(facts, machine=replace(facts.machine, power=Power(False, 40)))
    assert problems_of(unplugged) == []
    assert report(unplugged, [])["machine"]["on_mains"] is False
