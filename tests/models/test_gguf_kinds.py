import os
import struct
from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_check import check_model_file
from medpocket.models.gguf_kinds import shown
from tests.models.gguf_seeds import write_seed


def refusal(path: Path) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        check_model_file(path)
    error = caught.value
    assert error.message.isprintable() and error.hint.isprintable()
    return error


@pytest.mark.parametrize(
    ("data", "what", "next_step"),
    [
        (struct.pack("<Q", 90) + b'{"__metadata__":{}}' + b" " * 90, "a safetensors file", "convert_hf_to_gguf"),
        (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "a PyTorch file", "convert_hf_to_gguf"),
        (b"PK\x03\x04" + bytes(26) + b"readme.txt", "a zip archive", "unpack"),
        (b"\x80\x02}q\x00", "a PyTorch file (pickle)", "convert_hf_to_gguf"),
        (b"\x08\x07\x12\x07pytorch\x1a\x05", "an ONNX file", "convert_hf_to_gguf"),
        (b"lmgg" + bytes(60), "old ggml format", "convert"),
        (b"tjgg\x03\x00\x00\x00", "old ggjt format", "convert"),
        (b"algg\x01\x00\x00\x00", "an adapter in the old ggla format", "convert"),
        (b"FUGG\x00\x00\x00\x03", "another byte order", "little-endian"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a git-lfs pointer", "git lfs pull"),
        (b"\n <!DOCTYPE html><html><head>", "a web page", "link of the file itself"),
        (b'{"error": "Access to model is restricted"}', "a JSON file", "link of the file itself"),
        (b"\x1f\x8b\x08\x00", "a compressed archive", "unpack"),
        (b"\x89HDF\r\n\x1a\n", "HDF5", "convert"),
        (bytes(4096), "empty space", "again"),
        (b"Dear colleague, the patient", "not a GGUF file", "GGUF format"),
        (b"GG", "holds only 2 bytes", "again"),
        (b"GGUF", "ends inside its header", "again"),
    ],
)
def test_what_is_no_gguf_is_named(tmp_path: Path, data: bytes, what: str, next_step: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    error = refusal(path)
    assert what in error.message
    assert next_step in error.hint


def test_a_missing_file_is_named_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "model.gguf"
    assert refusal(path).message == f"there is no file {path}"
    inside_a_file = write_seed(tmp_path / "tiny.gguf") / "model.gguf"
    assert "there is no file" in refusal(inside_a_file).message


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    assert refusal(tmp_path / "model.gguf").message == "model.gguf is empty (0 bytes)"


def test_a_folder_is_refused_with_the_models_that_it_holds(tmp_path: Path) -> None:
    assert "holds none" in refusal(tmp_path).hint
    for name in ("a.gguf", "b.GGUF", "c.gguf", "d.gguf", "notes.txt"):
        (tmp_path / name).touch()
    error = refusal(tmp_path)
    assert "is a folder" in error.message
    assert error.hint == "give the file itself; it holds a.gguf, b.GGUF, c.gguf and 1 more"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "not a regular file" in refusal(tmp_path / "pipe.gguf").message


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_seed(tmp_path / "tiny.gguf")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the superuser may read whatever its mode
    error = refusal(path)
    assert "may not be read" in error.message
    assert "permissions" in error.hint


def test_names_from_outside_cannot_steer_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31mevil\n\u202e.gguf"
    path.write_bytes(b"something else")
    assert refusal(path).message == "?[31mevil??.gguf is not a GGUF file"
    assert shown("x" * 61) == "x" * 59 + "…"
    assert shown("x" * 60) == "x" * 60
    assert shown("naïve 模型\u200b\ud800") == "naïve 模型??"


def test_a_path_that_no_system_takes_is_refused() -> None:
    assert "cannot be opened" in refusal(Path("a\0b")).message or "no file" in refusal(Path("a\0b")).message
    assert "cannot be opened" in refusal(Path("x" * 5000)).message
