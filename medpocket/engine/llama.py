"""The engine on llama.cpp's C API."""

import codecs
import ctypes
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import llama_cpp

from medpocket.engine.cancel import Cancellation
from medpocket.engine.logs import LlamaLog
from medpocket.engine.protocol import LoadedModel
from medpocket.engine.sampler import Sampler
from medpocket.engine.system import system_features
from medpocket.engine.vocabulary import Vocabulary
from medpocket.errors import EngineError, SettingsError
from medpocket.models.gguf_file import GgufFile
from medpocket.models.hardware import peak_memory_bytes
from medpocket.types import Delta, EngineEvent, Generated, GenerationStats, PromptProgress, Sampling, StopReason, Turn

_DECODED, _NO_ROOM, _ABORTED = 0, 1, 2  # llama_decode's results
_SEQUENCE = 0
DEMONSTRATION_KEY = "medpocket.demonstration"  # in the file, so that a renamed copy is known too


class LlamaEngine:
    """A model, one context and what it holds.

    Only one thread may use an engine at a time; `Cancellation.set` may be called from any.
    """

    def __init__(
        self,
        file: GgufFile,
        *,
        name: str,
        context: int,
        trained_context: int,
        threads: int,
        template: str,
        has_template: bool,
        log: LlamaLog,
        batch: int = 512,
        gpu_layers: int = 0,
        repack: bool = False,
    ) -> None:
        """Load the file, mapped into memory. Raises EngineError with llama.cpp's own reason."""
        self._log = log
        self._context = 0
        self._model = _load_model(file.path, log, gpu_layers=gpu_layers, repack=repack)
        self._batch = batch
        try:
            self._context = _create_context(self._model, log, context=context, threads=threads, batch=batch)
        except EngineError:
            self.close()
            raise
        self._memory = llama_cpp.llama_get_memory(self._context)
        # llama.cpp's own default for SentencePiece vocabularies is to add the space.
        space_prefix = bool(file.metadata.get("tokenizer.ggml.add_space_prefix", True))
        self._vocabulary = Vocabulary(self._model, template, space_prefix=space_prefix)
        self._held: list[int] = []
        self.model = LoadedModel(
            name=name,
            architecture=file.architecture or "unknown",
            quantization=file.file_type or "unknown",
            parameters=file.parameters,
            size_bytes=file.size,
            context=int(llama_cpp.llama_n_ctx(self._context)),
            trained_context=trained_context,
            threads=threads,
            has_template=has_template,
            demonstration=bool(file.metadata.get(DEMONSTRATION_KEY)),
        )

    def encode(self, turns: Sequence[Turn]) -> list[int]:
        """Return the token ids of a conversation that ends with a user's turn, up to where the answer begins."""
        return self._vocabulary.encode(turns)

    def generate(self, prompt: Sequence[int], sampling: Sampling, cancel: Cancellation) -> Iterator[EngineEvent]:
        """Read `prompt` and answer it; the last event is Generated, also when cancelled.

        Raises EngineError when llama.cpp fails; what was read before stays usable.
        """
        if not self._context:
            raise ValueError("the engine is closed")
        started = time.perf_counter()
        seed = secrets.randbits(32) if sampling.seed is None else sampling.seed
        llama_cpp.llama_set_abort_callback(
            self._context,
            ctypes.cast(Cancellation.reader, llama_cpp.ggml_abort_callback),
            ctypes.c_void_p(cancel.address),
        )
        cached = self._keep_common_prefix(prompt)
        yield from self._read(prompt, cached, cancel)
        read, evaluated = time.perf_counter(), len(self._held) - cached
        answer = _Answer(self._vocabulary)
        with Sampler(sampling, vocabulary_size=self._vocabulary.size, seed=seed) as sampler:
            yield from self._answer(answer, sampler, sampling.max_tokens, cancel)
        done = time.perf_counter()
        first_token = answer.first_token_at or done
        yield Generated(
            text=answer.text,
            ids=tuple(answer.ids),
            stop=answer.stop,
            stats=GenerationStats(
                prompt_tokens=len(prompt),
                cached_tokens=cached,
                evaluated_tokens=evaluated,
                answer_tokens=len(answer.ids),
                prefill_s=read - started,
                decode_s=done - first_token,
                time_to_first_token_s=first_token - started,
                peak_memory_bytes=peak_memory_bytes(),
                seed=seed,
            ),
        )

    def close(self) -> None:
        """Free the context and the model."""
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = 0
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = 0

    def _read(self, prompt: Sequence[int], cached: int, cancel: Cancellation) -> Iterator[PromptProgress]:
        """Evaluate `prompt` from token `cached` on, a batch at a time, until `cancel`."""
        total = len(prompt) - cached
        yield PromptProgress(0, total)
        for start in range(cached, len(prompt), self._batch):
            if not self._decode(prompt[start : start + self._batch], cancel):
                return
            yield PromptProgress(len(self._held) - cached, total)

    def _answer(self, answer: "_Answer", sampler: Sampler, max_tokens: int, cancel: Cancellation) -> Iterator[Delta]:
        """Choose token after token into `answer` until one of the reasons to stop."""
        while not cancel.is_set():
            token = sampler.sample(self._context)
            answer.first_token_at = answer.first_token_at or time.perf_counter()
            if self._vocabulary.is_end(token):
                answer.stop = "end"
                break
            if text := answer.add(token):
                yield Delta(text)
            if len(answer.ids) >= max_tokens:
                answer.stop = "length"
                break
            if len(self._held) >= self.model.context:
                answer.stop = "context"
                break
            if not self._decode([token], cancel):
                break
        if text := answer.finish():
            yield Delta(text)

    def _keep_common_prefix(self, prompt: Sequence[int]) -> int:
        """Drop the keys and values that `prompt` does not begin with; return how many tokens of it are held.

        At least its last token is always evaluated, since its logits are needed.
        """
        common = 0
        for held, wanted in zip(self._held, prompt[:-1], strict=False):
            if held != wanted:
                break
            common += 1
        self._truncate(common)
        return len(self._held)

    def _truncate(self, length: int) -> None:
        # A recurrent model cannot forget a part of what it read: it forgets all.
        if not llama_cpp.llama_memory_seq_rm(self._memory, _SEQUENCE, length, -1):
            llama_cpp.llama_memory_clear(self._memory, True)
            length = 0
        del self._held[length:]

    def _decode(self, tokens: Sequence[int], cancel: Cancellation) -> bool:
        """Evaluate `tokens` after those held; tell whether it was done, False where `cancel` came first."""
        if cancel.is_set():
            return False
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        result = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(tokens)))
        if result == _DECODED:
            self._held.extend(tokens)
            return True
        # Some of the batch may have been evaluated and would stand in the memory unknown to us.
        self._truncate(len(self._held))
        if result == _ABORTED:
            return False
        raise EngineError(
            f"llama.cpp could not evaluate the text (result {result}{_reason(self._log)})",
            "try again with a smaller context (`-o context 1024`), or run `medpocket doctor`",
        )


