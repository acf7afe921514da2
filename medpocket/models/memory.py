"""How much memory a model needs, and whether there is that much.

What is counted is what will be resident at the peak: pages that llama.cpp reserves and never writes take none.
"""

from dataclasses import dataclass

from medpocket.models.shape import F32_BYTES, ModelShape, type_bytes

CONTEXT_STEP = 256  # llama.cpp rounds a context up to a multiple of this (llama-context.cpp)
SMALLEST_CONTEXT = 512  # tokens; less is of no use
BATCH = 512
KV_TYPE = "F16"

# Python with what `ask` imports, a history that it opens, llama.cpp's code and its state: measured on Linux, Python
# 3.11, without a vocabulary.
PROGRAM_BYTES = 61 * 10**6
# Measured on vocabularies of 32,000 and 128,256 tokens and 280,147 merges: 130 to 172 bytes a token, 169 a merge.
TOKEN_BYTES, MERGE_BYTES = 170, 170
_MASK_BYTES = 2  # f16, for each token of a batch and each of the context
# The largest buffers of a layer hold three rows of the feed-forward part and three embeddings for each token of a
# batch; within 12 % of what llama.cpp 0c1e57098 reserves for 14 shapes. The matrices' input is quantized beside them,
# at most to f16.
_ROWS_HELD = 3
_WORK_BYTES = 2


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that a model needs for a context of `context` tokens.

    `kv_per_token` is what the keys and values of a token take, an upper bound where some layers see only a window;
    `state` does not grow with the context: what recurrent layers remember. `buffers` are what a batch is computed in;
    `buffers_per_token` is their part that grows with the context. `program` is Python, llama.cpp and the vocabulary.
    """

    weights: int
    kv_per_token: int
    context: int
    state: int = 0
    buffers: int = 0
    buffers_per_token: int = 0
    program: int = PROGRAM_BYTES
    adapters: int = 0

    @property
    def kv(self) -> int:
        return self.kv_per_token * _rounded_up(self.context)

    @property
    def computing(self) -> int:
        """Bytes of the buffers, for the whole context."""
        return self.buffers + self.buffers_per_token * _rounded_up(self.context)

    @property
    def total(self) -> int:
        return self.weights + self.kv + self.state + self.computing + self.program + self.adapters

    def largest_context(self, available_bytes: int) -> int:
        """The most tokens for which the model fits, a multiple of 256; 0 where it does not fit at all."""
        per_token = self.kv_per_token + self.buffers_per_token
        left = available_bytes - (self.total - per_token * _rounded_up(self.context))
        if left < 0:
            return 0
        if not per_token:
            return self.context
        return min(left // per_token // CONTEXT_STEP * CONTEXT_STEP, _rounded_up(self.context))


def _rounded_up(tokens: int) -> int:
    return -(-tokens // CONTEXT_STEP) * CONTEXT_STEP


def memory_need(
    shape: ModelShape, context: int, *, batch: int = BATCH, kv_type: str = KV_TYPE, adapter_bytes: int = 0
) -> MemoryNeed:
    """What the model needs for `context` tokens that are read `batch` at a time, on the processor alone."""
    batch = min(batch, _rounded_up(context))
    rows = _ROWS_HELD * (shape.feed_forward + shape.embedding) * F32_BYTES + shape.feed_forward * _WORK_BYTES
    return MemoryNeed(
        weights=shape.weights,
        kv_per_token=sum(type_bytes(kv_type, layer.kv_elements) for layer in shape.layers),
        context=context,
        state=shape.state,
        buffers=batch * rows,
        buffers_per_token=batch * _MASK_BYTES,
        program=PROGRAM_BYTES + shape.vocabulary * TOKEN_BYTES + shape.merges * MERGE_BYTES,
        adapters=adapter_bytes,
    )


def gigabytes(count: int) -> str:
    """A size for people: "4.4 GB", and two places below 0.1 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e9:.2f} GB"
