"""The hashes of model files that are given by their path."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from medpocket import paths
from medpocket.models import given_files
from medpocket.models.given_files import sha256_of_given


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDPOCKET_HOME", str(tmp_path / "home"))
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    return path


def test_a_file_is_read_once_and_again_where_it_changed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    whole = given_files.sha256_of
    monkeypatch.setattr(given_files, "sha256_of", lambda path: (reads.append(path), whole(path))[1])
    assert [sha256_of_given(file) for _ in range(3)] == [hashlib.sha256(b"weights").hexdigest()] * 3
    assert len(reads) == 1
    file.write_bytes(b"others!")
    os.utime(file, ns=(1, 1))
    assert sha256_of_given(file) == hashlib.sha256(b"others!").hexdigest()
    assert len(reads) == 2
    cache = paths.cache_folder() / "file-hashes.json"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


@pytest.mark.parametrize("content", ["{", "[]", '{"x": 1}', "\ud800"])
def test_a_damaged_cache_is_made_anew(file: Path, content: str) -> None:
    cache = paths.make_private(paths.cache_folder()) / "file-hashes.json"
    cache.write_text(content, "utf-8", "surrogatepass")
    assert sha256_of_given(file) == hashlib.sha256(b"weights").hexdigest()
    assert sha256_of_given(file) == hashlib.sha256(b"weights").hexdigest()


def test_a_file_that_is_gone_has_none_and_a_full_cache_folder_does_not_matter(file: Path) -> None:
    assert sha256_of_given(file.with_name("gone")) == ""
    paths.cache_folder().parent.mkdir()
    paths.cache_folder().write_text("a file where the folder should be")
    assert sha256_of_given(file) == hashlib.sha256(b"weights").hexdigest()
