"""Adapters in the engine: which tokens are evaluated, what is kept, what is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.engine import load_engine
from medpocket.engine.adapters import MARGIN_BYTES
from medpocket.engine.cancel import Cancellation
from medpocket.engine.llama import LlamaEngine
from medpocket.engine.protocol import AdapterFile, Scaled
from medpocket.errors import AdapterError, MemoryShortError
from medpocket.types import Generated, Sampling, Turn
from tests.conftest import DEMO
from tests.engine.random_adapters import random_adapter, write_random_adapter

SHORT = Sampling(temperature=0, max_tokens=6)
QUESTION = Turn("user", "What are the symptoms of asthma in a child of four years?", line="Answer briefly.")


@pytest.fixture
def engine() -> Iterator[LlamaEngine]:
    loaded = load_engine(DEMO, context=512, threads=1)
    yield loaded
    loaded.close()


def ask(engine: LlamaEngine, turns: Sequence[Turn], adapters: Sequence[Scaled] = ()) -> Generated:
    *_, last = engine.generate(engine.encode(turns), SHORT, Cancellation(), adapters)
    assert isinstance(last, Generated)
    return last


def follow_up(first: Generated) -> list[Turn]:
    return [QUESTION, Turn("assistant", first.text, first.ids), Turn("user", "And in adults?")]


def test_a_switch_evaluates_the_marker_alone(engine: LlamaEngine, tmp_path: Path) -> None:
    ask(engine, [QUESTION], [random_adapter(tmp_path, 1)])
    second = ask(engine, [QUESTION], [random_adapter(tmp_path, 2)])
    assert second.stats.evaluated_tokens == 1
    assert second.stats.adapter_switches == 2  # the base reads what it must, then the adapter acts


def test_an_adapter_changes_the_answer_and_none_gives_the_base_models(engine: LlamaEngine, tmp_path: Path) -> None:
    base = ask(engine, [QUESTION]).ids
    assert ask(engine, [QUESTION], [random_adapter(tmp_path, 1)]).ids != base
    assert ask(engine, [QUESTION]).ids == base


def test_a_line_apart_leaves_the_question_read_for_another_expert(engine: LlamaEngine, tmp_path: Path) -> None:
    ask(engine, [replace(QUESTION, apart=True)], [random_adapter(tmp_path, 1)])
    other = Turn("user", QUESTION.text, line="Name the red flags.", apart=True)
    whole = len(engine.encode([other]))
    line_and_marker = whole - engine.encode([other]).parts[0]
    assert ask(engine, [other], [random_adapter(tmp_path, 2)]).stats.evaluated_tokens == line_and_marker


def test_after_idle_time_the_next_turn_evaluates_only_its_own_tokens(engine: LlamaEngine, tmp_path: Path) -> None:
    first = ask(engine, [QUESTION], [random_adapter(tmp_path, 1)])
    turns = follow_up(first)
    behind_the_answer = len(engine.encode(turns)) - engine.encode(turns).answers[0][1]
    assert engine.read_answer(Cancellation()) == 1 + len(first.ids)
    assert engine.read_answer(Cancellation()) == 0
    assert ask(engine, turns, [random_adapter(tmp_path, 2)]).stats.evaluated_tokens == behind_the_answer


def test_without_idle_time_it_evaluates_these_and_the_last_answer(engine: LlamaEngine, tmp_path: Path) -> None:
    first = ask(engine, [QUESTION], [random_adapter(tmp_path, 1)])
    turns = follow_up(first)
    from_the_marker = len(engine.encode(turns)) - (engine.encode(turns).answers[0][0] - 1)
    assert ask(engine, turns, [random_adapter(tmp_path, 2)]).stats.evaluated_tokens == from_the_marker


def test_idle_reading_that_is_cancelled_at_once_loses_nothing(engine: LlamaEngine, tmp_path: Path) -> None:
    first = ask(engine, [QUESTION], [random_adapter(tmp_path, 1)])
    cancel = Cancellation()
    cancel.set()
    assert engine.read_answer(cancel) == 0
    assert engine.read_answer(Cancellation()) == 1 + len(first.ids)


def test_an_ordinary_adapter_has_a_cache_of_its_own_and_finds_it_again(engine: LlamaEngine, tmp_path: Path) -> None:
    ordinary = random_adapter(tmp_path, 3, activated=False)
    ask(engine, [QUESTION])
    cold = ask(engine, [QUESTION], [ordinary])
    assert cold.stats.cached_tokens == 0
    assert ask(engine, [QUESTION]).stats.evaluated_tokens == 0
    again = ask(engine, [QUESTION], [ordinary])
    assert (again.stats.evaluated_tokens, again.ids) == (0, cold.ids)


def test_another_scale_of_an_ordinary_adapter_shares_nothing(engine: LlamaEngine, tmp_path: Path) -> None:
    ordinary = random_adapter(tmp_path, 3, activated=False)
    ask(engine, [QUESTION], [ordinary])
    assert ask(engine, [QUESTION], [Scaled(ordinary.file, 0.5)]).stats.cached_tokens == 0


def test_an_adapter_whose_invocation_is_not_in_the_prompt_is_refused(engine: LlamaEngine, tmp_path: Path) -> None:
    file = random_adapter(tmp_path, 1).file
    elsewhere = Scaled(AdapterFile(file.path, file.sha256, file.size_bytes, invocation=(3,)))  # `[INST]`
    with pytest.raises(AdapterError, match="switched on by tokens"):
        ask(engine, [QUESTION], [elsewhere])
    assert ask(engine, [QUESTION]).ids


def test_a_damaged_file_is_refused_and_the_engine_goes_on(engine: LlamaEngine, tmp_path: Path) -> None:
    path = write_random_adapter(tmp_path / "a.gguf", 1)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(AdapterError, match="cannot load the adapter"):
        ask(engine, [QUESTION], [Scaled(AdapterFile(path, "0" * 64, 5000, (4,)))])
    assert ask(engine, [QUESTION]).ids


def test_a_file_removed_while_active_goes_on_answering(engine: LlamaEngine, tmp_path: Path) -> None:
    adapter = random_adapter(tmp_path, 1)
    before = ask(engine, [QUESTION], [adapter])
    adapter.file.path.unlink()
    assert ask(engine, [QUESTION], [adapter]).ids == before.ids


def test_where_memory_is_short_the_least_recently_used_goes(engine: LlamaEngine, tmp_path: Path) -> None:
    adapters = [random_adapter(tmp_path, seed) for seed in (1, 2, 3)]
    for one in (adapters[0], adapters[1], adapters[0]):
        ask(engine, [QUESTION], [one])
    resident = engine._opened()
    # Room for one more only when one has gone; what is active stays.
    size = adapters[2].file.size_bytes + MARGIN_BYTES
    resident._available_bytes = lambda: size if len(resident.resident) < 2 else size - 1
    ask(engine, [QUESTION], [adapters[2]])
    assert resident.resident == (adapters[0].file.sha256, adapters[2].file.sha256)


def test_more_adapters_than_memory_are_refused_with_the_numbers(engine: LlamaEngine, tmp_path: Path) -> None:
    engine._opened()._available_bytes = lambda: 10**6
    with pytest.raises(MemoryShortError, match=r"needs .* MB of memory and 1 MB is free"):
        ask(engine, [QUESTION], [random_adapter(tmp_path, 1)])


def test_sixteen_resident_adapters_leave_the_base_as_it_is(engine: LlamaEngine, tmp_path: Path) -> None:
    base = ask(engine, [QUESTION]).ids
    for seed in range(16):
        ask(engine, [QUESTION], [random_adapter(tmp_path, seed)])
    assert len(engine._opened().resident) == 16
    assert ask(engine, [QUESTION]).ids == base


def test_scores_are_those_of_the_answer_and_leave_the_conversation_read(engine: LlamaEngine, tmp_path: Path) -> None:
    prompt = engine.encode([QUESTION])
    greedy = ask(engine, [QUESTION])
    scores = engine.score(prompt, greedy.ids)
    assert len(scores) == len(greedy.ids)
    other = [greedy.ids[0] + 1, *greedy.ids[1:]]
    assert engine.score(prompt, other)[0] < scores[0]
    assert engine.score(prompt, greedy.ids, [random_adapter(tmp_path, 1)]) != scores
    assert engine.score(prompt, greedy.ids) == scores
    assert ask(engine, [QUESTION]).stats.evaluated_tokens == 0
