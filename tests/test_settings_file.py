import errno
import os
import stat
from pathlib import Path

import pytest

from medpocket import paths, settings_file
from medpocket.config import example_toml, load_settings
from medpocket.errors import DiskShortError, MedpocketError, SettingsError
from medpocket.settings_file import Source, change, standing
from medpocket.toml_file import read_toml


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


def refused(name: str, value: object, seen: object = None, key: str = "") -> MedpocketError:
    with pytest.raises(MedpocketError) as caught:
        change(name, value, seen, key)
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


def test_each_setting_is_found_where_it_comes_from(user_file: Path, machine_file: Path) -> None:
    machine_file.write_text("threads = 2\nbatch = 64\nallow_pull = false\n")
    user_file.write_text('threads = 3\ntheme = "light"\n')
    found = standing()
    assert (found["threads"].value, found["threads"].source, found["threads"].own) == (3, Source.USER, 3)
    assert (found["batch"].value, found["batch"].source, found["batch"].own) == (64, Source.MACHINE, None)
    assert (found["model"].value, found["model"].source) == (None, Source.DEFAULT)
    assert (found["lock_after"].value, found["lock_after"].source) == (15, Source.DEFAULT)
    assert found["allow_pull"].decided and not found["threads"].decided


def test_a_first_change_makes_a_private_file(home: Path) -> None:
    change("theme", "light", None)
    path = home / "config" / "config.toml"
    assert path.read_text() == 'theme = "light"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_settings().theme == "light"


def test_comments_order_and_unknown_keys_stay(user_file: Path) -> None:
    user_file.write_text(
        '# mine\nfuture = "kept" # why\ntheme = "dark" # at night\n\n[keys] # hands\n"chat.new" = "f11"\n'
    )
    change("theme", "light", "dark")
    change("seed", 3, None)
    change("keys", "f12", None, "chat.why")
    change("keys", None, "f11", "chat.new")
    assert user_file.read_text() == (
        '# mine\nfuture = "kept" # why\ntheme = "light" # at night\nseed = 3\n\n[keys] # hands\n"chat.why" = "f12"\n'
    )


def test_every_line_of_the_example_file_stays_but_the_changed_one(user_file: Path) -> None:
    user_file.write_text(example_toml())
    change("temperature", 0.5, None)
    assert user_file.read_text() == example_toml() + "temperature = 0.5\n"
    change("temperature", None, 0.5)
    assert user_file.read_text() == example_toml()


@pytest.mark.parametrize(
    "text",
    [
        'keys = { "chat.new" = "f11" }\n',
        'keys."chat.new" = "f11"\ntheme = "dark"\n',
        '[keys]\n"chat.new" = "f11"',
        '\ufeff# saved by Notepad\r\n[keys]\r\n"chat.new" = "f11"\r\n',
    ],
)
def test_however_the_table_is_written_one_key_changes(user_file: Path, text: str) -> None:
    user_file.write_bytes(text.encode())
    change("keys", "f12", None, "chat.why")
    change("lock_after", 2.5, None)
    written = user_file.read_bytes().decode()
    assert read_toml(user_file)["keys"] == {"chat.new": "f11", "chat.why": "f12"}
    assert read_toml(user_file)["lock_after"] == 2.5
    assert written.startswith("\ufeff") == text.startswith("\ufeff")
    assert written.count("\r\n") == (written.count("\n") if "\r\n" in text else 0)


def test_the_machines_keys_are_not_lost_by_the_first_of_ones_own(user_file: Path, machine_file: Path) -> None:
    machine_file.write_text('keys = { "chat.new" = "f11" }\n')
    change("keys", "f12", None, "chat.why")
    assert dict(load_settings().keys) == {"chat.new": "f11", "chat.why": "f12"}


def test_what_was_changed_meanwhile_is_not_overwritten(user_file: Path) -> None:
    user_file.write_text('theme = "contrast"\nseed = 1\n')
    error = refused("theme", "light", "dark")
    assert "theme was changed by another program" in error.message
    assert user_file.read_text() == 'theme = "contrast"\nseed = 1\n'
    change("seed", 2, 1)  # what else was changed meanwhile stays
    assert user_file.read_text() == 'theme = "contrast"\nseed = 2\n'


def test_a_write_between_reading_and_renaming_is_not_overwritten(
    user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file.write_text("seed = 1\n")
    monkeypatch.setattr(os, "fsync", lambda _: user_file.write_text("seed = 1\nthreads = 2\n"))
    assert "another program is writing it" in refused("seed", 2, 1).message
    assert user_file.read_text() == "seed = 1\nthreads = 2\n"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("theme", "pink", '"dark" or "light"'),
        ("context", 7, "a whole number from 128"),
        ("threads", True, "a whole number"),
        ("model", "a\x1b[31m", "the id of a model"),
        ("colour", "red", "there is no such key"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_nothing_written(
    user_file: Path, name: str, value: object, reason: str
) -> None:
    assert reason in refused(name, value).message
    assert not user_file.exists()


def test_what_the_machine_decides_is_not_changed(user_file: Path, machine_file: Path) -> None:
    machine_file.write_text("allow_pull = false\n")
    assert "decided for this machine" in refused("allow_pull", True).message
    user_file.write_text("allow_pull = true\n")
    assert "decided for this machine" in standing()["allow_pull"].problem


def test_a_value_that_is_wrong_in_the_file_is_told_and_can_be_mended(user_file: Path) -> None:
    user_file.write_text('theme = "pink"\n')
    assert standing()["theme"].problem.startswith("theme: must be")
    change("theme", "dark", "pink")
    assert load_settings().theme == "dark"


def test_a_file_that_is_no_toml_is_left_alone(user_file: Path) -> None:
    user_file.write_text("theme = \n")
    assert "not TOML" in refused("theme", "light").message
    with pytest.raises(SettingsError, match="not TOML"):
        standing()
    assert user_file.read_text() == "theme = \n"


def test_a_full_disk_leaves_the_file_as_it_was(user_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file.write_text("seed = 1\n")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert isinstance(refused("seed", 2, 1), DiskShortError)
    assert user_file.read_text() == "seed = 1\n"
    assert sorted(path.name for path in user_file.parent.iterdir()) == [".lock", "config.toml"]


def test_a_file_that_must_not_be_written_is_told(user_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file.parent.rmdir()
    user_file.parent.write_text("a file where the folder belongs")
    assert "cannot be" in refused("seed", 2).message


def test_a_link_stays_one_and_its_target_is_written(user_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text("# kept\nseed = 1\n")
    user_file.symlink_to(target)
    change("seed", 2, 1)
    assert user_file.is_symlink() and target.read_text() == "# kept\nseed = 2\n"


def test_while_another_window_writes_one_waits_and_then_says_so(
    user_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_file, "_WAIT_S", 0.1)
    with settings_file.exclusive(user_file.parent / ".lock") as held:
        assert held
        assert "another process" in refused("seed", 2).message


def test_every_folder_on_the_way_to_a_private_one_is_private(tmp_path: Path) -> None:
    folder = paths.make_private(tmp_path / "one" / "two" / "three")
    for made in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
