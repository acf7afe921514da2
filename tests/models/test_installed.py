"""The record of what is installed, and what it is compared with."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from medpocket import paths
from medpocket.errors import ModelFileError
from medpocket.models.installed import (
    ModelFolder,
    find_installed,
    installed_models,
    machine_folder,
    own_folder,
    strays,
)
from medpocket.models.locate import locate_model
from medpocket.models.records import RECORD, Accepted, Record, RecordedFile, now, read_records
from medpocket.registry import load_registry
from tests.models.installing import install

REGISTRY = load_registry()
CONTENT = os.urandom(300_000)


def refused(name: str) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        locate_model(name, REGISTRY)
    return caught.value


def change(**values: Any) -> None:
    """Edit the record by hand."""
    path = paths.models_folder() / RECORD
    content = json.loads(path.read_text())
    content["models"][0] |= values
    path.write_text(json.dumps(content))


def keep_time(path: Path, write: Any) -> None:
    before = path.stat()
    write(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


# --- at load ---------------------------------------------------------------------------------------


def test_an_installed_model_is_found_by_its_name() -> None:
    entry = install("ward", CONTENT)
    located = locate_model("ward", REGISTRY)
    assert located.path == entry.path
    assert located.spec is None
    assert (paths.models_folder() / RECORD).stat().st_mode & 0o777 == 0o600


def test_a_file_of_another_size_is_not_loaded() -> None:
    path = install("ward", CONTENT).path
    keep_time(path, lambda one: one.write_bytes(CONTENT + b"x"))
    assert "300,001 bytes" in refused("ward").message


def test_an_exchanged_file_is_not_loaded_even_with_the_same_size_and_time() -> None:
    path = install("ward", CONTENT).path
    keep_time(path, lambda one: one.write_bytes(os.urandom(300_000)))
    assert "not the file that was verified" in refused("ward").message


def test_a_file_that_was_written_to_is_not_loaded_until_it_is_verified() -> None:
    entry = install("ward", CONTENT)
    os.utime(entry.path, ns=(1, 1))
    assert "models verify ward" in refused("ward").hint
    assert entry.verify() == []
    assert locate_model("ward", REGISTRY).path == entry.path


def test_a_symbolic_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    path = install("ward", CONTENT).path
    elsewhere = tmp_path / "elsewhere.gguf"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert "symbolic link" in refused("ward").message


def test_a_model_folder_that_is_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    place = install("ward", CONTENT).path.parent
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in refused("ward").message


def test_a_missing_file_says_how_to_get_it_anew() -> None:
    entry = install("ward", CONTENT)
    entry.path.unlink()
    error = refused("ward")
    assert "is not there" in error.message and "remove ward" in error.hint


def test_the_path_of_an_installed_file_is_checked_as_its_name_is() -> None:
    path = install("ward", CONTENT).path
    keep_time(path, lambda one: one.write_bytes(os.urandom(300_000)))
    assert "not the file that was verified" in refused(str(path)).message


def test_a_file_that_nobody_recorded_is_not_installed() -> None:
    folder = paths.make_private(paths.models_folder())
    (folder / "BioMistral-7B.Q4_K_M.gguf").write_bytes(CONTENT)
    assert "is not installed" in refused("biomistral-7b-q4").message
    assert [path.name for path in strays(own_folder())] == ["BioMistral-7B.Q4_K_M.gguf"]


# --- verify and remove -----------------------------------------------------------------------------


def test_a_flipped_bit_is_found_set_aside_and_never_loaded() -> None:
    entry = install("ward", CONTENT)
    middle = len(CONTENT) // 2 + 5
    changed = CONTENT[:middle] + bytes([CONTENT[middle] ^ 1]) + CONTENT[middle + 1 :]
    keep_time(entry.path, lambda one: one.write_bytes(changed))
    (problem,) = entry.verify()
    assert "model.gguf" in problem and "set aside as model.gguf.corrupt" in problem
    assert not entry.path.exists()
    assert "found damaged" in refused("ward").message


def test_a_file_brought_back_is_good_again_after_verify() -> None:
    entry = install("ward", CONTENT)
    entry.path.write_bytes(CONTENT[::-1])
    assert entry.verify()
    entry.path.write_bytes(CONTENT)
    found = find_installed("ward")
    assert found and found.verify() == []
    assert locate_model("ward", REGISTRY).path == entry.path


def test_removing_deletes_the_files_and_the_record() -> None:
    entry = install("ward", CONTENT)
    install("other")
    entry.remove()
    assert not entry.path.parent.exists()
    assert [one.record.name for one in installed_models()] == ["other"]


def test_removing_a_folder_that_is_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    entry = install("ward", CONTENT)
    place = entry.path.parent
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    entry.remove()
    assert (tmp_path / "elsewhere" / "model.gguf").exists()
    assert not place.is_symlink()


# --- the machine's folder --------------------------------------------------------------------------


def into_machine(name: str) -> Path:
    folder = machine_folder()
    path: Path = folder.place(name) / "model.gguf"
    path.write_bytes(CONTENT)
    folder.add(Record(name, (RecordedFile.of(path, "0" * 64),), "import", "a test", now()))
    return path


def test_the_machines_models_are_used_and_the_users_own_goes_first() -> None:
    shared = into_machine("ward")
    assert locate_model("ward", REGISTRY).path == shared
    own = install("ward", CONTENT).path
    assert locate_model("ward", REGISTRY).path == own


def test_the_machines_models_can_be_read_by_every_user_whatever_the_umask() -> None:
    before = os.umask(0o077)
    try:
        path = into_machine("ward")
    finally:
        os.umask(before)
    record = paths.machine_models_folder() / RECORD
    assert path.stat().st_mode & 0o777 == record.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == record.parent.stat().st_mode & 0o777 == 0o755


def test_a_damaged_model_of_the_machine_is_the_administrators_affair() -> None:
    path = into_machine("ward")
    keep_time(path, lambda one: one.write_bytes(os.urandom(300_000)))
    assert "administers" in refused("ward").hint


# --- the record ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"name": "../ward"},
        {"name": 5},
        {"files": []},
        {"files": "model.gguf"},
        {"damaged": 0},
        {"commit": "main"},
        {"linked": "relative/folder"},
        {"more": True},
    ],
)
def test_a_record_edited_by_hand_is_named_and_nothing_is_loaded(values: dict[str, Any]) -> None:
    install("ward", CONTENT)
    change(**values)
    error = refused("ward")
    assert RECORD in error.message and "import" in error.hint


@pytest.mark.parametrize(
    "values",
    [{"name": "../x.gguf"}, {"name": ".."}, {"sha256": "x"}, {"size": -1}, {"size": 1.5}, {"changed_ns": None}],
)
def test_a_files_row_edited_by_hand_is_named(values: dict[str, Any]) -> None:
    file = install("ward", CONTENT).record.files[0]
    change(files=[vars(file) | values])
    assert "damaged" in refused("ward").message


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "null", '{"version": 2, "models": []}', '{"version": 1}', "\x00", "[" * 99999]
)
def test_a_record_that_is_none_is_named(text: str) -> None:
    install("ward", CONTENT)
    (paths.models_folder() / RECORD).write_text(text)
    assert RECORD in refused("ward").message


def test_a_model_that_is_recorded_twice_is_refused() -> None:
    install("ward", CONTENT)
    path = paths.models_folder() / RECORD
    content = json.loads(path.read_text())
    content["models"] *= 2
    path.write_text(json.dumps(content))
    assert "twice" in refused("ward").message


def test_a_licence_is_accepted_once_and_again_when_it_changes() -> None:
    folder = ModelFolder(paths.models_folder())
    assert not folder.accepted("ward", "Apache-2.0", "mind")
    folder.accept("ward", "Apache-2.0", "mind")
    folder.accept("other", "MIT", "")
    assert folder.accepted("ward", "Apache-2.0", "mind")
    assert not folder.accepted("ward", "Apache-2.0", "mind more")
    accepted = read_records(folder.path).accepted
    assert [type(one) for one in accepted] == [Accepted, Accepted]
