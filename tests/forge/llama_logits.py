"""Logits and perplexity of a GGUF file as llama.cpp computes them."""

from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np

from medpocket.forge.tokenizer import BEGIN, CLOSE, END, OPEN

QUIET = llama_cpp.llama_log_callback(lambda *_: None)  # llama.cpp calls it as long as the process lives

# Of the module, not of a model: llama.cpp calls it until another one is set.
_SILENT = llama_cpp.llama_log_callback(lambda *_: None)


class LlamaLogits:
    """A model loaded to read logits at every position of a text."""

    def __init__(self, path: Path, context: int = 1024) -> None:
        llama_cpp.llama_log_set(QUIET, None)
        parameters = llama_cpp.llama_model_default_params()
        parameters.use_extra_bufts = False
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        assert self._model, f"llama.cpp cannot load {path}"
        settings = llama_cpp.llama_context_default_params()
        # Keys and values in float32: in float16, as they usually are, they alone shift logits by 0.01.
        settings.type_k = settings.type_v = llama_cpp.GGML_TYPE_F32
        settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        settings.n_ctx = settings.n_batch = settings.n_ubatch = context
        settings.n_threads = settings.n_threads_batch = 2
        # float32 keys and values: rounded to float16 they alone shift logits by 0.02.
        settings.type_k = settings.type_v = llama_cpp.GGML_TYPE_F32
        settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        assert self._context, "llama.cpp gives no context"
        self._vocabulary = llama_cpp.llama_model_get_vocab(self._model)
        self._size = llama_cpp.llama_vocab_n_tokens(self._vocabulary)

    def tokenize(self, text: str) -> list[int]:
        """Ids of plain text, in which no marker becomes a control token."""
        raw = text.encode()
        ids = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(self._vocabulary, raw, len(raw), ids, len(ids), False, False)
        assert count >= 0
        return list(ids[:count])

    def prompt(self, question: str) -> list[int]:
        return [BEGIN, OPEN, *self.tokenize(question), CLOSE]

    def answer(self, text: str) -> list[int]:
        return [*self.tokenize(text), END]

    def __call__(self, ids: list[int]) -> Any:
        """Logits after each token: (tokens, vocabulary)."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        try:
            batch.n_tokens = len(ids)
            for position, token in enumerate(ids):
                batch.token[position], batch.pos[position] = token, position
                batch.n_seq_id[position], batch.seq_id[position][0] = 1, 0
                batch.logits[position] = 1
            assert llama_cpp.llama_decode(self._context, batch) == 0
            logits = llama_cpp.llama_get_logits(self._context)
            return np.ctypeslib.as_array(logits, shape=(len(ids), self._size)).copy()
        finally:
            llama_cpp.llama_batch_free(batch)

    def close(self) -> None:
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)


def logits_of(path: Path, ids: list[int]) -> Any:
    model = LlamaLogits(path)
    try:
        return model(ids)
    finally:
        model.close()


def losses(logits: Any, ids: list[int], labels: list[int], ignored: int = -100) -> Any:
    """Negative log likelihood, in nats, of each token that is learnt."""
    wanted = np.array(labels[1:])
    rows = logits[:-1][wanted != ignored].astype(np.float64)
    targets = np.array(ids[1:])[wanted != ignored]
    highest = rows.max(axis=1)
    return highest + np.log(np.exp(rows - highest[:, None]).sum(axis=1)) - rows[np.arange(len(targets)), targets]