class _Answer:
    """The answer so far, decoded as its bytes arrive; cancelled unless something else ends it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.ids: list[int] = []
        self.text = ""
        self.stop: StopReason = "cancelled"
        self.first_token_at: float | None = None
        self._vocabulary = vocabulary
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> str:
        """Take the next token; return the text that is complete now."""
        self.ids.append(token)
        return self._take(self._decoder.decode(self._vocabulary.piece(token)))

    def finish(self) -> str:
        """Return what was left of an unfinished character."""
        return self._take(self._decoder.decode(b"", final=True))

    def _take(self, text: str) -> str:
        if not self.text:
            text = text.lstrip()  # the space or newline between a marker and the answer is not part of it
        self.text += text
        return text


def _load_model(path: Path, log: LlamaLog, *, gpu_layers: int, repack: bool) -> int:
    # GCC 12 drops a part of what AMX is set up with: the first repacked weight that is used ends the process.
    if repack and "AMX_INT8 = 1" in system_features():
        raise SettingsError(
            "llama.cpp cannot be trusted to repack weights on this processor: its AMX code may crash",
            "take `repack = true` out of config.toml",
        )
    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_default_params()
    parameters.n_gpu_layers = gpu_layers
    parameters.use_extra_bufts = repack
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
    if not model:
        raise EngineError(
            f"llama.cpp cannot load this model{_reason(log)}",
            "get the file again, or try another model with -m",
        )
    return int(model)


def _create_context(model: int, log: LlamaLog, *, context: int, threads: int, batch: int) -> int:
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = batch
    parameters.n_threads = parameters.n_threads_batch = threads
    parameters.no_perf = True
    created = llama_cpp.llama_init_from_model(model, parameters)
    if not created:
        raise EngineError(
            f"llama.cpp cannot make room for a context of {context} tokens{_reason(log)}",
            "ask for a smaller one (`-o context 1024`), or close other programs",
        )
    return int(created)


def _reason(log: LlamaLog) -> str:
    """llama.cpp's last error, which never holds text of a question."""
    from medpocket.text import printable

    return f": {printable(log.errors[-1])[:200]}" if log.errors else ""
