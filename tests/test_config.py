import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from medpocket.config import (
    SAMPLING_RULES,
    Settings,
    example_toml,
    load_settings,
    option_rules,
    sampling_for,
    settings_page,
)
from medpocket.errors import OptionError, SettingsError
from medpocket.types import Sampling

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


@pytest.fixture
def user_file(home: Path) -> Path:
    path = home / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def machine_file(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "machine" / "config.toml"
    path.parent.mkdir()
    return path


def refused() -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


def option(name: str, value: str) -> OptionError:
    with pytest.raises(OptionError) as caught:
        sampling_for(Settings(), {}, {name: value})
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.exit_code == 2
    return caught.value


# --- files ----------------------------------------------------------------------------------------


def test_without_files_everything_is_left_to_medpocket() -> None:
    assert load_settings() == Settings()
    assert Settings().repack is False and Settings().gpu_layers is None


def test_the_users_file_goes_over_the_machines(user_file: Path, machine_file: Path) -> None:
    machine_file.write_text('model = "demo"\nthreads = 2\ntemperature = 0.5\n')
    user_file.write_text("threads = 3\nrepack = true\n")
    assert load_settings() == Settings(model="demo", threads=3, temperature=0.5, repack=True)


def test_every_setting_is_read_from_a_file(user_file: Path) -> None:
    user_file.write_text(uncommented(example_toml()))
    settings = load_settings()
    assert settings.model == "biomistral-7b-q4" and settings.context == 2048
    for entry in fields(Settings):
        value: Any = getattr(settings, entry.name)
        assert value is not None, entry.name


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("temprature = 1", "temprature", "there is no such key"),
        ("[sampling]\ntop_k = 1", "sampling", "there is no such key"),
        ("context = 'long'", "context", "must be a whole number from 128 to 1,048,576, not text"),
        ("context = 127", "context", "not 127"),
        ("context = 4096.0", "context", "not 4096.0"),
        ("threads = true", "threads", "not true or false"),
        ("threads = 0", "threads", "from 1 to 512"),
        ("gpu_layers = -1", "gpu_layers", "not -1"),
        ("batch = 0", "batch", "from 16 to 4,096"),
        ("repack = 1", "repack", "must be true or false, not 1"),
        ("temperature = nan", "temperature", "not nan"),
        ("temperature = 2.01", "temperature", "from 0 to 2"),
        ("top_p = 0.0", "top_p", "above 0 and at most 1"),
        ("seed = 4294967296", "seed", "from 0 to 4,294,967,295"),
        ("model = ''", "model", "id of a model or the path"),
        ("model = 5", "model", "not 5"),
        ("log_level = 'debug'", "log_level", 'must be "warning" or "info", not text'),
        ("log_level = []", "log_level", "not a list"),
    ],
)
def test_a_broken_setting_is_named_by_file_key_and_reason(user_file: Path, text: str, key: str, reason: str) -> None:
    user_file.write_text(text)
    error = refused()
    assert error.message.startswith(f"{user_file}: {key}: "), error.message
    assert reason in error.message


def test_a_broken_machine_file_is_not_hidden_by_a_good_user_file(user_file: Path, machine_file: Path) -> None:
    user_file.write_text("threads = 2")
    machine_file.write_text("threads = 'all'")
    assert refused().message.startswith(f"{machine_file}: threads: ")


def test_a_file_that_is_not_toml_is_named_with_its_line(user_file: Path) -> None:
    user_file.write_text("threads = 2\nmodel = \n")
    assert "line 2" in refused().message
    user_file.write_bytes(b"threads = 2\n\nmodel = '\xe9'\n")
    assert "line 3 is not UTF-8" in refused().message


def test_a_misspelt_setting_names_the_nearest(user_file: Path) -> None:
    user_file.write_text("temprature = 1")
    assert refused().hint == "did you mean 'temperature'?"


# --- options and precedence -----------------------------------------------------------------------


def test_options_go_over_settings_over_the_models_row_over_what_is_built_in() -> None:
    settings = Settings(top_k=2, top_p=0.2, min_p=0.2)
    row = {"repeat_penalty": 1.1, "top_k": 1, "top_p": 0.1}
    _, sampling = sampling_for(settings, row, {"top_p": "0.3", "seed": "7"})
    assert sampling == Sampling(repeat_penalty=1.1, top_k=2, top_p=0.3, min_p=0.2, seed=7)
    assert sampling.temperature == Sampling().temperature


