"""What of a model costs memory and time: the bytes of its layers, its keys and values, its matrices by type.

Out of a file's tensor table, or, for a model that is not here, out of what is known of its architecture
(`medpocket.models.known_shapes`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from medpocket.models.gguf_file import TENSOR_TYPES, ArrayInfo, GgufFile, TensorInfo

F32_BYTES = 4
_LAYER = re.compile(r"blk\.(\d+)\.")
_BLOCKS = {name: (elements, size) for name, elements, size in TENSOR_TYPES.values()}


def type_bytes(name: str, elements: int) -> int:
    """Bytes of so many elements of a tensor type, in whole blocks."""
    block, size = _BLOCKS[name]
    return -(-elements // block) * size


@dataclass(frozen=True)
class LayerShape:
    """One layer. `matrices`: for each tensor type the elements that a token is multiplied with.

    Of a mixture of experts these are the ones that a token uses. `kv_elements` are keys and values of one token;
    `head_elements` those of its queries.
    """

    weights: int
    kv_elements: int = 0
    head_elements: int = 0
    matrices: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ModelShape:
    """A model. `estimated`: no file was looked at. Lengths in elements, `state` and `input_bytes` in bytes.

    `input_bytes` are the embeddings of the vocabulary, of which a token reads one row; `output` is the last matrix.
    `tied`: that matrix is the embeddings again. `state` is what recurrent layers remember.
    """

    architecture: str
    layers: tuple[LayerShape, ...]
    output: LayerShape
    input_bytes: int
    embedding: int
    feed_forward: int
    vocabulary: int
    merges: int = 0
    state: int = 0
    tied: bool = False
    estimated: bool = False

    @property
    def weights(self) -> int:
        return self.input_bytes + self.output.weights + sum(layer.weights for layer in self.layers)

    @property
    def kv_elements(self) -> int:
        return sum(layer.kv_elements for layer in self.layers)

    @property
    def matrices(self) -> Mapping[str, int]:
        """For each tensor type the elements that a token is multiplied with, in all layers and at the end."""
        found: Counter[str] = Counter()
        for layer in (*self.layers, self.output):
            found.update(layer.matrices)
        return found


def shape_of(gguf: GgufFile) -> ModelShape:
    """The shape of a file that was checked."""
    count = gguf.block_count or 0
    used = max(gguf.per_layer("expert_used_count"), default=0)
    share = used / gguf.expert_count if gguf.expert_count else 1.0
    in_layer: dict[int, list[TensorInfo]] = {number: [] for number in range(count)}
    others: list[TensorInfo] = []
    for tensor in gguf.tensors:
        match = _LAYER.match(tensor.name)
        in_layer.get(int(match[1]) if match else -1, others).append(tensor)
    head = (gguf.key_length or 0) + (gguf.value_length or 0)
    heads, kv_heads = gguf.head_counts or (0,) * count, gguf.kv_head_counts or (0,) * count
    layers = tuple(
        LayerShape(
            sum(tensor.bytes for tensor in in_layer[number]),
            kv_heads[number] * head,
            heads[number] * head,
            _matrices(in_layer[number], share),
        )
        for number in range(count)
    )
    embeddings = [tensor for tensor in others if tensor.name == "token_embd.weight"]
    ends = [tensor for tensor in others if tensor.name != "token_embd.weight"]
    tied = not any(tensor.name == "output.weight" for tensor in ends)
    output = LayerShape(sum(tensor.bytes for tensor in ends), matrices=_matrices(embeddings if tied else ends, share))
    return ModelShape(
        architecture=gguf.architecture or "unknown",
        layers=layers,
        output=output,
        input_bytes=sum(tensor.bytes for tensor in embeddings),
        embedding=gguf.embedding_length or 0,
        feed_forward=_widest(gguf),
        vocabulary=gguf.vocabulary_size or 0,
        merges=_count(gguf, "tokenizer.ggml.merges"),
        state=_recurrent_state(gguf),
        tied=tied,
    )


def _matrices(tensors: Iterable[TensorInfo], share: float) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for tensor in tensors:
        if sum(one > 1 for one in tensor.shape) > 1:
            of_expert = "_exps." in tensor.name
            found[tensor.type] += round(prod(tensor.shape) * (share if of_expert else 1))
    return dict(found)


def _count(gguf: GgufFile, key: str) -> int:
    value = gguf.metadata.get(key)
    if isinstance(value, ArrayInfo):
        return value.count
    return len(value) if isinstance(value, tuple) else 0


def _widest(gguf: GgufFile) -> int:
    """The longest row inside a layer: of the feed-forward part, or of the experts that a token uses together."""
    experts = max(gguf.per_layer("expert_used_count"), default=0)
    of_experts = (gguf.number(gguf.own("expert_feed_forward_length")) or 0) * max(1, experts)
    return max((*gguf.per_layer("feed_forward_length"), of_experts))


def _recurrent_state(gguf: GgufFile) -> int:
    """Bytes that recurrent layers remember, as if all layers were; `n_embd_r` and `n_embd_s` of llama-hparams.cpp."""

    def number(name: str) -> int:
        return gguf.number(gguf.own(name)) or 0

    inner, state = number("ssm.inner_size"), number("ssm.state_size")
    convolution = max(number("ssm.conv_kernel") - 1, 0) * (inner + 2 * number("ssm.group_count") * state)
    embedding = gguf.embedding_length or 0
    wkv = number("wkv.head_size")
    rwkv = embedding * (wkv + number("token_shift_count")) if wkv else 0
    return (gguf.block_count or 0) * (convolution + inner * state + rwkv) * F32_BYTES
