"""Which model a file is, whatever its quantization: adapters belong to a model and serve all of its files."""

import hashlib
import mmap
import struct
from collections.abc import Iterable, Iterator

from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_reader import read_gguf

# Written by every conversion of a model; each must be equal. What decides beside them: the vocabulary and the norms.
SHAPE_KEYS = (
    "block_count",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
)


def base_fingerprint(file: GgufFile) -> str:
    """Return the hash of a checked file's vocabulary, shapes and norms, which are F32 at every quantization."""
    shapes = [f"{key}={','.join(map(str, file.per_layer(key)))}" for key in SHAPE_KEYS if key != "embedding_length"]
    shapes.append(f"embedding_length={file.embedding_length}")
    return digest(file.architecture or "", shapes, file.tokens_sha256, _norms(file))


def digest(architecture: str, shapes: Iterable[str], tokens_sha256: str, norms: Iterable[tuple[str, bytes]]) -> str:
    """Return the hash of the four, whose `shapes` and `norms` (name, little-endian float32) may come in any order."""
    found = hashlib.sha256(f"{architecture}\n{' '.join(sorted(shapes))}\n{tokens_sha256}\n".encode())
    for name, values in sorted(norms):
        found.update(f"{name} {len(values)}\n".encode() + values)
    return found.hexdigest()


def hash_tokens(tokens: Iterable[bytes]) -> str:
    """Return the hash of a vocabulary, as GGUF writes it: each token after its length."""
    return hashlib.sha256(b"".join(struct.pack("<Q", len(token)) + token for token in tokens)).hexdigest()


def _norms(file: GgufFile) -> Iterator[tuple[str, bytes]]:
    parts = [read_gguf(path) for path in (file.path, *file.other_parts)] if file.other_parts else [file]
    for part in parts:
        with part.path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for tensor in part.tensors:
                if tensor.name.endswith("_norm.weight") and tensor.type == "F32":
                    start = part.data_offset + tensor.offset
                    yield tensor.name, data[start : start + tensor.bytes]
