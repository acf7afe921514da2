"""Read a GGUF file's metadata and tensor table: fast, and safe on a file that lies.

The gguf package's own reader imports numpy and takes seconds on a real vocabulary. This one steps over
long arrays, allocates nothing by a number that came from the file, and bounds every count by the bytes
that are left. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import hashlib
import mmap
import struct
from pathlib import Path
from struct import Struct

from medpocket.errors import ModelFileError
from medpocket.models.gguf_file import TENSOR_TYPES, ArrayInfo, GgufFile, Scalar, TensorInfo, Value
from medpocket.models.gguf_kinds import AGAIN, require_gguf, shown

VERSIONS = (2, 3)
TOKENS_KEY = "tokenizer.ggml.tokens"

# Far above any real model's, so that a hostile file can cost neither time nor memory.
MAX_KEYS = 4096
MAX_KEY_BYTES = 512
MAX_TENSORS = 32_768
MAX_STRINGS = 3_000_000  # in all arrays together; the largest vocabularies have 0.8 million tokens and merges
MAX_KEPT_ARRAY = 512  # LLAMA_MAX_LAYERS: what is written once a layer is kept
MAX_KEPT_TEXT = 1 << 20
MAX_KEPT_TEXTS = 16 << 20  # of the whole header
MAX_VOCABULARY_BYTES = 64 << 20
MAX_TENSOR_NAME = 63  # GGML_MAX_NAME with its end
MAX_DIMENSIONS = 4
DEFAULT_ALIGNMENT = 32
MAX_ALIGNMENT = 1 << 20

# Type's number -> (name, layout).
SCALARS: dict[int, tuple[str, Struct]] = {
    0: ("u8", Struct("<B")), 1: ("i8", Struct("<b")), 2: ("u16", Struct("<H")), 3: ("i16", Struct("<h")),
    4: ("u32", Struct("<I")), 5: ("i32", Struct("<i")), 6: ("f32", Struct("<f")), 7: ("bool", Struct("<?")),
    10: ("u64", Struct("<Q")), 11: ("i64", Struct("<q")), 12: ("f64", Struct("<d")),
}  # fmt: skip
STRING, ARRAY = 8, 9
U32, U64 = SCALARS[4][1], SCALARS[10][1]


class _DamageError(Exception):
    """What is wrong with the file, as the end of a sentence that begins with its name."""


class _EndOfFileError(Exception):
    """The header goes on where the file ends."""


class _Reader:
    """A cursor over the file; every step is checked against its end."""

    def __init__(self, data: mmap.mmap, position: int) -> None:
        self.data = data
        self.size = len(data)
        self.position = position
        self.strings_left = MAX_STRINGS
        self.kept_left = MAX_KEPT_TEXTS
        self.tokens: list[bytes] | None = None
        self.tokens_sha256 = ""

    def take(self, layout: Struct) -> Scalar:
        try:
            (value,) = layout.unpack_from(self.data, self.position)
        except struct.error:
            raise _EndOfFileError from None
        self.position += layout.size
        return value  # type: ignore[no-any-return]

    def count(self, layout: Struct = U64) -> int:
        return int(self.take(layout))

    def skip(self, length: int) -> None:
        if length > self.size - self.position:
            raise _EndOfFileError
        self.position += length

    def text(self, limit: int) -> bytes | int:
        """The next text, or its length where it is longer than `limit` or the header's texts are too many."""
        length = self.count()
        start = self.position
        self.skip(length)
        if length > min(limit, self.kept_left):
            return length
        self.kept_left -= length
        return self.data[start : self.position]

    def value(self, key: str) -> tuple[str, Value]:
        """The next value, and the name of its type."""
        kind = self.count(U32)
        if kind == STRING:
            text = self.text(MAX_KEPT_TEXT)
            return "str", ArrayInfo("text", text) if isinstance(text, int) else _decoded(text)
        if kind == ARRAY:
            return self.array(key)
        if kind not in SCALARS:
            raise _DamageError(f"is damaged: {shown(key)} has a value of unknown type {kind}")
        name, layout = SCALARS[kind]
        return name, self.take(layout)

    def array(self, key: str) -> tuple[str, Value]:
        kind, count = self.count(U32), self.count()
        if kind == STRING:
            return "arr[str]", self.strings(key, count)
        if kind not in SCALARS:
            raise _DamageError(f"is damaged: {shown(key)} is an array of unknown type {kind}")
        name, layout = SCALARS[kind]
        start = self.position
        self.skip(count * layout.size)
        if count > MAX_KEPT_ARRAY:
            return f"arr[{name}]", ArrayInfo(name, count)
        return f"arr[{name}]", tuple(one for (one,) in layout.iter_unpack(self.data[start : self.position]))

    def strings(self, key: str, count: int) -> Value:
        if count * U64.size > self.size - self.position:
            raise _EndOfFileError
        if count > self.strings_left:
            raise _DamageError(f"is damaged: {shown(key)} has {count:,} entries")
        self.strings_left -= count
        if key == TOKENS_KEY:
            start = self.position
            self.tokens = self.slices(count)
            self.tokens_sha256 = hashlib.sha256(self.data[start : self.position]).hexdigest()
        elif count <= MAX_KEPT_ARRAY:
            start = self.position
            kept = self.slices(count)
            if self.position - start <= min(MAX_KEPT_TEXT, self.kept_left):
                self.kept_left -= self.position - start
                return tuple(_decoded(one) for one in kept)
        else:
            self.step_over_strings(count)
        return ArrayInfo("str", count)

    def slices(self, count: int) -> list[bytes]:
        """The next `count` texts. The tight loop of a vocabulary: about 0.14 µs each."""
        data, position = self.data, self.position
        end = min(self.size, position + MAX_VOCABULARY_BYTES)
        length_at = U64.unpack_from
        found: list[bytes] = []
        add = found.append
        try:
            for _ in range(count):
                start = position + 8
                position = start + length_at(data, position)[0]
                if position > end:
                    raise (
                        _EndOfFileError
                        if position > self.size
                        else _DamageError("is damaged: its vocabulary is too large")
                    )
                add(data[start:position])
        except struct.error:
            raise _EndOfFileError from None
        self.position = position
        return found

    def step_over_strings(self, count: int) -> None:
        data, position = self.data, self.position
        length_at = U64.unpack_from
        try:
            for _ in range(count):
                position += 8 + length_at(data, position)[0]
        except (struct.error, OverflowError):
            raise _EndOfFileError from None
        if position > self.size:
            raise _EndOfFileError
        self.position = position


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", errors="backslashreplace")


