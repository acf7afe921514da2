"""Name what a file is when it is not the GGUF model it should be."""

import os
import stat
from pathlib import Path

from medpocket.errors import ModelFileError

SHOWN_LENGTH = 60
HEAD_BYTES = 512

CONVERT = "convert it with llama.cpp's convert_hf_to_gguf.py, or download the model's GGUF version"
AGAIN = "download or copy the file again"
UNPACK = "unpack it first"
LINK = "the download went wrong: use the link of the file itself"

# First bytes -> what they are, what to do next.
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"lmgg", "a model in the old ggml format of 2023", CONVERT),
    (b"fmgg", "a model in the old ggmf format of 2023", CONVERT),
    (b"tjgg", "a model in the old ggjt format of 2023", CONVERT),
    (b"algg", "an adapter in the old ggla format of 2023", CONVERT),
    (b"FUGG", "a GGUF file in another byte order (big-endian)", "download the little-endian version"),
    (b"version https://git-lfs", "a git-lfs pointer, not the model itself", "fetch the model with: git lfs pull"),
    (b"\x80\x02", "a PyTorch file (pickle)", CONVERT),
    (b"\x80\x03", "a PyTorch file (pickle)", CONVERT),
    (b"\x80\x04", "a PyTorch file (pickle)", CONVERT),
    (b"\x89HDF", "a Keras or HDF5 file", CONVERT),
    (b"\x1f\x8b", "a compressed archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a compressed archive", UNPACK),
    (b"\xfd7zXZ", "a compressed archive", UNPACK),
    (b"BZh", "a compressed archive", UNPACK),
    (b"7z\xbc\xaf", "a compressed archive", UNPACK),
)


def shown(text: str, limit: int = SHOWN_LENGTH) -> str:
    """Make text from a file safe to show: printable characters only, at most `limit` of them."""
    safe = "".join(character if character.isprintable() else "?" for character in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def damaged(path: Path, reason: str) -> ModelFileError:
    """Say that the file contradicts itself; `reason` ends the sentence and is safe to show."""
    return ModelFileError(f"{shown(path.name)} is damaged: {reason}", AGAIN)


def _describe(head: bytes, size: int) -> tuple[str, str]:
    """Say what a file that begins with `head` is, and what to do next."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    zipped = head.startswith(b"PK\x03\x04")
    # A protobuf whose first field is the format's version; its producer's name comes right after.
    onnx = head.startswith(b"\x08") and any(producer in head for producer in (b"onnx", b"ONNX", b"pytorch"))
    safetensors = head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < size
    guesses = (
        *((head.startswith(signature), what, hint) for signature, what, hint in SIGNATURES),
        (zipped and b"data.pkl" in head, "a PyTorch file", CONVERT),
        (zipped, "a zip archive", UNPACK),
        (safetensors, "a safetensors file", CONVERT),
        (onnx, "an ONNX file", CONVERT),
        (text.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")), "a web page, not the model itself", LINK),
        (text.startswith(b"{"), "a JSON file, not the model itself", LINK),
        (not any(head), "empty space: it was reserved but never written", AGAIN),
        (True, "not a GGUF file", "give the path of a model in GGUF format; its name ends in .gguf"),
    )
    return next((what, hint) for matches, what, hint in guesses if matches)


def _require_regular(path: Path) -> int:
    """Give the size of the regular file at `path`, or refuse what is there instead."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ModelFileError(
            f"there is no file {shown(str(path), 200)}",
            "check the path, or list what is installed: medpocket models list",
        ) from None
    except PermissionError:
        raise _unreadable(path) from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{shown(str(path), 200)} cannot be opened: {_reason(error)}", "check the path") from None
    if stat.S_ISDIR(status.st_mode):
        raise ModelFileError(f"{shown(str(path), 200)} is a folder, not a model file", _folder_hint(path))
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"{shown(str(path), 200)} is not a regular file", "give the path of a GGUF file")
    if status.st_size == 0:
        raise ModelFileError(f"{shown(path.name)} is empty (0 bytes)", AGAIN)
    return status.st_size


def _folder_hint(folder: Path) -> str:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entry.name for entry in entries if entry.name.lower().endswith(".gguf"))
    except OSError:
        found = []
    if not found:
        return "give the path of a file in GGUF format; this folder holds none"
    named = ", ".join(shown(name) for name in found[:3])
    return f"give the file itself; it holds {named}" + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _unreadable(path: Path) -> ModelFileError:
    return ModelFileError(f"{shown(str(path), 200)} may not be read by this user", "change its permissions, or copy it")


def _reason(error: Exception) -> str:
    return shown((error.strerror if isinstance(error, OSError) else None) or str(error))


def require_gguf(path: Path) -> int:
    """Give the size of the file at `path`, which begins as a GGUF file. Raises ModelFileError."""
    size = _require_regular(path)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except PermissionError:
        raise _unreadable(path) from None
    except OSError as error:
        raise ModelFileError(
            f"{shown(path.name)} cannot be read: {_reason(error)}", "check the disk, or copy the file again"
        ) from None
    if head.startswith(b"GGUF"):
        return size
    if b"GGUF".startswith(head):
        raise ModelFileError(f"{shown(path.name)} holds only {size} bytes", AGAIN)
    what, hint = _describe(head, size)
    raise ModelFileError(f"{shown(path.name)} is {what}", hint)
