"""The independent reference: a conversation read by a fresh context, batch by batch, through llama.cpp's C API.

It shares nothing with the engine but the token ids. What is read under which adapters is written down as a list of
batches; each batch is one decode.
"""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
import numpy as np

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Scaled

Batch = tuple[tuple[int, ...], tuple[Scaled, ...]]


class ColdRun:
    """A model with a context that is emptied before each conversation."""

    def __init__(self, path: Path, context: int, batch: int) -> None:
        parameters = llama_cpp.llama_model_default_params()
        parameters.use_extra_bufts = False
        parameters.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch = context, batch, batch
        options.n_threads = options.n_threads_batch = 1
        self._context = llama_cpp.llama_init_from_model(self._model, options)
        self._size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))
        self._handles: dict[str, object] = {}

    def logits(self, batches: Sequence[Batch]) -> np.ndarray:
        """Read everything anew; logits of the last token, (n_vocab,)."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        for tokens, adapters in batches:
            self._activate(adapters)
            array = (llama_cpp.llama_token * len(tokens))(*tokens)
            assert llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(tokens))) == 0
        return self._last()

    def _last(self) -> np.ndarray:
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, -1), (self._size,)).copy()

    def _activate(self, adapters: Sequence[Scaled]) -> None:
        for one in adapters:
            if one.file.sha256 not in self._handles:
                handle = llama_cpp.llama_adapter_lora_init(self._model, str(one.file.path).encode())
                assert handle
                self._handles[one.file.sha256] = handle
        count = len(adapters)
        if not count:
            assert llama_cpp.llama_set_adapters_lora(self._context, None, 0, None) == 0
            return
        handles = [self._handles[one.file.sha256] for one in adapters]
        scales = (ctypes.c_float * count)(*(one.scale for one in adapters))
        array = (llama_cpp.llama_adapter_lora_p_ctypes * count)(*handles)
        assert llama_cpp.llama_set_adapters_lora(self._context, array, count, scales) == 0

    def close(self) -> None:
        llama_cpp.llama_free(self._context)
        for handle in self._handles.values():
            llama_cpp.llama_adapter_lora_free(handle)
        llama_cpp.llama_model_free(self._model)


def same_batches(ids: Sequence[int], ends: Sequence[int], adapters: Sequence[Scaled], marker: int) -> list[Batch]:
    """The batches that end at `ends`.

    Ordinary adapters read everything; activated ones act from the marker before the answer on.
    """
    ordinary = tuple(one for one in adapters if not one.file.invocation)
    return [
        (tuple(ids[start:end]), tuple(adapters) if start >= marker else ordinary)
        for start, end in zip((0, *ends), ends, strict=False)
    ]


def free_batches(prompt: Prompt, adapters: Sequence[Scaled], size: int) -> list[Batch]:
    """The same with boundaries wherever `size` tokens are full, and where adapters begin to act."""
    ordinary = tuple(one for one in adapters if not one.file.invocation)
    alone = ordinary == tuple(adapters)
    until = len(prompt) if alone else prompt.marker
    batches = [(prompt.ids[first : min(first + size, until)], ordinary) for first in range(0, until, size)]
    return batches if alone else [*batches, (prompt.ids[until:], tuple(adapters))]
