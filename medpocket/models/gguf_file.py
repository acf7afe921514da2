"""What a GGUF file says about itself: its metadata and its table of tensors.

The values that come out of `medpocket.models.gguf_reader`; all of it was written by somebody else and
is only as true as the file. `medpocket.models.gguf_check` decides whether llama.cpp may see the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Union

# Number in the file -> (name, elements of a block, bytes of a block); ggml.h and ggml-common.h of llama.cpp 0c1e57098.
TENSOR_TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip

# `general.file_type` -> name; llama.h of llama.cpp 0c1e57098.
FILE_TYPES: Mapping[int, str] = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS",
    20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M",
    28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
    39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}  # fmt: skip

MAX_LAYERS = 512  # LLAMA_MAX_LAYERS
DEMONSTRATION_KEY = "medpocket.demonstration"  # in the file, so that a renamed copy is known too


@dataclass(frozen=True)
class ArrayInfo:
    """An array, or a text, that is too long to keep: the type of its elements and how many there are."""

    type: str
    count: int


Scalar = Union[int, float, bool, str]
Value = Union[Scalar, tuple[Scalar, ...], ArrayInfo]


@dataclass(frozen=True)
class TensorInfo:
    """One row of the tensor table. `offset` counts from `data_offset`; the first dimension of `shape` is a row."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    bytes: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class GgufFile:
    """A GGUF file's metadata and tensor table. `value_types` names each value's type: "u32", "str", "arr[f32]".

    `tokens_sha256` is the hash of the vocabulary as it is written: each token after its length; "" where there is none.

    Properties give None where the file does not say, or says it in a type that makes no sense.
    """

    path: Path
    size: int
    version: int
    metadata: Mapping[str, Value]
    value_types: Mapping[str, str]
    tensors: tuple[TensorInfo, ...]
    alignment: int
    data_offset: int
    other_parts: tuple[Path, ...] = ()
    tokens_sha256: str = ""

    def text(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int | None:
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def own(self, name: str) -> str:
        """The architecture's key of this name: `own("block_count")` is "llama.block_count"."""
        return f"{self.architecture}.{name}"

    def per_layer(self, name: str) -> tuple[int, ...]:
        """The architecture's value of this name for each layer, whether it is written once or as an array."""
        layers = self.block_count
        if layers is None or not 0 < layers <= MAX_LAYERS:
            return ()
        value = self.metadata.get(self.own(name))
        if isinstance(value, tuple):
            return tuple(int(one) for one in value if isinstance(one, int))
        return (value,) * layers if isinstance(value, int) else ()

    @property
    def architecture(self) -> str | None:
        return self.text("general.architecture")

    @property
    def name(self) -> str | None:
        return self.text("general.name")

    @property
    def kind(self) -> str:
        """`general.type`: "model", "adapter", "mmproj" or "imatrix"; files older than that key are models."""
        return self.text("general.type") or "model"

    @property
    def adapter_type(self) -> str | None:
        return self.text("adapter.type")

    @property
    def chat_template(self) -> str | None:
        return self.text("tokenizer.chat_template")

    @property
    def file_type(self) -> str | None:
        """The quantization's name, such as "Q4_K_M"."""
        number = self.number("general.file_type")
        return None if number is None else FILE_TYPES.get(number)

    @property
    def trained_context(self) -> int | None:
        return self.number(self.own("context_length"))

    @property
    def block_count(self) -> int | None:
        return self.number(self.own("block_count"))

    @property
    def embedding_length(self) -> int | None:
        return self.number(self.own("embedding_length"))

    @property
    def head_counts(self) -> tuple[int, ...]:
        """Attention heads of each layer."""
        return self.per_layer("attention.head_count")

    @property
    def kv_head_counts(self) -> tuple[int, ...]:
        """Heads that have keys and values, of each layer; as many as `head_counts` where the file does not say."""
        return self.per_layer("attention.head_count_kv") or self.head_counts

    @property
    def key_length(self) -> int | None:
        """Elements of one head's key."""
        return self._head_length("attention.key_length")

    @property
    def value_length(self) -> int | None:
        """Elements of one head's value."""
        return self._head_length("attention.value_length")

    def _head_length(self, name: str) -> int | None:
        written = self.number(self.own(name))
        if written is not None:
            return written
        heads, embedding = self.head_counts, self.embedding_length
        return embedding // heads[0] if embedding is not None and heads and heads[0] > 0 else None

    @property
    def tokenizer_model(self) -> str | None:
        """How text becomes tokens: "llama" (SentencePiece), "gpt2" (byte-level BPE), ..."""
        return self.text("tokenizer.ggml.model")

    @property
    def vocabulary_size(self) -> int | None:
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        if isinstance(tokens, ArrayInfo):
            return tokens.count
        return len(tokens) if isinstance(tokens, tuple) else self.number(self.own("vocab_size"))

    @property
    def expert_count(self) -> int:
        """Experts of a mixture of experts; 0 for a dense model."""
        return self.number(self.own("expert_count")) or 0

    @property
    def parameters(self) -> int:
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def tensor_bytes(self) -> int:
        """Bytes of all tensors, those of the file's other parts too."""
        return sum(tensor.bytes for tensor in self.tensors)
