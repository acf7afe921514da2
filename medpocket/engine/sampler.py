"""Choosing the next token with llama.cpp's own samplers."""

import ctypes
from types import TracebackType
from typing import TYPE_CHECKING

import llama_cpp

from medpocket.types import Sampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Sampler:
    """A chain of llama.cpp's samplers in its own default order, for one answer."""

    def __init__(self, sampling: Sampling, *, vocabulary_size: int, seed: int) -> None:
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        if sampling.repeat_penalty != 1.0:
            self._add(
                llama_cpp.llama_sampler_init_penalties(
                    vocabulary_size, sampling.repeat_last_n, sampling.repeat_penalty, 0.0, 0.0
                )
            )
        if sampling.temperature == 0:
            self._add(llama_cpp.llama_sampler_init_greedy())
            return
        if sampling.top_k:
            self._add(llama_cpp.llama_sampler_init_top_k(sampling.top_k))
        self._add(llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1))
        self._add(llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1))
        self._add(llama_cpp.llama_sampler_init_temp(sampling.temperature))
        self._add(llama_cpp.llama_sampler_init_dist(seed))

    def _add(self, sampler: int) -> None:
        llama_cpp.llama_sampler_chain_add(self._chain, sampler)

    def sample(self, context: int) -> int:
        """Choose a token from the logits of the last one decoded."""
        return int(llama_cpp.llama_sampler_sample(self._chain, context, -1))

    def choose(self, logits: "NDArray[np.float32]") -> int:
        """Choose a token from logits that were kept, (vocabulary,), as `sample` does."""
        import numpy as np

        tokens = (llama_cpp.llama_token_data * len(logits))()
        table = np.frombuffer(tokens, [("id", np.int32), ("logit", np.float32), ("p", np.float32)])
        table["id"], table["logit"] = np.arange(len(logits)), logits
        candidates = llama_cpp.llama_token_data_array(tokens, len(logits), -1, False)
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        token = int(candidates.data[candidates.selected].id)
        llama_cpp.llama_sampler_accept(self._chain, token)
        return token

    def __enter__(self) -> "Sampler":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        llama_cpp.llama_sampler_free(self._chain)
