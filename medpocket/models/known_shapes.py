"""Shapes of models that are not here: what their architecture's own configuration says, and llama.cpp's types.

Lengths are those of `config.json` of each family's base model. Q4_K_M is laid out as `llama_tensor_get_type` of
llama-quant.cpp does (llama.cpp 0c1e57098): half of `attn_v` and `ffn_down`, and the output, are Q6_K.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from medpocket.models.shape import F32_BYTES, LayerShape, ModelShape, type_bytes
from medpocket.registry import ModelSpec

_PLAIN_TYPES = ("F32", "F16", "BF16", "Q8_0")


@dataclass(frozen=True)
class _Lengths:
    embedding: int
    feed_forward: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    merges: int = 0


# (words of the registry's `architecture`, its `parameters`)
_KNOWN = {
    ("mistral", "7b"): _Lengths(4096, 14336, 32, 32, 8, 32_000),
    ("llama 3", "8b"): _Lengths(4096, 14336, 32, 32, 8, 128_256, 280_147),
    ("llama 3", "70b"): _Lengths(8192, 28672, 80, 64, 8, 128_256, 280_147),
    ("llama 2", "70b"): _Lengths(8192, 28672, 80, 64, 8, 32_000),
    ("llama 2", "7b"): _Lengths(4096, 11008, 32, 32, 32, 32_000),
    ("llama", "7b"): _Lengths(4096, 11008, 32, 32, 32, 32_000),
    ("llama", "13b"): _Lengths(5120, 13824, 40, 40, 40, 32_000),
    ("llama 2", "13b"): _Lengths(5120, 13824, 40, 40, 40, 32_000),
}


def known_shape(spec: ModelSpec) -> ModelShape | None:
    """The shape of the registry's model, estimated; None where its architecture or its quantization is not known."""
    family = re.sub(r"[\s-]+", " ", spec.architecture.lower()).strip()
    family = re.sub(r"^llama(?=\d)", "llama ", family)
    lengths = _KNOWN.get((family, spec.parameters.lower()))
    if lengths is None or spec.quantization not in (*_PLAIN_TYPES, "Q4_K_M"):
        return None
    return _shape(lengths, spec.quantization)


def _shape(lengths: _Lengths, quantization: str) -> ModelShape:
    head = lengths.embedding // lengths.heads
    kv, width, inner = lengths.kv_heads * head, lengths.embedding, lengths.feed_forward
    base = "Q4_K" if quantization == "Q4_K_M" else quantization
    better = "Q6_K" if quantization == "Q4_K_M" else quantization
    layers = []
    for number in range(lengths.layers):
        some = better if _more_bits(number, lengths.layers) else base
        # In the 70B models 8 heads share one of values: these are small, and get more bits in every layer.
        values = "Q5_K" if quantization == "Q4_K_M" and lengths.layers == 80 and some == base else some
        matrices = [(base, 2 * width * width), (base, width * kv), (values, width * kv)]
        matrices += [(base, 2 * width * inner), (some, width * inner)]
        layers.append(_layer(matrices, norms=2 * width, kv_elements=2 * kv, head_elements=2 * width))
    vocabulary = lengths.vocabulary * width
    return ModelShape(
        architecture="llama",
        layers=tuple(layers),
        output=_layer([(better, vocabulary)], norms=width),
        input_bytes=type_bytes(base, vocabulary),
        embedding=width,
        feed_forward=inner,
        vocabulary=lengths.vocabulary,
        merges=lengths.merges,
        estimated=True,
    )


def _more_bits(layer: int, layers: int) -> bool:
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _layer(
    matrices: Iterable[tuple[str, int]], *, norms: int, kv_elements: int = 0, head_elements: int = 0
) -> LayerShape:
    together: Counter[str] = Counter()
    for kind, elements in matrices:
        together[kind] += elements
    size = sum(type_bytes(kind, elements) for kind, elements in together.items())
    return LayerShape(size + norms * F32_BYTES, kv_elements, head_elements, dict(together))
