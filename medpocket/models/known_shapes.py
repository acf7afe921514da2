"""Shapes of models that are not here: the registry's lengths, their family's vocabulary, and llama.cpp's types.

A vocabulary is that of the family's own tokenizer. Q4_K_M is laid out as `llama_tensor_get_type` of
llama-quant.cpp does (llama.cpp 0c1e57098): half of `attn_v` and `ffn_down`, and the output, are Q6_K.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from medpocket.models.shape import F32_BYTES, LayerShape, ModelShape, type_bytes
from medpocket.registry import ModelSpec

_PLAIN_TYPES = ("F32", "F16", "BF16", "Q8_0")


@dataclass(frozen=True)
class _Tokens:
    vocabulary: int
    merges: int = 0


# By the words of the registry's `architecture`.
_TOKENS = {
    "mistral": _Tokens(32_000),
    "llama": _Tokens(32_000),
    "llama 2": _Tokens(32_000),
    "llama 3": _Tokens(128_256, 280_147),
}


def known_shape(spec: ModelSpec) -> ModelShape | None:
    """The shape of the registry's model, estimated; None where its row has none or its family is not known."""
    family = re.sub(r"[\s-]+", " ", spec.architecture.lower()).strip()
    family = re.sub(r"^llama(?=\d)", "llama ", family)
    tokens = _TOKENS.get(family)
    if tokens is None or not spec.shape or spec.quantization not in (*_PLAIN_TYPES, "Q4_K_M"):
        return None
    return _shape(spec.shape, tokens, spec.quantization)


def _shape(lengths: Mapping[str, int], tokens: _Tokens, quantization: str) -> ModelShape:
    width, inner, count = lengths["embedding"], lengths["feed_forward"], lengths["layers"]
    kv = lengths["kv_heads"] * (width // lengths["heads"])
    base = "Q4_K" if quantization == "Q4_K_M" else quantization
    better = "Q6_K" if quantization == "Q4_K_M" else quantization
    layers = []
    for number in range(count):
        some = better if gets_more_bits(number, count) else base
        # In the 70B models 8 heads share one of values: these are small, and get more bits in every layer.
        values = "Q5_K" if quantization == "Q4_K_M" and count == 80 and some == base else some
        matrices = [(base, 2 * width * width), (base, width * kv), (values, width * kv)]
        matrices += [(base, 2 * width * inner), (some, width * inner)]
        layers.append(_layer(matrices, norms=2 * width, kv_elements=2 * kv, head_elements=2 * width))
    vocabulary = tokens.vocabulary * width
    return ModelShape(
        architecture="llama",
        layers=tuple(layers),
        output=_layer([(better, vocabulary)], norms=width),
        input_bytes=type_bytes(base, vocabulary),
        embedding=width,
        feed_forward=inner,
        vocabulary=tokens.vocabulary,
        merges=tokens.merges,
        estimated=True,
    )


def gets_more_bits(layer: int, layers: int) -> bool:
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _layer(
    matrices: Iterable[tuple[str, int]], *, norms: int, kv_elements: int = 0, head_elements: int = 0
) -> LayerShape:
    together: Counter[str] = Counter()
    for kind, elements in matrices:
        together[kind] += elements
    size = sum(type_bytes(kind, elements) for kind, elements in together.items())
    return LayerShape(size + norms * F32_BYTES, kv_elements, head_elements, dict(together))
