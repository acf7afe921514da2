"""Expected tokens per second: what a model multiplies, over the rates that were measured on this machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from medpocket.models.shape import ModelShape, type_bytes

F16_BYTES = 2
FLOP_PER_ELEMENT = 2  # a multiplication and an addition
EXPECTED_DEPTH = 512  # tokens that are read already, where a speed is said without more
# For each token of an answer: laying out the computation, choosing the token, turning it into text; measured with the
# demonstration model on one core of an AMD EPYC, where it is more than half of the time.
TOKEN_S = 0.0017


@dataclass(frozen=True)
class Rates:
    """Of one tensor type, or of attention: bytes a second for one token at a time, FLOP a second for many at once."""

    single_bytes_s: float
    many_flop_s: float


@dataclass(frozen=True)
class MachineRates:
    """Rates of llama.cpp's own calculations on this machine with `threads` threads, by tensor type.

    `busy`: other programs computed while it was measured, so the machine is faster than this.
    """

    threads: int
    matrices: Mapping[str, Rates]
    attention: Rates
    busy: bool = False


@dataclass(frozen=True)
class Speed:
    """Tokens per second: of a prompt that is read, of an answer that is written."""

    prefill: float
    decode: float


def expected_speed(shape: ModelShape, rates: MachineRates, *, tokens: int = EXPECTED_DEPTH) -> Speed | None:
    """The speed of reading a prompt of so many tokens, and of the answer after it; None without a needed rate."""
    if not shape.matrices or not set(shape.matrices) <= set(rates.matrices):
        return None
    single = TOKEN_S + sum(
        type_bytes(kind, elements) / rates.matrices[kind].single_bytes_s for kind, elements in shape.matrices.items()
    )
    single += shape.kv_elements * F16_BYTES * tokens / rates.attention.single_bytes_s
    last = shape.output.matrices  # computed once for a prompt, not for each of its tokens
    many = sum(
        FLOP_PER_ELEMENT * (elements * tokens - last.get(kind, 0) * (tokens - 1)) / rates.matrices[kind].many_flop_s
        for kind, elements in shape.matrices.items()
    )
    queries = sum(layer.head_elements for layer in shape.layers)
    many += FLOP_PER_ELEMENT * queries * tokens * tokens / rates.attention.many_flop_s
    return Speed(prefill=tokens / many, decode=1 / single)