def test_options_of_the_engine_come_back_in_the_settings() -> None:
    settings, sampling = sampling_for(Settings(threads=2, repack=True), {}, {"context": "512", "threads": "3"})
    assert settings == Settings(context=512, threads=3, repack=True)
    assert sampling == Sampling()


def test_every_field_of_sampling_is_a_setting_an_option_and_a_key_of_a_row() -> None:
    names = {entry.name for entry in fields(Sampling)}
    assert names == set(SAMPLING_RULES) and names <= set(option_rules())
    for entry in fields(Sampling):
        if entry.default is not None:
            assert SAMPLING_RULES[entry.name].fits(entry.default), entry.name


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "below", "above"),
    [
        ("temperature", "0", "2", "-0.001", "2.001"),
        ("top_k", "0", "1000", "-1", "1001"),
        ("top_p", "0.0001", "1", "0", "1.0001"),
        ("min_p", "0", "1", "-0.1", "1.1"),
        ("repeat_penalty", "0.5", "2", "0.49", "2.1"),
        ("repeat_last_n", "0", "4096", "-1", "4097"),
        ("max_tokens", "1", "32768", "0", "32769"),
        ("seed", "0", "4294967295", "-1", "4294967296"),
        ("context", "128", "1048576", "127", "1048577"),
        ("threads", "1", "512", "0", "513"),
        ("gpu_layers", "0", "1000", "-1", "1001"),
        ("batch", "16", "4096", "15", "4097"),
    ],
)
def test_an_option_is_taken_at_the_ends_of_its_range_and_refused_beyond(
    name: str, lowest: str, highest: str, below: str, above: str
) -> None:
    for text in (lowest, highest):
        settings, sampling = sampling_for(Settings(), {}, {name: text})
        assert getattr(sampling if name in SAMPLING_RULES else settings, name) == float(text)
    for text in (below, above):
        assert option_rules()[name].describe() in option(name, text).message


@pytest.mark.parametrize("name", sorted(option_rules()))
@pytest.mark.parametrize(
    "text", ["nan", "-nan", "inf", "-Infinity", "1e999", "", "high", "0,5", "1_0", "0x10", "٣", "9" * 5000, "1\x00"]
)
def test_what_is_no_number_of_the_range_is_refused_with_the_range(name: str, text: str) -> None:
    error = option(name, text)
    assert error.message == f"option {name} must be {option_rules()[name].describe()}"
    assert f"-o {name} " in error.hint


@pytest.mark.parametrize("name", ["top_k", "seed", "threads", "context"])
def test_a_fraction_is_refused_where_a_whole_number_is_needed(name: str) -> None:
    assert "a whole number" in option(name, "200.5").message


@pytest.mark.parametrize(
    ("name", "nearest"), [("temp", "temperature"), ("top-k", "top_k"), ("Seeds", "seed"), ("max_token", "max_tokens")]
)
def test_an_unknown_option_names_the_nearest(name: str, nearest: str) -> None:
    error = option(name, "1")
    assert error.message == f"there is no option {name!r}" and error.hint == f"did you mean {nearest!r}?"


def test_an_option_like_none_lists_them_all() -> None:
    assert option("zzz", "1").hint == f"the options are: {', '.join(option_rules())}"


def test_settings_that_are_no_numbers_are_no_options() -> None:
    for name in ("model", "repack", "log_level"):
        assert f"no option '{name}'" in option(name, "1").message


def test_a_question_in_the_place_of_an_option_is_never_repeated() -> None:
    for name, value in (("temperature", "Mr Jones coughs"), ("Mr Jones coughs", "1"), ("Mr Jones: cough?", "2")):
        error = option(name, value)
        assert "Jones" not in error.message + error.hint


# --- documents ------------------------------------------------------------------------------------


def uncommented(text: str) -> str:
    names = tuple(f"# {entry.name} = " for entry in fields(Settings))
    return "\n".join(line[2:] if line.startswith(names) else line for line in text.splitlines())


def test_every_setting_has_its_documentation() -> None:
    for entry in fields(Settings):
        assert len(entry.metadata["doc"].split()) >= 5, entry.name
        assert entry.metadata["doc"].endswith("."), entry.name


def test_the_example_changes_nothing_until_a_line_is_uncommented(user_file: Path) -> None:
    user_file.write_text(example_toml())
    assert load_settings() == Settings()


def test_the_page_of_settings_is_in_step_with_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "write it again: make settings-page"


def test_the_module_prints_the_page() -> None:
    result = subprocess.run([sys.executable, "-m", "medpocket.config"], capture_output=True, check=True)
    assert result.stdout.decode().replace("\r\n", "\n") == settings_page()
