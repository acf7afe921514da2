"""How much memory a model needs, and whether there is that much."""

from dataclasses import dataclass

from medpocket.errors import MemoryShortError
from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_kinds import shown

OVERHEAD_BYTES = 150 * 10**6  # compute buffers (118 MiB at 512 tokens a batch), the vocabulary, Python
F16_BYTES, F32_BYTES = 2, 4
CONTEXT_STEP = 256  # llama.cpp rounds a context up to a multiple of this (llama-context.cpp)
SMALLEST_CONTEXT = 512


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes that a model needs for a context of `context` tokens.

    `kv` is what the keys and values of all its tokens take, an upper bound where some layers see only a window;
    `state` does not grow with the context: what recurrent layers remember.
    """

    weights: int
    kv_per_token: int
    context: int
    state: int = 0
    overhead: int = OVERHEAD_BYTES

    @property
    def kv(self) -> int:
        return self.kv_per_token * _rounded_up(self.context)

    @property
    def total(self) -> int:
        return self.weights + self.kv + self.state + self.overhead

    def largest_context(self, available_bytes: int) -> int:
        """The most tokens for which the model fits, a multiple of 256; 0 where it does not fit at all."""
        left = available_bytes - (self.total - self.kv)
        if left < 0:
            return 0
        if not self.kv_per_token:
            return self.context
        return min(left // self.kv_per_token // CONTEXT_STEP * CONTEXT_STEP, _rounded_up(self.context))


def _rounded_up(tokens: int) -> int:
    return -(-tokens // CONTEXT_STEP) * CONTEXT_STEP


def memory_need(gguf: GgufFile, context: int) -> MemoryNeed:
    """What `gguf` needs for `context` tokens: its tensors, keys and values in f16, and what does not grow."""
    head = (gguf.key_length or 0) + (gguf.value_length or 0)
    return MemoryNeed(
        weights=gguf.tensor_bytes,
        kv_per_token=sum(gguf.kv_head_counts) * head * F16_BYTES,
        context=context,
        state=_recurrent_state(gguf),
    )


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


def memory_short(need: MemoryNeed, available_bytes: int, smaller: str | None = None) -> MemoryShortError:
    """Return the error for a model that does not fit, with the numbers.

    The hint names the largest context that would fit; where none does, `smaller`, the caller's smaller choice.
    """
    message = (
        f"the model needs {_gigabytes(need.total)} of memory ({_gigabytes(need.weights)} weights, "
        f"{_gigabytes(need.kv + need.state)} for {need.context:,} tokens of context) "
        f"and {_gigabytes(available_bytes)} is free"
    )
    fitting = need.largest_context(available_bytes)
    if fitting >= SMALLEST_CONTEXT:
        hint = f"a smaller context fits: -o context {fitting}"
    elif smaller:
        hint = shown(smaller, 200)
    else:
        hint = "close other programs, or choose a smaller model"
    return MemoryShortError(message, hint)


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e9:.2f} GB"
