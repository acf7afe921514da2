from collections.abc import Sequence

import pytest

from medpocket.engine.forest import Forest
from medpocket.engine.prompt import Prompt
from medpocket.engine.scoring import MOST_SEQUENCES
from medpocket.evaluation.packs import BASE, Expert, Plan, draw_examples, plan
from medpocket.evaluation.prompts import choices
from medpocket.evaluation.tasks import Question, shuffled
from medpocket.types import Turn

CARDIOLOGY = Expert("cardiology", "Answer as a cardiologist.")


class Letters:
    """A token a character, and a marker before what each side says."""

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        ids: list[int] = []
        for turn in turns:
            ids += [0, *map(ord, turn.text), *map(ord, f"\n\n{turn.line}" if turn.line else "")]
        return Prompt((*ids, 1), (len(ids), len(ids) + 1))

    def encode_answer(self, text: str) -> list[int]:
        return [*map(ord, text), 2]


def question(number: int, length: int = 20, name: str = "s") -> Question:
    return Question(f"{name}/{number}", name, f"{number}".ljust(length, "?"), ("one", "other"), (0,), (0, 1))


def planned(questions: list[Question], experts: tuple[Expert, ...] = (BASE,), room: int = 1000, shots: int = 0) -> Plan:
    examples = draw_examples(questions, shots, 1)
    *_, found = plan(Letters(), questions, examples, lambda _: experts, pack_tokens=300, room=room)
    assert isinstance(found, Plan)
    return found


def sizes(found: Plan) -> list[tuple[int, int]]:
    """Tokens and sequences of every pack under each of its experts, as the engine will count them."""
    counted = []
    for pack in found.packs:
        for expert in pack.experts:
            asked = [
                form
                for one in pack.questions.values()
                for form in choices(Letters(), one, found.examples[one.set], expert.line)
            ]
            forest = Forest(asked, (), [])
            counted.append((len(forest.nodes), forest.sequences))
    return counted


def test_each_question_is_in_one_pack_and_each_pack_fits() -> None:
    questions = [question(number, 10 + 13 * number % 70) for number in range(60)]
    found = planned(questions, (BASE, CARDIOLOGY), room=420)
    assert sorted(place for pack in found.packs for place in pack.questions) == list(range(60))
    assert {one.id for pack in found.packs for one in pack.questions.values()} == {one.id for one in questions}
    assert all(tokens <= 420 and sequences <= MOST_SEQUENCES for tokens, sequences in sizes(found))
    assert len(found.packs) < 60


def test_many_tiny_questions_have_sequences_enough() -> None:
    tiny = [Question(f"s/{number}", "s", "?", tuple("abcdefghij"), (0,), tuple(range(10))) for number in range(200)]
    *_, found = plan(Letters(), tiny, {"s": ()}, lambda _: (BASE,), pack_tokens=10**6, room=10**6)
    assert isinstance(found, Plan)
    assert found.questions == 200
    assert all(sequences <= MOST_SEQUENCES for _, sequences in sizes(found))


def test_a_question_that_does_not_fit_is_named_and_the_others_are_measured() -> None:
    found = planned([question(1), question(2, 900), question(3)], room=500)
    assert found.too_long == ("s/2",)
    assert found.questions == 2


def test_the_plan_does_not_depend_on_anything_but_what_is_asked() -> None:
    questions = [question(number) for number in range(30)]
    assert planned(questions) == planned(questions)


def test_examples_are_of_the_same_set_and_stand_before_the_question() -> None:
    questions = [question(number, name=name) for name in ("s", "t") for number in range(5)]
    examples = draw_examples(questions, 2, 1)
    assert {name: len(own) for name, own in examples.items()} == {"s": 2, "t": 2}
    assert examples == draw_examples(questions, 2, 1)
    assert all(one.set == name for name, own in examples.items() for one in own)
    letter, answer = choices(Letters(), questions[0], examples["s"], "")
    assert len(letter.prompt) > len(choices(Letters(), questions[0], (), "")[0].prompt)
    text = "".join(map(chr, answer.prompt.ids))
    assert text.count("one") == 2  # the right answer of each example


def test_a_set_of_one_question_keeps_it() -> None:
    assert draw_examples([question(1)], 5, None) == {"s": ()}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_letters_follow_the_order_in_which_options_are_shown(seed: int) -> None:
    one = Question("s/1", "s", "Which?", ("first", "second", "third"), (2,), (0, 1, 2))
    mixed = shuffled(one, seed)
    letter, answer = choices(Letters(), mixed, (), "")
    text = "".join(map(chr, letter.prompt.ids))
    for option, ids in enumerate(letter.answers):
        assert f"{chr(ids[0])}. {mixed.options[option]}" in text
    assert ["".join(map(chr, ids)) for ids in answer.answers] == ["first", "second", "third"]


def test_the_list_of_options_stands_behind_what_both_forms_share() -> None:
    letter, answer = choices(Letters(), question(1), (), CARDIOLOGY.line)
    shared = len("1".ljust(20, "?")) + 1
    assert letter.prompt.ids[:shared] == answer.prompt.ids[:shared]
    assert "".join(map(chr, letter.prompt.ids)).endswith(f"{CARDIOLOGY.line}\x01")
    assert "A. one" not in "".join(map(chr, answer.prompt.ids))