def _metadata(reader: _Reader, count: int) -> tuple[dict[str, Value], dict[str, str]]:
    if count > MAX_KEYS:
        raise _DamageError(f"is damaged: its header has {count:,} entries")
    values: dict[str, Value] = {}
    types: dict[str, str] = {}
    for number in range(count):
        written = reader.text(MAX_KEY_BYTES)
        if isinstance(written, int) or not written:
            raise _DamageError(f"is damaged: name {number + 1} of its header cannot be read")
        key = _decoded(written)
        if key in values:
            raise _DamageError(f"is damaged: {shown(key)} is there twice")
        types[key], values[key] = reader.value(key)
    return values, types


def _alignment(values: dict[str, Value], types: dict[str, str]) -> int:
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if types.get("general.alignment", "u32") != "u32" or not isinstance(alignment, int):
        raise _DamageError("is damaged: its alignment is not a number")
    if not 0 < alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise _DamageError(f"is damaged: its alignment is {alignment}, not a power of two")
    return alignment


def _tensor(reader: _Reader, number: int) -> TensorInfo:
    written = reader.text(MAX_TENSOR_NAME)
    if isinstance(written, int) or not written or b"\0" in written:
        raise _DamageError(f"is damaged: the name of tensor {number + 1} cannot be read")
    name = _decoded(written)
    dimensions = reader.count(U32)
    if not 0 < dimensions <= MAX_DIMENSIONS:
        raise _DamageError(f"is damaged: tensor {shown(name)} has {dimensions} dimensions")
    shape = tuple(reader.count() for _ in range(dimensions))
    kind = reader.count(U32)
    offset = reader.count()
    if kind not in TENSOR_TYPES:
        raise _DamageError(f"cannot be run: tensor {shown(name)} has type {kind}, which this llama.cpp does not know")
    type_name, block, block_bytes = TENSOR_TYPES[kind]
    if min(shape) < 1:
        raise _DamageError(f"is damaged: tensor {shown(name)} is empty")
    if shape[0] % block:
        raise _DamageError(f"is damaged: rows of {shape[0]} do not fit tensor {shown(name)}'s type {type_name}")
    tensor = TensorInfo(name, shape, type_name, offset, 0)
    elements = tensor.elements
    if elements >= 1 << 62:
        raise _DamageError(f"is damaged: tensor {shown(name)} is larger than any file")
    return TensorInfo(name, shape, type_name, offset, elements // block * block_bytes)


def _tensor_table(reader: _Reader, count: int, alignment: int) -> tuple[TensorInfo, ...]:
    """Read the table; its tensors follow each other without a gap, as llama.cpp wants them."""
    if count > MAX_TENSORS:
        raise _DamageError(f"is damaged: its header announces {count:,} tensors")
    tensors: list[TensorInfo] = []
    names: set[str] = set()
    expected = 0
    for number in range(count):
        tensor = _tensor(reader, number)
        if tensor.name in names:
            raise _DamageError(f"is damaged: tensor {shown(tensor.name)} is there twice")
        if tensor.offset != expected:
            raise _DamageError(f"is damaged: tensor {shown(tensor.name)} is not where it should be")
        names.add(tensor.name)
        tensors.append(tensor)
        expected += -(-tensor.bytes // alignment) * alignment
    return tuple(tensors)


def _parse(path: Path, data: mmap.mmap) -> tuple[GgufFile, list[bytes] | None]:
    reader = _Reader(data, position=4)
    version = reader.count(U32)
    if version not in VERSIONS:
        if version and not version & 0xFFFF:
            raise _DamageError("is a GGUF file in another byte order (big-endian), which cannot be run here")
        raise _DamageError(f"is GGUF version {version}; versions 2 and 3 can be run")
    tensor_count, key_count = reader.count(), reader.count()
    values, types = _metadata(reader, key_count)
    alignment = _alignment(values, types)
    tensors = _tensor_table(reader, tensor_count, alignment)
    data_offset = -(-reader.position // alignment) * alignment
    needed = data_offset + tensors[-1].offset + tensors[-1].bytes if tensors else 0
    if needed > len(data):
        raise _DamageError(f"is not complete: {len(data):,} of {needed:,} bytes are there")
    gguf = GgufFile(
        path, len(data), version, values, types, tensors, alignment, data_offset, tokens_sha256=reader.tokens_sha256
    )
    return gguf, reader.tokens


def read_with_tokens(path: Path) -> tuple[GgufFile, list[bytes] | None]:
    """Read the header, and the vocabulary, where there is one, as the bytes of each token. Raises ModelFileError."""
    size = require_gguf(path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _parse(path, data)
    except _DamageError as damage:
        raise ModelFileError(f"{shown(path.name)} {damage}", AGAIN) from None
    except _EndOfFileError:
        message = f"{shown(path.name)} is not complete: it ends inside its header ({size:,} bytes)"
        raise ModelFileError(message, AGAIN) from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{shown(path.name)} cannot be read: {shown(str(error))}", AGAIN) from None


def read_gguf(path: Path) -> GgufFile:
    """Read a GGUF file's metadata and tensor table. Raises ModelFileError when it is missing, no GGUF, or damaged."""
    return read_with_tokens(path)[0]
