import json
from pathlib import Path

from medpocket import __version__, paths
from medpocket.registry import load_registry
from tests.conftest import Medpocket
from tests.models.installing import install


def test_it_reports_versions_machine_folders_and_models(medpocket: Medpocket) -> None:
    result = medpocket("doctor", "--json")
    assert result.returncode == 0
    report = json.loads(result.stdout)["data"]
    assert report["versions"]["medpocket"] == __version__
    assert report["versions"]["llama-cpp-python"]
    assert report["machine"]["physical_cores"] >= 1
    assert 0 < report["machine"]["memory_available"] <= report["machine"]["memory_total"]
    assert report["offline"] is True
    assert report["folders"]["models"]["path"] == str(paths.models_folder())
    assert set(report["models"]) == set(load_registry().models)
    assert report["problems"] == []


def test_with_the_demonstration_model_alone_it_says_how_to_get_the_real_one(medpocket: Medpocket) -> None:
    report = json.loads(medpocket("doctor", "--json").stdout)["data"]
    assert report["default_model"] == "demo"
    assert "BioMistral-7B.Q4_K_M.gguf" in report["next"]
    assert str(paths.models_folder()) in report["next"]


def test_the_real_model_is_the_default_once_it_is_there(medpocket: Medpocket, home: Path) -> None:
    install("biomistral-7b-q4")
    assert json.loads(medpocket("doctor", "--json").stdout)["data"]["default_model"] == "biomistral-7b-q4"


def test_its_page_is_text_for_people(medpocket: Medpocket) -> None:
    result = medpocket("doctor")
    page = result.stdout.decode()
    assert result.returncode == 0
    assert "refused, verified" in page
    assert "\x1b" not in page
    assert page.splitlines()[-1].startswith("next")


def test_a_broken_settings_file_is_a_problem_it_names_and_no_crash(medpocket: Medpocket, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text("threads = 0\n")
    result = medpocket("doctor", "--json")
    assert result.returncode == 1
    report = json.loads(result.stdout)["data"]
    assert any("threads" in problem and "config.toml" in problem for problem in report["problems"])
    assert report["next"] == report["problems"][0]


def test_a_folder_that_cannot_be_written_is_a_problem(medpocket: Medpocket, home: Path) -> None:
    home.touch()  # a file where the folder should be: root, too, cannot write there
    result = medpocket("doctor")
    assert result.returncode == 1
    assert "cannot be written" in result.stdout.decode()
