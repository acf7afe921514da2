"""The few calls into llama.cpp that load a model and evaluate tokens, with its results turned into errors."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import llama_cpp

from medpocket.engine.logs import LlamaLog, reason
from medpocket.engine.start import start_llama
from medpocket.engine.system import system_features
from medpocket.errors import EngineError, SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DECODED, ABORTED = 0, 2  # of llama_decode's results, those that are no failure
_ROWS_AT_ONCE = 32  # of logits, whose exponentials then stay in the processor's cache


def load_model(
    path: Path,
    log: LlamaLog,
    *,
    gpu_layers: int = 0,
    repack: bool = False,
    mapped: bool = True,
    vocabulary_only: bool = False,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Map the file into memory, copy it there, or read its tokenizer alone.

    `progress` is told the share of the weights that are there, 0 to 1; of a mapped file all at once, at the end.
    Raises EngineError with llama.cpp's own reason.
    """
    start_llama()
    # GCC 12 drops a part of what AMX is set up with: the first repacked weight that is used ends the process.
    if repack and "AMX_INT8 = 1" in system_features():
        raise SettingsError(
            "llama.cpp cannot be trusted to repack weights on this processor: its AMX code may crash",
            "take `repack = true` out of config.toml",
        )
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = gpu_layers
    parameters.use_extra_bufts = repack
    parameters.load_mode = llama_cpp.LLAMA_LOAD_MODE_AUTO if mapped else llama_cpp.LLAMA_LOAD_MODE_NONE
    parameters.vocab_only = vocabulary_only

    def go_on(share: float, _user_data: object) -> bool:
        if progress:
            progress(share)
        return True

    callback = llama_cpp.llama_progress_callback(go_on)  # llama.cpp calls it until the model is loaded
    parameters.progress_callback = callback
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise EngineError(
            f"llama.cpp cannot load this model{reason(log)}",
            "get the file again, or try another model with -m",
        )
    return int(model)


def create_context(
    model: int, log: LlamaLog, *, context: int, threads: int, batch: int, sequences: int = 1, float32: bool = False
) -> int:
    """Make room for `context` tokens, of all `sequences` together. Raises EngineError with llama.cpp's own reason.

    Keys and values are kept as float16, or as `float32`, and then compared without flash attention's own roundings.
    """
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = batch
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.n_seq_max, parameters.kv_unified = sequences, sequences > 1
    parameters.n_outputs_max = max(batch, sequences)  # llama.cpp aborts where there may be fewer than sequences
    if float32:
        parameters.type_k = parameters.type_v = llama_cpp.GGML_TYPE_F32
        parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    parameters.no_perf = True
    created = llama_cpp.llama_init_from_model(model, parameters)
    if not created:
        raise EngineError(
            f"llama.cpp cannot make room for a context of {context} tokens{reason(log)}",
            "ask for a smaller one (`-o context 1024`), or close other programs",
        )
    return int(created)


def decode(context: int, tokens: Sequence[int], position: int, *, all_logits: bool = False) -> int:
    """Evaluate `tokens` from `position` on; logits of the last one, or of all. Returns llama_decode's result."""
    count = len(tokens)
    if not all_logits:
        array = (llama_cpp.llama_token * count)(*tokens)
        return int(llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(array, count)))
    batch = llama_cpp.llama_batch_init(count, 0, 1)
    try:
        batch.n_tokens = count
        for index, token in enumerate(tokens):
            batch.token[index], batch.pos[index] = token, position + index
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, 0
            batch.logits[index] = 1
        return int(llama_cpp.llama_decode(context, batch))
    finally:
        llama_cpp.llama_batch_free(batch)


def last_logits(context: int, vocabulary: int) -> "NDArray[np.float32]":
    """Return a copy of the logits of the last token decoded, (vocabulary,)."""
    import numpy as np

    return np.array(np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, -1), (vocabulary,)))


def log_probabilities(context: int, vocabulary: int, tokens: Sequence[int], outputs: Iterable[int]) -> list[float]:
    """Return ln p of each of `tokens`, from the logits at the same place of `outputs` of the last decode."""
    import numpy as np

    found = []
    for token, output in zip(tokens, outputs, strict=True):
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, output), (1, vocabulary))
        found.append(float(logits[0, token]) - log_normalisers(logits)[0])
    return found


def log_normalisers(logits: "NDArray[np.float32]") -> list[float]:
    """Return for each row of logits what ln p is less than them: the logarithm of the sum of their exponentials."""
    import numpy as np

    found: list[float] = []
    for start in range(0, len(logits), _ROWS_AT_ONCE):
        rows = logits[start : start + _ROWS_AT_ONCE]
        highest = rows.max(axis=1, keepdims=True)
        sums = np.exp(rows - highest).sum(axis=1, dtype=np.float64)
        found += (highest[:, 0] + np.log(sums)).tolist()
    return found
