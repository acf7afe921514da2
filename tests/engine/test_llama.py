"""The engine on real weights: the demonstration model."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.engine import load_engine
from medpocket.engine.cancel import Cancellation
from medpocket.engine.llama import LlamaEngine
from medpocket.engine.prompt import Prompt
from medpocket.engine.system import system_features
from medpocket.errors import EngineError, MemoryShortError, OptionError, SettingsError
from medpocket.models import hardware
from medpocket.types import Delta, Generated, PromptProgress, Sampling, Turn
from tests.conftest import DEMO

GREEDY = Sampling(temperature=0, max_tokens=24)
ENDLESS = Sampling(temperature=1.9, top_k=0, top_p=1, min_p=0, max_tokens=400, seed=1)
QUESTION = [Turn("user", "What are the symptoms of glaucoma?")]


def answer(engine: LlamaEngine, turns: list[Turn], sampling: Sampling = GREEDY) -> Generated:
    *_, last = engine.generate(engine.encode(turns), sampling, Cancellation())
    assert isinstance(last, Generated)
    return last


@pytest.fixture
def fresh() -> Iterator[LlamaEngine]:
    loaded = load_engine(DEMO, context=512, threads=1, batch=32)
    yield loaded
    loaded.close()


def test_the_pieces_make_the_answer(engine: LlamaEngine) -> None:
    events = list(engine.generate(engine.encode(QUESTION), GREEDY, Cancellation()))
    assert isinstance(events[-1], Generated)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == events[-1].text
    assert events[-1].text
    assert events[-1].text == events[-1].text.lstrip()


def test_progress_counts_the_tokens_of_the_prompt(fresh: LlamaEngine) -> None:
    prompt = fresh.encode([Turn("user", "pain " * 40)])
    events = fresh.generate(prompt, GREEDY, Cancellation())
    progress = [(event.evaluated, event.total) for event in events if isinstance(event, PromptProgress)]
    total = len(prompt)
    assert progress == [(evaluated, total) for evaluated in (*range(0, total, 32), total)]


def test_a_second_turn_evaluates_only_what_is_new(fresh: LlamaEngine) -> None:
    first = answer(fresh, QUESTION)
    turns = [*QUESTION, Turn("assistant", first.text, first.ids), Turn("user", "And in children?")]
    second = answer(fresh, turns)
    held = first.stats.prompt_tokens + first.stats.answer_tokens
    # An answer that was cut off has a last token that was chosen but never evaluated.
    assert second.stats.cached_tokens in (held, held - 1)
    assert second.stats.evaluated_tokens == second.stats.prompt_tokens - second.stats.cached_tokens


def test_a_reused_prefix_gives_the_cold_answer(fresh: LlamaEngine) -> None:
    other = [Turn("user", "What are the symptoms of asthma?", line="Be brief.", apart=True)]
    cold = answer(fresh, other)
    answer(fresh, [Turn("user", "What are the symptoms of asthma?", line="Name the red flags.", apart=True)])
    warm = answer(fresh, other)
    assert warm.stats.cached_tokens > 0
    assert warm.ids == cold.ids


def test_the_line_of_a_long_question_is_a_part_of_its_own(engine: LlamaEngine) -> None:
    parts = [len(engine.encode([Turn("user", "pain " * words, line="Be brief.")]).parts) for words in (50, 600)]
    assert parts == [1, 2]


def test_a_question_asked_again_is_not_read_again_and_answered_the_same(fresh: LlamaEngine) -> None:
    warm = Sampling(temperature=1.0, max_tokens=24, seed=3)
    first = answer(fresh, QUESTION, warm)
    second, other = answer(fresh, QUESTION, warm), answer(fresh, QUESTION, replace(warm, seed=4))
    assert first.stats.evaluated_tokens > second.stats.evaluated_tokens == other.stats.evaluated_tokens == 0
    assert first.ids == second.ids != other.ids


def test_an_edited_question_forgets_what_followed(fresh: LlamaEngine) -> None:
    cold = answer(fresh, [Turn("user", "What is asthma?")])
    answer(fresh, [Turn("user", "What is asthma in adults who smoke?")])
    assert answer(fresh, [Turn("user", "What is asthma?")]).ids == cold.ids


def test_temperature_zero_is_greedy_whatever_the_seed(engine: LlamaEngine) -> None:
    one, two = (answer(engine, QUESTION, Sampling(temperature=0, max_tokens=16, seed=seed)) for seed in (1, 2))
    assert one.ids == two.ids


def test_a_seed_repeats_an_answer_and_another_does_not(engine: LlamaEngine) -> None:
    hot = [answer(engine, QUESTION, Sampling(temperature=1.5, max_tokens=24, seed=seed)).ids for seed in (5, 5, 6)]
    assert hot[0] == hot[1] != hot[2]


def test_without_a_seed_the_one_that_was_drawn_is_told(engine: LlamaEngine) -> None:
    drawn = answer(engine, QUESTION, Sampling(temperature=1.5, max_tokens=24))
    assert answer(engine, QUESTION, Sampling(temperature=1.5, max_tokens=24, seed=drawn.stats.seed)).ids == drawn.ids


def test_max_tokens_ends_an_answer(engine: LlamaEngine) -> None:
    short = answer(engine, QUESTION, Sampling(temperature=0, max_tokens=3))
    assert (short.stop, len(short.ids)) == ("length", 3)


def test_a_full_context_ends_an_answer_and_says_so() -> None:
    small = load_engine(DEMO, context=256, threads=1)
    long = answer(
        small, [Turn("user", "x")], Sampling(temperature=1.9, top_k=0, top_p=1, min_p=0, max_tokens=5000, seed=3)
    )
    small.close()
    # Whether the model ends by itself is its own affair; it never goes on past the context.
    assert long.stats.prompt_tokens + long.stats.answer_tokens <= 257
    assert long.stop in ("context", "end")


def test_cancelling_in_mid_answer_keeps_what_came(fresh: LlamaEngine) -> None:
    cancel = Cancellation()
    pieces = []
    for event in fresh.generate(fresh.encode(QUESTION), ENDLESS, cancel):
        if isinstance(event, Delta):
            pieces.append(event.text)
            if len(pieces) == 3:
                cancel.set()
        last = event
    assert isinstance(last, Generated)
    assert last.stop == "cancelled"
    assert last.text == "".join(pieces)


def test_cancelling_before_the_start_evaluates_nothing(fresh: LlamaEngine) -> None:
    cancel = Cancellation()
    cancel.set()
    *_, last = fresh.generate(fresh.encode(QUESTION), GREEDY, cancel)
    assert isinstance(last, Generated)
    assert (last.stop, last.text, last.stats.evaluated_tokens) == ("cancelled", "", 0)


def test_cancelling_in_the_middle_of_a_batch_stops_it_and_leaves_the_engine_sound() -> None:
    engine = load_engine(DEMO, context=1024, threads=1, batch=1024)
    prompt = engine.encode([Turn("user", "chest pain " * 400)])
    *_, whole = engine.generate(prompt, GREEDY, Cancellation())
    assert isinstance(whole, Generated)
    engine.close()
    engine = load_engine(DEMO, context=1024, threads=1, batch=1024)
    cancel = Cancellation()
    timer = threading.Timer(whole.stats.prefill_s / 4, cancel.set)
    timer.start()
    started = time.perf_counter()
    *_, stopped = engine.generate(prompt, GREEDY, cancel)
    took = time.perf_counter() - started
    assert isinstance(stopped, Generated)
    assert (stopped.stop, stopped.stats.evaluated_tokens) == ("cancelled", 0)
    assert took < whole.stats.prefill_s
    *_, again = engine.generate(prompt, GREEDY, Cancellation())
    assert isinstance(again, Generated)
    assert again.ids == whole.ids
    engine.close()


def test_a_context_longer_than_the_model_was_trained_for_is_refused() -> None:
    with pytest.raises(OptionError) as caught:
        load_engine(DEMO, context=4096)
    assert "4,096" in caught.value.message
    assert "1,024" in caught.value.message


def test_a_configured_context_is_only_an_upper_bound() -> None:
    engine = load_engine(DEMO, most_context=100_000, threads=1)
    assert engine.model.context == 1024
    engine.close()


def test_too_little_memory_is_refused_before_loading_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = hardware.Memory(total_bytes=10**8, available_bytes=5 * 10**7, swap_bytes=0)
    monkeypatch.setattr(hardware, "describe_memory", lambda: memory)
    with pytest.raises(MemoryShortError) as caught:
        load_engine(DEMO)
    assert "GB" in caught.value.message
    assert "--force" in caught.value.hint


def test_a_model_can_be_loaded_where_memory_looks_short(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = hardware.Memory(total_bytes=10**8, available_bytes=5 * 10**7, swap_bytes=0)
    monkeypatch.setattr(hardware, "describe_memory", lambda: memory)
    forced = load_engine(DEMO, context=256, threads=1, force=True)
    assert answer(forced, QUESTION).text
    forced.close()


def test_repacking_is_refused_where_it_would_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medpocket.engine.calls.system_features", lambda: "CPU : AVX2 = 1 | AMX_INT8 = 1 |")
    with pytest.raises(SettingsError, match="AMX"):
        load_engine(DEMO, context=256, threads=1, repack=True)


def test_repacking_gives_the_same_answer_where_it_works(engine: LlamaEngine) -> None:
    if "AMX_INT8 = 1" in system_features():
        pytest.skip("refused on this processor")
    repacked = load_engine(DEMO, context=512, threads=1, repack=True)
    assert answer(repacked, QUESTION).text[:20] == answer(engine, QUESTION).text[:20]
    repacked.close()


def test_a_closed_engine_says_so(engine: LlamaEngine) -> None:
    closed = load_engine(DEMO, context=256, threads=1)
    closed.close()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        next(closed.generate(Prompt((1,), (1,)), GREEDY, Cancellation()))


def test_a_foreign_model_without_a_template_reads_plain_text(shared: Path) -> None:
    engine = load_engine(shared / "models" / "stories260k-f32.gguf", threads=1)
    assert not engine.model.has_template
    assert not engine.model.demonstration
    story = answer(engine, [Turn("user", "Once upon a time")], Sampling(temperature=0, max_tokens=40))
    assert story.text.startswith(",")
    engine.close()


def test_llama_cpps_own_reason_stands_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load_engine(DEMO, context=256, threads=1)
    with pytest.raises(EngineError, match="result -1"):
        list(engine.generate(Prompt((1, 10**6), (2,)), GREEDY, Cancellation()))
    assert answer(engine, QUESTION).text
    engine.close()
