"""An engine without weights: it says what it was told to, and remembers what it was asked."""

from collections.abc import Callable, Iterator, Sequence

from medpocket.engine.cancel import Cancellation
from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import LoadedModel, Scaled
from medpocket.types import Delta, EngineEvent, Generated, GenerationStats, PromptProgress, Sampling, StopReason, Turn

_MARKER = 0  # stands for whatever a template puts before a turn


class ScriptedEngine:
    """Answers from a list, a word a token; ids are code points, so prompts can be read back.

    `before_word` is called with each word's number before it is said: a test cancels, or fails, from there.
    """

    def __init__(
        self,
        answers: Sequence[str],
        *,
        context: int = 1000,
        before_word: Callable[[int, Cancellation], None] | None = None,
    ) -> None:
        self.model = LoadedModel(
            name="scripted",
            architecture="none",
            quantization="none",
            parameters=0,
            size_bytes=0,
            context=context,
            trained_context=context,
            threads=1,
            has_template=True,
            demonstration=False,
        )
        self.prompts: list[list[int]] = []
        self.samplings: list[Sampling] = []
        self.adapters: list[tuple[Scaled, ...]] = []
        self.closed = False
        self._answers = list(answers)
        self._before_word = before_word
        self._held: list[int] = []

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        """One marker before each of the user's turns, and a token a character."""
        ids: list[int] = []
        for turn in turns:
            if turn.role == "user":
                ids.append(_MARKER)
            ids += turn.ids if turn.ids is not None else map(ord, turn.text)
            if turn.line:
                ids += map(ord, f"\n\n{turn.line}")
        return Prompt(tuple(ids), (len(ids),), len(ids))

    def generate(
        self, prompt: Prompt, sampling: Sampling, cancel: Cancellation, adapters: Sequence[Scaled] = ()
    ) -> Iterator[EngineEvent]:
        """Say the next answer of the list."""
        self.prompts.append(list(prompt.ids))
        self.samplings.append(sampling)
        self.adapters.append(tuple(adapters))
        cached = 0
        while cached < min(len(self._held), len(prompt) - 1) and self._held[cached] == prompt.ids[cached]:
            cached += 1
        yield PromptProgress(0, len(prompt) - cached)
        yield PromptProgress(len(prompt) - cached, len(prompt) - cached)
        said = ""
        stop: StopReason = "end"
        words = self._answers.pop(0).split(" ")
        for number, word in enumerate(words):
            if self._before_word:
                self._before_word(number, cancel)
            if cancel.is_set() or number >= sampling.max_tokens:
                stop = "cancelled" if cancel.is_set() else "length"
                break
            piece = word if number == 0 else " " + word
            said += piece
            yield Delta(piece)
        ids = tuple(map(ord, said))
        self._held = [*prompt.ids, *ids]
        yield Generated(
            text=said,
            ids=ids,
            stop=stop,
            stats=GenerationStats(
                prompt_tokens=len(prompt),
                cached_tokens=cached,
                evaluated_tokens=len(prompt) - cached,
                answer_tokens=len(said.split(" ")) if said else 0,
                prefill_s=0.1,
                decode_s=0.1,
                time_to_first_token_s=0.1,
                peak_memory_bytes=0,
                seed=sampling.seed or 0,
            ),
        )

    def read_answer(self, cancel: Cancellation) -> int:  # noqa: ARG002 - the protocol's
        """Everything is read already."""
        return 0

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
