"""Adapters are kept, found again, and never loaded when they are not what was added."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from medpocket.errors import AdapterError
from medpocket.experts.active import ActiveExperts
from medpocket.experts.adapter import Adapter, read_adapter
from medpocket.experts.library import RECORD, Entry, Library, record_of
from tests.engine.random_adapters import write_random_adapter

FINGERPRINT = "f" * 64


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "added", tmp_path / "shipped")


@pytest.fixture
def add(library: Library, tmp_path: Path) -> Callable[..., Entry]:
    def added(seed: int = 1, expert: str = "cardiology", *, replace: bool = False) -> Entry:
        adapter = adapter_of(tmp_path, seed)
        record = record_of(adapter, expert=expert, fingerprint=FINGERPRINT, base_name="Base", source="test")
        return library.add(adapter, record, replace=replace)

    return added


def adapter_of(folder: Path, seed: int) -> Adapter:
    path = folder / f"{seed}.gguf"
    return read_adapter(path if path.exists() else write_random_adapter(path, seed))


def test_what_was_added_is_found_by_expert_and_base(library: Library, add: Callable[..., Entry]) -> None:
    entry = add()
    assert library.find("cardiology", FINGERPRINT) == entry
    assert library.find("neurology", FINGERPRINT) is None
    assert library.find("cardiology", "0" * 64) is None
    assert entry.load().sha256 == entry.record.sha256
    assert entry.path.stat().st_mode & 0o777 == 0o600
    assert library.added.stat().st_mode & 0o777 == 0o700


def test_a_second_adapter_is_refused_unless_it_replaces_the_first(library: Library, add: Callable[..., Entry]) -> None:
    first = add(1)
    with pytest.raises(AdapterError, match="has an adapter for this model already"):
        add(2)
    second = add(2, replace=True)
    assert [entry.record for entry in library.entries()] == [second.record]
    assert not first.path.exists()


def test_one_file_under_two_names_is_refused(add: Callable[..., Entry]) -> None:
    add(1, "cardiology")
    with pytest.raises(AdapterError, match="is the adapter of cardiology already"):
        add(1, "neurology")


def test_a_file_that_was_exchanged_is_never_loaded(library: Library, add: Callable[..., Entry], tmp_path: Path) -> None:
    entry = add(1)
    entry.path.write_bytes((tmp_path / "2.gguf").read_bytes() if (tmp_path / "2.gguf").exists() else
                           write_random_adapter(tmp_path / "2.gguf", 2).read_bytes())  # fmt: skip
    with pytest.raises(AdapterError, match="not the file that was added"):
        ActiveExperts(library, FINGERPRINT).adapter("cardiology")


def test_a_file_that_is_gone_says_so(library: Library, add: Callable[..., Entry]) -> None:
    add().path.unlink()
    with pytest.raises(AdapterError) as caught:
        ActiveExperts(library, FINGERPRINT).adapter("cardiology")
    assert "experts verify" in caught.value.hint


def test_removing_takes_the_record_and_the_file(library: Library, add: Callable[..., Entry]) -> None:
    entry = add()
    library.remove(entry)
    assert library.entries() == []
    assert not entry.path.exists()


def test_a_crash_between_copy_and_record_leaves_nothing_that_is_listed(
    library: Library, add: Callable[..., Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        add()
    assert library.entries() == []
    assert library.strays() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.pop("sha256"),
        lambda row: row.update(file="../../etc/passwd"),
        lambda row: row.update(size=-1),
        lambda row: row.update(gain="good"),
        lambda row: row.update(more=1),
    ],
)
def test_a_record_edited_by_hand_is_refused(
    library: Library, add: Callable[..., Entry], change: Callable[[dict[str, object]], object]
) -> None:
    add()
    path = library.added / RECORD
    content = json.loads(path.read_text())
    change(content["adapters"][0])
    path.write_text(json.dumps(content))
    with pytest.raises(AdapterError, match="is damaged"):
        library.entries()


def test_an_expert_without_an_adapter_has_none(library: Library) -> None:
    assert ActiveExperts(library, FINGERPRINT).adapter("cardiology") is None
