"""Take a GGUF file apart, change anything, and put it together again, sound or not."""

import struct
from dataclasses import dataclass, field
from pathlib import Path

from medpocket.models.gguf_file import TENSOR_TYPES
from tests.models.gguf_seeds import BUILDS, write_seed

LAYOUTS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
U8, U16, U32, I32, F32, BOOL, STRING, ARRAY = 0, 2, 4, 5, 6, 7, 8, 9
F16_TENSOR, Q8_0_TENSOR, I32_TENSOR = 1, 8, 26


@dataclass
class Tensor:
    name: bytes
    shape: list[int]
    kind: int
    offset: int
    data: bytes = b""


@dataclass
class Parts:
    """A GGUF file taken apart: each value as its type's number and the bytes that follow it."""

    version: int
    pairs: list[tuple[bytes, int, bytes]]
    tensors: list[Tensor]
    alignment: int = 32
    counts: tuple[int, int] | None = None
    header: bytearray = field(default_factory=bytearray)

    def find(self, suffix: str) -> int | None:
        """Where the pair is whose key ends so."""
        return next((n for n, (key, _, _) in enumerate(self.pairs) if key.endswith(suffix.encode())), None)

    def index(self, key: str) -> int:
        """Where the pair of exactly this key is. Raises StopIteration without one."""
        return next(n for n, (own, _, _) in enumerate(self.pairs) if own == key.encode())

    def drop(self, key: str) -> None:
        self.pairs = [pair for pair in self.pairs if pair[0] != key.encode()]

    def set(self, key: str, kind: int, value: object) -> None:
        """Give this key this value, written as this type; a list becomes an array of it."""
        payload = array_bytes(kind, value) if isinstance(value, list) else scalar_bytes(kind, value)
        pair = (key.encode(), ARRAY if isinstance(value, list) else kind, payload)
        known = [own for own, _, _ in self.pairs]
        if pair[0] in known:
            self.pairs[known.index(pair[0])] = pair
        else:
            self.pairs.append(pair)

    def tensor(self, name: str) -> Tensor:
        return next(tensor for tensor in self.tensors if tensor.name == name.encode())

    def tokens(self) -> list[bytes]:
        return split_strings(self.pairs[self.index("tokenizer.ggml.tokens")][2])

    def layout(self) -> None:
        """Put the tensors one after the other again, each as long as its shape and type want it."""
        offset = 0
        for tensor in self.tensors:
            size = tensor_bytes(tensor.shape, tensor.kind)
            tensor.data = tensor.data[:size].ljust(size, b"\0")
            tensor.offset = offset
            offset += -(-size // self.alignment) * self.alignment

    def write(self) -> bytes:
        counts = self.counts or (len(self.tensors), len(self.pairs))
        out = bytearray(b"GGUF" + struct.pack("<I", self.version) + packed("Q", counts[0]) + packed("Q", counts[1]))
        for key, kind, payload in self.pairs:
            out += text_bytes(key) + struct.pack("<I", kind) + payload
        for tensor in self.tensors:
            out += text_bytes(tensor.name) + struct.pack("<I", len(tensor.shape))
            out += b"".join(packed("Q", one) for one in tensor.shape)
            out += packed("I", tensor.kind) + packed("Q", tensor.offset)
        self.header = bytearray(out)
        for tensor in self.tensors:
            out += b"\0" * (-len(out) % self.alignment) + tensor.data
        return bytes(out)


def tensor_bytes(shape: list[int], kind: int) -> int:
    """Bytes of a tensor, and none where its shape is absurd: mutants stay small."""
    elements = 1
    for one in shape:
        elements *= one
    _, block, size = TENSOR_TYPES.get(kind, ("?", 1, 4))
    return elements // block * size if 0 <= elements < 1 << 22 else 0


def packed(layout: str, value: int) -> bytes:
    size = struct.calcsize(layout)
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def text_bytes(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def take_apart(data: bytes) -> Parts:
    """Read a sound GGUF file."""
    version, tensor_count, key_count = struct.unpack_from("<IQQ", data, 4)
    position = 24

    def text() -> bytes:
        nonlocal position
        (length,) = struct.unpack_from("<Q", data, position)
        position += 8 + length
        return data[position - length : position]

    pairs = []
    for _ in range(key_count):
        key = text()
        (kind,) = struct.unpack_from("<I", data, position)
        position += 4
        start = position
        if kind == STRING:
            text()
        elif kind == ARRAY:
            element, count = struct.unpack_from("<IQ", data, position)
            position += 12
            if element == STRING:
                for _ in range(count):
                    text()
            else:
                position += count * struct.calcsize(LAYOUTS[element])
        else:
            position += struct.calcsize(LAYOUTS[kind])
        pairs.append((key, kind, data[start:position]))
    tensors = []
    for _ in range(tensor_count):
        name = text()
        (dimensions,) = struct.unpack_from("<I", data, position)
        *shape, kind, offset = struct.unpack_from(f"<{dimensions}QIQ", data, position + 4)
        position += 4 + 8 * dimensions + 12
        tensors.append(Tensor(name, list(shape), kind, offset))
    start = -(-position // 32) * 32
    for tensor in tensors:
        begin = start + tensor.offset
        tensor.data = data[begin : begin + tensor_bytes(tensor.shape, tensor.kind)]
    return Parts(version, pairs, tensors)


def split_strings(payload: bytes) -> list[bytes]:
    (count,) = struct.unpack_from("<Q", payload, 4)
    position, found = 12, []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", payload, position)
        found.append(payload[position + 8 : position + 8 + length])
        position += 8 + length
    return found


def joined_strings(strings: list[bytes]) -> bytes:
    return struct.pack("<IQ", STRING, len(strings)) + b"".join(map(text_bytes, strings))


def scalar_bytes(kind: int, value: object) -> bytes:
    if kind == STRING:
        return text_bytes(value if isinstance(value, bytes) else str(value).encode())
    return struct.pack(f"<{LAYOUTS[kind]}", value)


def array_bytes(kind: int, values: list[object]) -> bytes:
    return struct.pack("<IQ", kind, len(values)) + b"".join(scalar_bytes(kind, value) for value in values)


def parts_of(build: str, folder: Path) -> Parts:
    """A tiny sound model of this build, taken apart."""
    return take_apart(write_seed(folder / "seed.gguf", BUILDS[build]).read_bytes())


def write(parts: Parts, folder: Path, name: str = "model.gguf") -> Path:
    path = folder / name
    path.write_bytes(parts.write())
    return path
