"""The engine on llama.cpp's C API."""

import ctypes
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Sequence

import llama_cpp

from medpocket.engine.adapters import Adapters
from medpocket.engine.answer import Answer
from medpocket.engine.calls import (
    ABORTED,
    DECODED,
    create_context,
    decode,
    last_logits,
    load_model,
    log_probabilities,
)
from medpocket.engine.cancel import Cancellation
from medpocket.engine.forest import Choices
from medpocket.engine.logs import LlamaLog, reason
from medpocket.engine.memory import ContextMemory, End, StateKey
from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import LoadedModel, Scaled
from medpocket.engine.sampler import Sampler
from medpocket.engine.scoring import MOST_SEQUENCES, OptionScorer, Scores
from medpocket.engine.stages import Stage, reading_stages
from medpocket.engine.vocabulary import Vocabulary
from medpocket.errors import EngineError
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_file import DEMONSTRATION_KEY, GgufFile
from medpocket.models.hardware import available_bytes, peak_memory_bytes
from medpocket.types import Delta, EngineEvent, Generated, GenerationStats, PromptProgress, Sampling, Turn


class LlamaEngine:
    """A model, one context and what it holds.

    The base model, and ordinary adapters, read the conversation; activated adapters act from their invocation on, at
    the end of the user's last turn, and what they computed is dropped when the answer is done. So the next turn finds
    the conversation read, whichever experts answered before.

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
        mapped: bool = True,
        for_scoring: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """Load the file; `mapped` into memory, or copied. Raises EngineError with llama.cpp's own reason.

        `for_scoring` makes a context of several sequences, in which `score_choices` works; what is measured of a file
        in full precision is then computed in full precision.
        """
        self._log = log
        self._context = 0
        self._adapters: Adapters | None = None
        self._model = load_model(file.path, log, gpu_layers=gpu_layers, repack=repack, mapped=mapped, progress=progress)
        self._batch = batch
        try:
            self._context = create_context(
                self._model,
                log,
                context=context,
                threads=threads,
                batch=batch,
                sequences=2 * MOST_SEQUENCES if for_scoring else 1,
                float32=for_scoring and all(tensor.type == "F32" for tensor in file.tensors),
            )
        except EngineError:
            self.close()
            raise
        # llama.cpp's own default for SentencePiece vocabularies is to add the space.
        space_prefix = bool(file.metadata.get("tokenizer.ggml.add_space_prefix", True))
        self._vocabulary = Vocabulary(self._model, template, space_prefix=space_prefix)
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
            fingerprint=base_fingerprint(file),
            gpu_layers=gpu_layers,
        )
        self._template_hash = hashlib.sha256(template.encode()).hexdigest()
        self._adapters = Adapters(self._model, self._context, log, available_bytes)
        self._memory = ContextMemory(self._context, self._key(()), available_bytes)
        self._activated_from: int | None = (
            None  # from this token on, what is held was computed under activated adapters
        )
        self._unread: tuple[Prompt, tuple[Scaled, ...]] | None = None  # the last answer, to be read by the base

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        """Return the conversation as token ids, up to where the answer to its last turn, a user's, begins."""
        return self._vocabulary.encode(turns)

    def encode_answer(self, text: str) -> list[int]:
        """Return the token ids of a whole answer, with the one that ends it."""
        return self._vocabulary.encode_answer(text)

    def encode_text(self, text: str) -> list[int]:
        """Return the token ids of plain text, in no conversation."""
        return self._vocabulary.encode_text(text)

    def generate(
        self, prompt: Prompt, sampling: Sampling, cancel: Cancellation, adapters: Sequence[Scaled] = ()
    ) -> Iterator[EngineEvent]:
        """Read `prompt` and answer it under `adapters`; the last event is Generated, also when cancelled.

        Raises EngineError when llama.cpp fails, and AdapterError and MemoryShortError for an adapter; what was read
        before stays usable.
        """
        started = time.perf_counter()
        seed = secrets.randbits(32) if sampling.seed is None else sampling.seed
        switches = self._opened().switches
        self._heed(cancel)
        stages = self._prepare(prompt, tuple(adapters))
        cached = len(self._memory.held.ids)
        yield from self._read(prompt, stages, cancel)
        read, evaluated = time.perf_counter(), len(self._memory.held.ids) - cached
        answer = Answer(self._vocabulary)
        with Sampler(sampling, vocabulary_size=self._vocabulary.size, seed=seed) as sampler:
            yield from self._answer(answer, sampler, sampling.max_tokens, cancel, evaluated == 0)
        done = time.perf_counter()
        first_token = answer.first_token_at or done
        if self._activated_from is not None:
            self._unread = prompt.answered(answer.ids), stages[0].adapters
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
                adapter_switches=self._opened().switches - switches,
            ),
        )

    def read_answer(self, cancel: Cancellation) -> int:
        """Read the last answer once more as the base reads it; return the tokens evaluated, 0 where that is done.

        Raises EngineError. `cancel` stops it at once, and it can be called again.
        """
        adapters = self._opened()
        if not self._unread:
            return 0
        conversation, reading = self._unread
        self._heed(cancel)
        self._drop_activated()
        adapters.activate(reading)
        before = len(self._memory.held.ids)
        for start, end in conversation.batches(before, len(conversation), self._batch):
            if not self._decode(conversation.ids[start:end], cancel):
                break
        else:
            self._unread = None
        return len(self._memory.held.ids) - before

    def score(self, prompt: Prompt, answer: Sequence[int], adapters: Sequence[Scaled] = ()) -> list[float]:
        """Return the natural logarithm of the probability of each token of `answer` after `prompt`.

        Raises EngineError, AdapterError, MemoryShortError, and ValueError where both do not fit into the context.
        """
        if len(prompt) + len(answer) > self.model.context:
            raise ValueError("prompt and answer are longer than the context")
        cancel = Cancellation()
        self._opened()
        self._heed(cancel)
        self._memory.held.prompt = None  # the logits must be those of the context
        for _ in self._read(prompt, self._prepare(prompt, tuple(adapters)), cancel):
            pass
        found = log_probabilities(self._context, self._vocabulary.size, answer[:1], [-1])
        # Under activated adapters or not, it is dropped before anything else is read.
        self._activated_from = min(len(prompt), self._activated_from or len(prompt))
        for start in range(0, len(answer) - 1, self._batch):
            part = answer[start : min(start + self._batch, len(answer) - 1)]
            self._decode(part, cancel, all_logits=True)
            wanted = answer[start + 1 : start + 1 + len(part)]
            found += log_probabilities(self._context, self._vocabulary.size, wanted, range(len(part)))
        return found

    def score_choices(
        self, columns: Sequence[tuple[Sequence[Choices], tuple[Scaled, ...]]], cancel: Cancellation
    ) -> Iterator[Scores]:
        """Score answers to several prompts at once, under each column's adapters; fewer columns where cancelled.

        The prompts of a column and their answers have at most MOST_SEQUENCES ends together. No conversation is held any
        more afterwards. Raises EngineError, AdapterError and MemoryShortError.
        """
        adapters = self._opened()
        if llama_cpp.llama_model_is_recurrent(self._model) or llama_cpp.llama_model_is_hybrid(self._model):
            raise EngineError(
                "a recurrent model cannot share a question between its answers, which is how accuracy is measured here",
                "measure another model",
            )
        self._heed(cancel)
        self._memory.cut(0)
        self._activated_from = self._unread = None
        scorer = OptionScorer(self._context, adapters, self._log, self._vocabulary.size, self._batch)
        yield from scorer.score(columns)

    def close(self) -> None:
        """Free the context, the adapters and the model."""
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = 0
        if self._adapters:
            self._adapters.close()
            self._adapters = None
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = 0

    def _opened(self) -> Adapters:
        if not self._adapters:
            raise ValueError("the engine is closed")
        return self._adapters

    def _heed(self, cancel: Cancellation) -> None:
        """Let `cancel` stop llama.cpp in the middle of a decode."""
        self._cancel = cancel  # kept alive: llama.cpp has its address
        llama_cpp.llama_set_abort_callback(
            self._context,
            ctypes.cast(Cancellation.reader, llama_cpp.ggml_abort_callback),
            ctypes.c_void_p(cancel.address),
        )

    def _key(self, ordinary: tuple[Scaled, ...]) -> StateKey:
        return StateKey(
            self.model.fingerprint, self._template_hash, tuple((one.file.sha256, one.scale) for one in ordinary)
        )

    def _prepare(self, prompt: Prompt, adapters: tuple[Scaled, ...]) -> list[Stage]:
        """Have the adapters in memory, take up what is read of `prompt` already, and return how to read the rest."""
        self._opened().load(tuple(one.file for one in adapters))
        stages = reading_stages(prompt, adapters)
        self._drop_activated()
        self._unread = None
        self._memory.switch(self._key(stages[0].adapters))
        self._memory.cut(self._memory.held.usable(prompt, stages[0].end, self._batch))
        return stages

    def _drop_activated(self) -> None:
        if self._activated_from is not None:
            self._memory.cut(self._activated_from)
            self._activated_from = None

    def _read(self, prompt: Prompt, stages: list[Stage], cancel: Cancellation) -> Iterator[PromptProgress]:
        """Evaluate what is not held of `prompt`, a batch at a time, until `cancel`."""
        cached = len(self._memory.held.ids)
        yield PromptProgress(0, len(prompt) - cached)
        for number, stage in enumerate(stages):
            self._opened().activate(stage.adapters)
            if number:
                self._activated_from = self._activated_from or stages[0].end
            for start, end in prompt.batches(len(self._memory.held.ids), stage.end, self._batch):
                if not self._decode(prompt.ids[start:end], cancel):
                    return
                yield PromptProgress(end - cached, len(prompt) - cached)
        if cached < len(prompt) and len(stages) == 1:
            self._memory.held.prompt = End(len(prompt), last_logits(self._context, self._vocabulary.size))

    def _answer(
        self, answer: Answer, sampler: Sampler, max_tokens: int, cancel: Cancellation, known: bool
    ) -> Iterator[Delta]:
        """Choose token after token into `answer` until one of the reasons to stop.

        The first from the logits that were kept of the prompt, where all of it was `known`.
        """
        while not cancel.is_set():
            kept = self._memory.held.prompt if known and not answer.ids else None
            token = sampler.choose(kept.logits) if kept else sampler.sample(self._context)
            answer.first_token_at = answer.first_token_at or time.perf_counter()
            if self._vocabulary.is_end(token):
                answer.stop = "end"
                break
            if text := answer.add(token):
                yield Delta(text)
            if len(answer.ids) >= max_tokens:
                answer.stop = "length"
                break
            if len(self._memory.held.ids) >= self.model.context:
                answer.stop = "context"
                break
            if not self._decode([token], cancel):
                break
        if text := answer.finish():
            yield Delta(text)

    def _decode(self, tokens: Sequence[int], cancel: Cancellation, *, all_logits: bool = False) -> bool:
        """Evaluate `tokens` after those held; tell whether it was done, False where `cancel` came first."""
        if cancel.is_set():
            return False
        result = decode(self._context, tokens, len(self._memory.held.ids), all_logits=all_logits)
        if result == DECODED:
            self._memory.held.add(tokens)
            return True
        # Some of the batch may have been evaluated and would stand in the memory unknown to us.
        self._memory.cut(len(self._memory.held.ids))
        if result == ABORTED:
            return False
        raise EngineError(
            f"llama.cpp could not evaluate the text (result {result}{reason(self._log)})",
            "try again with a smaller context (`-o context 1024`), or run `medpocket doctor`",
        )
