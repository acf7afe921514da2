from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from medpocket.assistant import Assistant
from medpocket.engine.cancel import Cancellation
from medpocket.engine.scripted import ScriptedEngine
from medpocket.errors import QuestionError, RouterError, UnknownNameError
from medpocket.registry import load_registry
from medpocket.types import Delta, Event, Evidence, Finished, Notice, PromptProgress, Route, Routed, Sampling, Turn

REGISTRY = load_registry()


def ask(engine: ScriptedEngine, question: str, *, max_tokens: int = 50, **options: object) -> list[Event]:
    assistant = Assistant(REGISTRY, engine, Sampling(max_tokens=max_tokens))
    return list(assistant.ask(question, Cancellation(), **options))  # type: ignore[arg-type]


def finished(events: Sequence[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def notices(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


def read(prompt: list[int]) -> str:
    return "".join(map(chr, prompt[1:]))


def test_a_question_takes_its_path_in_order() -> None:
    events = ask(ScriptedEngine(["rest and water"]), "what helps?")
    kinds = [type(event) for event in events]
    assert kinds == [Routed, PromptProgress, PromptProgress, Delta, Delta, Delta, Finished]
    assert finished(events).answer == "rest and water"
    assert finished(events).stop == "end"


def test_without_a_router_the_base_model_answers() -> None:
    engine = ScriptedEngine(["yes"])
    events = ask(engine, "q")
    assert events[0] == Routed("general", REGISTRY.experts["general"].title, "routing is off")
    assert read(engine.prompts[0]) == "q"


def test_routing_off_says_so() -> None:
    event = ask(ScriptedEngine(["yes"]), "q", route=False)[0]
    assert isinstance(event, Routed)
    assert event.why == "routing is off"


def test_an_expert_that_is_named_adds_its_line_at_the_end_of_the_turn() -> None:
    engine = ScriptedEngine(["yes"])
    events = ask(engine, "q", experts=[("cardiology", 1.0)])
    assert isinstance(events[0], Routed)
    assert events[0].expert == "cardiology"
    assert not events[0].has_adapter
    assert read(engine.prompts[0]) == f"q\n\n{REGISTRY.experts['cardiology'].system}"


def test_ones_own_instruction_stands_in_the_place_of_the_experts() -> None:
    engine = ScriptedEngine(["yes"])
    ask(engine, "q", experts=[("cardiology", 1.0)], system="In one word.")
    assert read(engine.prompts[0]) == "q\n\nIn one word."


def test_an_unknown_expert_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        ask(ScriptedEngine(["yes"]), "q", experts=[("cardiologie", 1.0)])
    assert caught.value.nearest == "cardiology"


@pytest.mark.parametrize("question", ["", "  \n\t ", "\x00\x1b", "\ud800"])
def test_what_is_no_question_is_refused(question: str) -> None:
    with pytest.raises(QuestionError):
        ask(ScriptedEngine(["yes"]), question)


def test_control_characters_are_taken_out_with_a_notice() -> None:
    engine = ScriptedEngine(["yes"])
    events = ask(engine, "chest\x00 pain\x1b")
    assert read(engine.prompts[0]) == "chest pain"
    assert notices(events) == ["2 control characters were taken out of the question; check that it was copied whole"]


def test_cancelling_keeps_what_came() -> None:
    def stop_at_two(word: int, cancel: Cancellation) -> None:
        if word == 2:
            cancel.set()

    last = finished(ask(ScriptedEngine(["one two three"], before_word=stop_at_two), "q"))
    assert (last.answer, last.stop) == ("one two", "cancelled")
    assert last.turns[-1].text == "one two"


def test_the_next_turn_evaluates_only_its_own_tokens() -> None:
    engine = ScriptedEngine(["first", "second"])
    turns = finished(ask(engine, "one")).turns
    last = finished(ask(engine, "two", history=turns))
    assert last.stats.cached_tokens == len("|onefirst")
    assert last.stats.evaluated_tokens == len("|two")
    assert engine.prompts[1][: len(engine.prompts[0])] == engine.prompts[0]
    assert [turn.text for turn in last.turns] == ["one", "first", "two", "second"]


def test_past_turns_keep_their_experts_line_so_that_the_prefix_never_changes() -> None:
    engine = ScriptedEngine(["first", "second"])
    turns = finished(ask(engine, "one", experts=[("oncology", 1.0)])).turns
    ask(engine, "two", history=turns, experts=[("cardiology", 1.0)])
    assert engine.prompts[1][: len(engine.prompts[0])] == engine.prompts[0]


def test_an_answer_is_never_tokenized_again() -> None:
    engine = ScriptedEngine(["yes"])
    odd = Turn("assistant", "text", ids=(7, 8, 9))
    ask(engine, "two", history=[Turn("user", "one"), odd])
    assert engine.prompts[0] == [0, *map(ord, "one"), 7, 8, 9, 0, *map(ord, "two")]


def test_too_long_a_question_is_refused_with_the_numbers() -> None:
    engine = ScriptedEngine(["yes"], context=100)
    with pytest.raises(QuestionError) as caught:
        ask(engine, "x" * 100)
    assert "101 tokens" in caught.value.message
    assert "holds 100, 25 of them" in caught.value.message
    assert "75 tokens" in caught.value.hint
    assert engine.prompts == []


def test_a_question_that_just_fits_is_answered() -> None:
    assert finished(ask(ScriptedEngine(["yes"], context=100), "x" * 74)).answer == "yes"


def test_a_long_conversation_is_cut_by_whole_turns_to_half_the_context_with_a_notice() -> None:
    history = [Turn("user" if number % 2 == 0 else "assistant", str(number) * 9) for number in range(8)]
    engine = ScriptedEngine(["yes"], context=100)
    events = ask(engine, "x" * 9, history=history)
    assert read(engine.prompts[0]).replace("\0", "|") == "444444444555555555|666666666777777777|xxxxxxxxx"
    assert len(engine.prompts[0]) <= 50
    assert notices(events) == [
        "the conversation is longer than the context of 100 tokens: its first 4 turns are no longer read"
    ]
    assert len(finished(events).turns) == 6


def test_a_conversation_that_fits_is_not_cut() -> None:
    history = [Turn("user", "x" * 30), Turn("assistant", "y" * 30)]
    events = ask(ScriptedEngine(["yes"], context=100), "z" * 10, history=history)
    assert notices(events) == []
    assert len(finished(events).turns) == 4


def test_a_question_too_long_even_without_its_history_is_refused() -> None:
    history = [Turn("user", "x" * 30), Turn("assistant", "y" * 30)]
    with pytest.raises(QuestionError):
        ask(ScriptedEngine(["yes"], context=100), "z" * 90, history=history)


# Routing


class ScriptedRouter:
    """Knows a few words, and the scores that each gives."""

    SCORES: ClassVar[dict[str, dict[str, float]]] = {
        "heart": {"cardiology": 0.9, "general": 0.1},
        "skin": {"dermatology": 0.9, "general": 0.1},
        "dose": {"pharmacology": 0.8, "general": 0.2},
        "faint": {"cardiology": 0.5, "neurology": 0.4, "general": 0.1},
    }

    def __init__(self) -> None:
        self.asked: list[str] = []

    def route(self, text: str) -> Route:
        self.asked.append(text)
        found = [word for word in self.SCORES if word in text]
        scores = dict.fromkeys(REGISTRY.experts, 0.0)
        for word in found:
            for name, score in self.SCORES[word].items():
                scores[name] += score / len(found)
        if not found:
            scores["general"] = 1.0
        expert = max(scores, key=scores.__getitem__)
        return Route(expert, scores[expert], scores, tuple(Evidence(word, 1.0) for word in found))


def route(question: str, *, turns: Sequence[Turn] = (), **options: object) -> list[Event]:
    assistant = Assistant(REGISTRY, ScriptedEngine(["yes"]), Sampling(max_tokens=50), router=ScriptedRouter)
    return list(assistant.ask(question, Cancellation(), history=turns, **options))  # type: ignore[arg-type]


def routed(events: Sequence[Event]) -> Routed:
    assert isinstance(events[0], Routed)
    return events[0]


def test_a_question_is_routed_with_its_score_and_the_terms_that_decided() -> None:
    event = routed(route("my heart"))
    assert (event.expert, event.score, event.why) == ("cardiology", 0.9, "heart")


def test_a_question_of_no_specialty_goes_to_general() -> None:
    event = routed(route("hello"))
    assert (event.expert, event.why) == ("general", "it is of no specialty")


def test_naming_an_expert_and_turning_routing_off_ask_no_router() -> None:
    def never() -> ScriptedRouter:
        raise AssertionError("the router was asked")

    assistant = Assistant(REGISTRY, ScriptedEngine(["yes", "yes"]), Sampling(max_tokens=50), router=never)
    assert routed(list(assistant.ask("my heart", Cancellation(), experts=[("oncology", 1.0)]))).why == "chosen by you"
    assert routed(list(assistant.ask("my heart", Cancellation(), route=False))).why == "routing is off"


def test_a_close_second_is_told() -> None:
    events = route("faint")
    assert routed(events).expert == "cardiology"
    assert notices(events) == ["neurology is close (0.40): `-e neurology` asks it, `--mix auto` asks both"]
    assert notices(route("my heart")) == []


def test_mixing_takes_a_close_second_at_the_gates_scales() -> None:
    events = route("faint", mix=True)
    assert "mixed with neurology 0.40" in routed(events).why
    assert "neurology has no adapter for this model, and no part in the mixture" in notices(events)
    assert "mixed" not in routed(route("my heart", mix=True)).why


def test_a_conversation_keeps_its_expert_where_a_question_says_nothing_else() -> None:
    turns = finished(route("my heart")).turns
    event = routed(route("and how long will that last?", turns=turns))
    assert (event.expert, event.why) == ("cardiology", "the conversation stays with it")


def test_a_conversation_goes_elsewhere_where_a_question_clearly_does() -> None:
    turns = finished(route("my heart")).turns
    assert routed(route("something else: my skin", turns=turns)).expert == "dermatology"


def test_a_question_that_takes_its_meaning_from_the_one_before_stays() -> None:
    class Together(ScriptedRouter):
        SCORES = ScriptedRouter.SCORES | {
            "heart": {"cardiology": 1.0},
            "dose": {"pharmacology": 0.7, "cardiology": 0.3},
        }

    assistant = Assistant(REGISTRY, ScriptedEngine(["yes", "yes"]), Sampling(max_tokens=50), router=Together)
    turns = finished(list(assistant.ask("pills for my heart", Cancellation()))).turns
    assert routed(list(assistant.ask("what dose?", Cancellation(), history=turns))).expert == "cardiology"


def test_a_conversation_of_general_finds_its_expert() -> None:
    turns = finished(route("hello")).turns
    assert routed(route("my heart", turns=turns)).expert == "cardiology"


def test_a_named_expert_answers_in_the_midst_of_a_conversation_and_keeps_it() -> None:
    turns = finished(route("my heart")).turns
    turns = finished(route("q", turns=turns, experts=[("oncology", 1.0)])).turns
    assert routed(route("and now?", turns=turns)).expert == "oncology"


def test_damaged_weights_leave_the_question_to_general_and_say_so() -> None:
    def broken() -> ScriptedRouter:
        raise RouterError("the weights are damaged", "put them back")

    assistant = Assistant(REGISTRY, ScriptedEngine(["yes"]), Sampling(max_tokens=50), router=broken)
    events = list(assistant.ask("my heart", Cancellation()))
    assert routed(events).expert == "general"
    assert notices(events) == ["the weights are damaged; put them back"]
    assert finished(events).answer == "yes"


def test_a_conversation_goes_on_with_another_model_by_its_words_not_by_the_ids_of_the_first() -> None:
    before = finished(ask(ScriptedEngine(["first"]), "one"))
    engine = ScriptedEngine(["second"])
    engine.model = replace(engine.model, fingerprint="another")
    history = [replace(turn, ids=(1, 2, 3) if turn.ids else None) for turn in before.turns]
    after = finished(ask(engine, "two", history=history))
    assert read(engine.prompts[0]).replace(chr(0), "") == "onefirsttwo"
    assert after.turns[-1].model == "another"
