import json
import shlex
import subprocess
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
    assert "medpocket models pull" in report["next"]
    assert "medpocket models import" in report["next"]


def test_the_real_model_is_the_default_once_it_is_there(medpocket: Medpocket, home: Path) -> None:
    install("biomistral-7b-q4")
    assert json.loads(medpocket("doctor", "--json").stdout)["data"]["default_model"] == "biomistral-7b-q4"


def test_it_says_how_the_model_that_answers_runs_here(medpocket: Medpocket) -> None:
    report = json.loads(medpocket("doctor", "--json").stdout)["data"]
    fit = report["fit"]
    assert fit["fits"] and fit["mapped"] and not fit["repacked"]
    assert fit["context"] == 1024 == fit["largest_context"]
    assert 50_000_000 < fit["memory"] < 200_000_000
    assert fit["threads"] == report["machine"]["threads"]
    assert fit["prefill_tokens_s"] > fit["decode_tokens_s"] > 0
    assert report["offload"]["tested"] is False


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
    (problem,) = report["problems"]
    assert "threads" in problem["problem"] and "config.toml" in problem["problem"]
    assert report["next"] == f"{problem['problem']}; {problem['mend']}"


def test_a_folder_that_cannot_be_written_is_a_problem(medpocket: Medpocket, home: Path) -> None:
    home.touch()  # a file where the folder should be: root, too, cannot write there
    result = medpocket("doctor")
    assert result.returncode == 1
    assert "cannot be written" in result.stdout.decode()


def test_a_damaged_model_is_a_problem_with_what_to_do(medpocket: Medpocket) -> None:
    entry = install("biomistral-7b-q4", b"GGUF")
    entry.path.write_bytes(b"GGUG")
    result = medpocket("doctor")
    page = result.stdout.decode()
    assert result.returncode == 1
    assert "wrong" in page
    assert "medpocket models verify biomistral-7b-q4" in page


def test_a_damaged_record_of_the_models_is_a_problem_and_no_crash(medpocket: Medpocket) -> None:
    (paths.make_private(paths.models_folder()) / "models.json").write_text("{")
    result = medpocket("doctor", "--json")
    assert result.returncode == 1
    assert any("models.json" in one["problem"] for one in json.loads(result.stdout)["data"]["problems"])


def test_a_folder_that_others_can_read_is_a_problem_that_a_command_mends(medpocket: Medpocket, home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data").chmod(0o755)
    result = medpocket("doctor", "--json")
    assert result.returncode == 1
    (problem,) = json.loads(result.stdout)["data"]["problems"]
    assert problem["mend"] == f"chmod 700 {home / 'data'}"
    subprocess.run(shlex.split(problem["mend"]), check=True)
    assert medpocket("doctor").returncode == 0
