"""A kit against its manifest."""

import json
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import KitError
from medpocket.kit.checking import Findings, check_files, require_whole
from medpocket.kit.manifest import MANIFEST, read_manifest
from tests.kit.making import model_in_pieces, write_kit

TINY = model_in_pieces("tiny", b"weights", ("models/tiny/tiny.gguf",))


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    write_kit(tmp_path / "kit", models=(TINY,))
    return tmp_path / "kit"


def findings(kit: Path) -> Findings:
    return check_files(kit, read_manifest(kit))


def test_what_was_written_is_read_again(kit: Path) -> None:
    manifest = read_manifest(kit)
    assert manifest == write_kit(kit, models=(TINY,))
    assert manifest.models[0].size == 7


def test_an_untouched_kit_is_whole(kit: Path) -> None:
    told: list[int] = []
    manifest = read_manifest(kit)
    assert check_files(kit, manifest, told.append).whole
    assert told[-1] == manifest.size and told == sorted(told)


def test_what_is_missing_changed_and_extra_is_named(kit: Path) -> None:
    (kit / "README.txt").unlink()
    (kit / "models/tiny/tiny.gguf").write_bytes(b"weighed")
    (kit / "wheels/evil-9.0-py3-none-any.whl").write_bytes(b"")
    (kit / "more").mkdir()
    found = findings(kit)
    assert found.missing == ("README.txt",)
    assert found.changed == ("models/tiny/tiny.gguf",)
    assert found.extra == ("more", "wheels/evil-9.0-py3-none-any.whl")
    with pytest.raises(KitError, match=r"missing: README.txt; changed: .*tiny.gguf; extra: more; extra: wheels/evil"):
        require_whole(found)


def test_a_file_cut_short_is_changed(kit: Path) -> None:
    (kit / "wheels/a-1.0-py3-none-any.whl").write_bytes(b"wheel")
    assert findings(kit).changed == ("wheels/a-1.0-py3-none-any.whl",)


def test_a_link_is_not_the_file_that_it_leads_to(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"read me")
    (kit / "README.txt").unlink()
    (kit / "README.txt").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "wheels").mkdir()
    (kit / "wheels/a-1.0-py3-none-any.whl").rename(tmp_path / "wheels/a-1.0-py3-none-any.whl")
    (kit / "wheels").rmdir()
    (kit / "wheels").symlink_to(tmp_path / "wheels")
    found = findings(kit)
    assert found.changed == ("README.txt", "wheels/a-1.0-py3-none-any.whl")
    assert found.extra == ("wheels",)


def test_what_file_managers_leave_behind_is_not_held_against_a_kit(kit: Path) -> None:
    for name in (".DS_Store", "wheels/.DS_Store", "._README.txt", "._wheels", "wheels/._a-1.0-py3-none-any.whl"):
        (kit / name).write_bytes(b"x")
    assert findings(kit).whole
    (kit / "wheels/._b-1.0-py3-none-any.whl").write_bytes(b"x")
    assert findings(kit).extra == ("wheels/._b-1.0-py3-none-any.whl",)


def test_a_folder_without_a_manifest_is_no_kit(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="is not a kit"):
        read_manifest(tmp_path)


def edited(kit: Path, **changes: Any) -> None:
    path = kit / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"files": {"../outside": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"/etc/passwd": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"wheels/../../x": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"a\\b": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"a": {"size": -1, "sha256": "0" * 64}}},
        {"files": {"a": {"size": True, "sha256": "0" * 64}}},
        {"files": {"a": {"size": 1, "sha256": "short"}}},
        {"files": {}},  # the model's file is no longer listed
        {"files": []},
        {"pythons": []},
        {"pythons": ["2.7"]},
        {"platform": "\x1b[2J"},
        {"medpocket": "--help"},
        {"glibc": "new"},
        {"models": [{"name": "tiny"}]},
        {"more": 1},
        {"format": None},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(kit: Path, changes: dict[str, Any]) -> None:
    edited(kit, **changes)
    with pytest.raises(KitError, match=r"manifest.json is damaged"):
        read_manifest(kit)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"[" * 100_000, b" " * (1 << 23)])
def test_a_manifest_that_is_none_is_refused(kit: Path, content: bytes) -> None:
    (kit / MANIFEST).write_bytes(content)
    with pytest.raises(KitError, match=r"manifest.json is damaged"):
        read_manifest(kit)


def test_a_later_form_is_not_guessed_at(kit: Path) -> None:
    edited(kit, format=2)
    with pytest.raises(KitError, match="a form that this version does not know"):
        read_manifest(kit)
