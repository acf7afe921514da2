"""The file of the router's weights: names of arrays and texts, then their bytes, then the SHA-256 of all of it.

`MPROUTER`, the length of a JSON header (8 bytes, little endian), the header, the payload, 32 bytes of hash. The header
maps each name to [type, shape, offset, length]; type "text" is UTF-8.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medpocket.errors import RouterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"MPROUTR1"
_DIGEST = hashlib.sha256().digest_size
_REPAIR = (
    "put it back: `git restore assets/router.bin` in a checkout, "
    "`pip install --force-reinstall --no-deps medpocket` elsewhere"
)

Content = Mapping[str, "str | NDArray[Any]"]


def write_weights(path: Path, content: Content) -> str:
    """Write `content` and return its SHA-256. Raises OSError."""
    header: dict[str, Any] = {}
    payload = bytearray()
    for name, value in content.items():
        data = value.encode() if isinstance(value, str) else value.tobytes()
        kind, shape = ("text", []) if isinstance(value, str) else (value.dtype.str, list(value.shape))
        payload += bytes(-len(payload) % 16)
        header[name] = [kind, shape, len(payload), len(data)]
        payload += data
    described = json.dumps(header).encode()
    described += b" " * (-len(described) % 16)
    whole = MAGIC + len(described).to_bytes(8, "little") + described + payload
    digest = hashlib.sha256(whole)
    path.write_bytes(whole + digest.digest())
    return digest.hexdigest()


def read_weights(path: Path) -> dict[str, "str | NDArray[Any]"]:
    """Return what `write_weights` wrote. Raises RouterError where the file is missing or damaged."""
    import numpy as np

    try:
        data = path.read_bytes()
    except OSError:
        raise RouterError(f"the router's weights ({path.name}) cannot be read", _REPAIR) from None
    body = memoryview(data)[:-_DIGEST]
    if data[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != data[-_DIGEST:]:
        raise RouterError(f"the router's weights ({path.name}) are damaged: their SHA-256 is another one", _REPAIR)
    start = len(MAGIC) + 8
    end = start + int.from_bytes(body[len(MAGIC) : start], "little")
    content: dict[str, str | NDArray[Any]] = {}
    for name, (kind, shape, offset, length) in json.loads(bytes(body[start:end])).items():
        piece = body[end + offset : end + offset + length]
        content[name] = bytes(piece).decode() if kind == "text" else np.frombuffer(piece, kind).reshape(shape)
    return content
