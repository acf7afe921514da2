from pathlib import Path

import pytest

from medpocket import paths
from medpocket.errors import ModelFileError, UnknownNameError
from medpocket.models.locate import default_model, installed_file, locate_model, smaller_choice
from medpocket.registry import load_registry
from tests.models.installing import install

REGISTRY = load_registry()
BIOMISTRAL = REGISTRY.models["biomistral-7b-q4"]


def test_the_demonstration_model_is_always_there() -> None:
    located = locate_model("demo", REGISTRY)
    assert located.path == paths.assets_folder() / "demo.gguf"
    assert located.spec is REGISTRY.models["demo"]


def test_an_id_is_the_file_that_is_recorded_for_it() -> None:
    entry = install("biomistral-7b-q4")
    located = locate_model("biomistral-7b-q4", REGISTRY)
    assert located.path == entry.path
    assert located.spec is BIOMISTRAL


def test_an_id_whose_file_is_not_there_says_how_to_get_it_by_line_and_by_stick() -> None:
    with pytest.raises(ModelFileError) as caught:
        locate_model("biomistral-7b-q4", REGISTRY)
    assert "`medpocket models pull biomistral-7b-q4`" in caught.value.hint
    assert "BioMistral-7B.Q4_K_M.gguf of MaziyarPanahi/BioMistral-7B-GGUF" in caught.value.hint
    assert "`medpocket models import PATH`" in caught.value.hint


def test_a_model_whose_file_name_is_not_known_is_pulled_all_the_same() -> None:
    with pytest.raises(ModelFileError) as caught:
        locate_model("openbiollm-70b-q4", REGISTRY)
    assert "LiteLLMs/Llama3-OpenBioLLM-70B-GGUF" in caught.value.hint
    assert "pull openbiollm-70b-q4" in caught.value.hint


def test_a_model_that_does_not_run_here_says_what_runs_it() -> None:
    with pytest.raises(ModelFileError) as caught:
        locate_model("qcammel-13-awq", REGISTRY)
    assert "vLLM" in caught.value.hint and "qcammel-13b-q4" in caught.value.hint


def test_a_file_with_the_name_of_a_row_is_taken_for_that_model_wherever_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "BioMistral-7B.Q4_K_M.gguf"
    path.touch()
    assert locate_model(str(path), REGISTRY).spec is BIOMISTRAL


def test_any_other_file_has_no_row(tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    path.touch()
    assert locate_model(str(path), REGISTRY).spec is None


def test_what_looks_like_a_path_is_one_even_when_nothing_is_there() -> None:
    assert locate_model("missing.gguf", REGISTRY).path == Path("missing.gguf")
    assert locate_model("some/where", REGISTRY).spec is None


def test_any_other_word_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError) as caught:
        locate_model("biomistral", REGISTRY)
    assert caught.value.nearest == "biomistral-7b-q4"
    with pytest.raises(UnknownNameError):
        locate_model("", REGISTRY)


def test_the_smaller_choice_is_the_largest_model_that_fits() -> None:
    assert "OpenBioLLM-Llama3-8B Q4_K_M, which needs about 5.0 GB" in smaller_choice(REGISTRY, 6 * 10**9)
    assert "BioMistral-7B Q4_K_M, which needs about 4.8 GB" in smaller_choice(REGISTRY, int(4.9e9))
    assert "-m demo" in smaller_choice(REGISTRY, 10**9)


def test_the_default_is_biomistral_where_it_is_installed_and_else_the_demonstration() -> None:
    assert default_model(REGISTRY, None) == "demo"
    install("biomistral-7b-q4")
    assert default_model(REGISTRY, None) == "biomistral-7b-q4"
    assert default_model(REGISTRY, "/my/model.gguf") == "/my/model.gguf"


def test_only_a_file_that_is_there_is_installed() -> None:
    assert installed_file(BIOMISTRAL) is None
    entry = install("biomistral-7b-q4")
    assert installed_file(BIOMISTRAL) == entry.path
