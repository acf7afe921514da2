"""An answer is the one that a fresh process would have given, whatever answered before: 100 conversations at random."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import llama_cpp
import numpy as np
import pytest

from medpocket.assistant import Assistant
from medpocket.engine import load_engine
from medpocket.engine.cancel import Cancellation
from medpocket.engine.llama import LlamaEngine
from medpocket.engine.memory import StateKey
from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Scaled
from medpocket.experts.library import Library
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_check import check_model_file
from medpocket.registry import load_registry
from medpocket.types import EngineEvent, Finished, Sampling, Turn
from tests.conftest import DEMO
from tests.engine.cold_run import Batch, ColdRun, free_batches, same_batches

CONTEXT, BATCH = 1024, 128  # turns have several batches; llama.cpp computes otherwise above 64 tokens than below
FREE_BOUNDARIES_DIFFER = 0.3  # beyond it no other token may be the best
# Measured on a Xeon with AMX: 0.301 in these conversations, 0.352 in others, all but three in a hundred below 0.27.
GREATEST_DIFFERENCE = 0.4
SENTENCES = (
    "The patient is a 62 year old man with chest pain since this morning.",
    "He had a heart attack four years ago and takes aspirin, metoprolol and a statin.",
    "She has had a cough with yellow sputum and a fever of 39 degrees for three days.",
    "There is no shortness of breath, no rash and no pain in the calves.",
    "The child is four years old and has been vomiting since last night.",
    "Her mother had breast cancer and her brother has type 1 diabetes.",
    "The headache comes once a week, on one side, with nausea, and light makes it worse.",
    "His creatinine has risen from 110 to 180 in a month, and the urine is clear.",
    "What is the most likely cause, and which tests should come first?",
    "Which medicines may be given, and which must be avoided?",
    "What should the family watch for at home?",
    "How long does it usually last?",
)
SETS: dict[str, list[tuple[str, float]]] = {
    "none": [],
    "a": [("cardiology", 1.0)],
    "b": [("neurology", 1.0)],
    "a+b": [("cardiology", 0.7), ("neurology", 0.3)],
    "ordinary": [("oncology", 1.0)],
    "ordinary, less": [("oncology", 0.5)],
}


class FixedExperts:
    """Three of the demonstration experts, the last of them as an ordinary adapter."""

    def __init__(self) -> None:
        library, base = Library(), base_fingerprint(check_model_file(DEMO))
        self._found = {name: Scaled(library.find(name, base).load().file) for name in ("cardiology", "neurology")}
        ordinary = library.find("oncology", base).load().file
        self._found["oncology"] = Scaled(replace(ordinary, invocation=()))

    def adapter(self, expert: str, scale: float = 1.0) -> Scaled | None:
        found = self._found.get(expert)
        return Scaled(found.file, scale) if found else None


class Recorder:
    """The real engine, and what it was last asked to read."""

    def __init__(self, engine: LlamaEngine) -> None:
        self._engine = engine
        self.model = engine.model
        self.prompt = Prompt((), ())

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        return self._engine.encode(turns)

    def generate(
        self, prompt: Prompt, sampling: Sampling, cancel: Cancellation, adapters: Sequence[Scaled] = ()
    ) -> Iterator[EngineEvent]:
        self.prompt = prompt
        yield from self._engine.generate(prompt, sampling, cancel, adapters)

    def read_answer(self, cancel: Cancellation) -> int:
        return self._engine.read_answer(cancel)

    def close(self) -> None:
        self._engine.close()


def logits_now(engine: LlamaEngine) -> np.ndarray:
    pointer = llama_cpp.llama_get_logits_ith(engine._context, -1)
    return np.ctypeslib.as_array(pointer, (engine._vocabulary.size,)).copy()


class Player:
    """Holds random conversations through the assistant and compares the logits after each answer with a cold run's."""

    def __init__(self) -> None:
        self.engine = load_engine(DEMO, context=CONTEXT, threads=1, batch=BATCH)
        self.experts = FixedExperts()
        self.recorder = Recorder(self.engine)
        self.cold = ColdRun(DEMO, CONTEXT, BATCH)
        self.dice = random.Random(20261125)
        self.registry = load_registry()
        self.greatest_free = 0.0
        self.compared = 0

    def turn(self, history: Sequence[Turn], chosen: str, question: str, tokens: int) -> tuple[Turn, ...]:
        """Ask; compare; return the conversation with the answer."""
        sampling = Sampling(temperature=0.8, max_tokens=tokens, seed=self.dice.randrange(2**31))
        assistant = Assistant(self.registry, self.recorder, sampling, self.experts)  # type: ignore[arg-type]
        cancel = Cancellation()
        stop_after = self.dice.randrange(1, 6) if self.dice.random() < 0.15 else None
        finished = None
        experts, others = SETS[chosen], len(question) % 3 == 0
        for said, event in enumerate(
            assistant.ask(question, cancel, history=history, experts=experts, route=False, compared=others)
        ):
            if stop_after and said == stop_after:
                cancel.set()
            if isinstance(event, Finished):
                finished = event
        assert finished is not None
        adapters = tuple(scaled for name, scale in experts if (scaled := self.experts.adapter(name, scale)) is not None)
        ids = finished.turns[-1].ids or ()
        evaluated = ids if finished.stop == "end" else ids[:-1]  # the last one was chosen and not yet evaluated
        if finished.stop != "cancelled":
            self._compare(adapters, evaluated)
        return finished.turns

    def _compare(self, adapters: tuple[Scaled, ...], evaluated: Sequence[int]) -> None:
        prompt, ends = self.recorder.prompt, self.engine._memory.held.ends
        warm = logits_now(self.engine)
        assert ends[-1] == len(prompt) + len(evaluated)
        assert {len(prompt), *(end for _, end in prompt.answers)} <= set(ends), "turns do not have batches of their own"
        cold = self.cold.logits(same_batches((*prompt.ids, *evaluated), ends, adapters, prompt.marker))
        self.compared += 1
        assert np.array_equal(warm, cold), f"differs by {np.abs(warm - cold).max()}"
        if not evaluated:
            return
        free: list[Batch] = [*free_batches(prompt, adapters, BATCH), *(((token,), adapters) for token in evaluated)]
        other = self.cold.logits(free)
        self.greatest_free = max(self.greatest_free, float(np.abs(warm - other).max()))
        best = np.sort(other)[-2:]
        assert warm.argmax() == other.argmax() or best[1] - best[0] < FREE_BOUNDARIES_DIFFER

    def conversation(self) -> None:
        """Some turns of any experts, with edits, idle time that may be cut short, and answers that are stopped."""
        turns: tuple[Turn, ...] = ()
        for number in range(self.dice.randrange(2, 5)):
            if number and self.dice.random() < 0.2:  # an earlier question is asked in other words
                turns = turns[: 2 * self.dice.randrange(0, len(turns) // 2)]
            question = " ".join(self.dice.choices(SENTENCES, k=self.dice.choice((1, 1, 2, 4, 9))))
            turns = self.turn(turns, self.dice.choice(list(SETS)), question, self.dice.randrange(1, 25))
            idle = self.dice.random()
            if idle < 0.6:
                cancel = Cancellation()
                if idle < 0.1:
                    cancel.set()
                self.recorder.read_answer(cancel)

    def close(self) -> None:
        self.cold.close()
        self.engine.close()


@pytest.fixture
def player() -> Iterator[Player]:
    made = Player()
    yield made
    made.close()


def test_ten_conversations_give_the_cold_logits_bit_for_bit(player: Player) -> None:
    for _ in range(10):
        player.conversation()
    assert player.compared >= 15


@pytest.mark.prove
def test_a_hundred_conversations_give_the_cold_logits_bit_for_bit(player: Player) -> None:
    for _ in range(100):
        player.conversation()
    assert player.compared >= 150
    assert player.greatest_free < GREATEST_DIFFERENCE


def test_the_check_fails_when_the_key_leaves_out_the_adapters(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LlamaEngine, "_key", lambda _self, _ordinary: StateKey("", "", ()))
    first = player.turn((), "ordinary", "What about fever?", 4)
    with pytest.raises(AssertionError, match="differs by"):
        player.turn(first, "none", "And a cough?", 4)


def test_the_check_fails_when_what_an_activated_adapter_computed_is_kept(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LlamaEngine, "_drop_activated", lambda _self: None)
    first = player.turn((), "a", "What about fever?", 12)
    with pytest.raises(AssertionError, match="differs by"):
        player.turn(first, "none", "And a cough?", 4)
