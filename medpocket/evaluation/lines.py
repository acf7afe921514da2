"""Files of lines, packed with gzip or not."""

from pathlib import Path

from medpocket.errors import InputError
from medpocket.models.gguf_kinds import shown

_GZIP = b"\x1f\x8b"


def read_whole(path: Path) -> bytes:
    """Return what is in the file, unpacked. Raises InputError."""
    import gzip
    import zlib

    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its gzip is damaged"
        raise InputError(
            f"{shown(path.name)} cannot be read ({reason})", "give a file of JSON lines, .gz or not"
        ) from None


def read_lines(path: Path) -> list[bytes]:
    """Return the file's lines without their ends. Raises InputError."""
    return read_whole(path).splitlines()
