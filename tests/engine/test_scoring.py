from collections.abc import Iterator

import pytest

from medpocket.engine import load_engine
from medpocket.engine.cancel import Cancellation
from medpocket.engine.forest import Choices, Forest, unread
from medpocket.engine.llama import LlamaEngine
from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Scaled
from medpocket.engine.scoring import MOST_SEQUENCES, size_of
from medpocket.errors import EngineError
from medpocket.experts.library import Library
from medpocket.types import Turn
from tests.conftest import DEMO
from tests.evaluation.float_gguf import write_as_f32

QUESTIONS = ("What is gout?", "What are the symptoms of glaucoma?", "What is angina?")
ANSWERS = ("Gout is a disease of the joints.", "Gout is a kind of arthritis.", "yes", "no")


@pytest.fixture(scope="module")
def precise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaEngine]:
    """The demonstration model in full precision: what is left of a difference is a mistake."""
    path = write_as_f32(DEMO, tmp_path_factory.mktemp("f32") / "demo.gguf")
    loaded = load_engine(path, context=512, threads=1, for_scoring=True)
    yield loaded
    loaded.close()


def prompt(*ids: int) -> Prompt:
    return Prompt(ids, (len(ids),))


def items(engine: LlamaEngine, line: str = "") -> list[Choices]:
    answers = tuple(tuple(engine.encode_answer(text)[:-1]) for text in ANSWERS)
    listed = "A. yes\nB. no"
    lines = (f"{listed}\n\n{line}" if line else listed, line)
    return [
        Choices(engine.encode([Turn("user", text, line=own, apart=True)]), answers)
        for text in QUESTIONS
        for own in lines
    ]


def expert(engine: LlamaEngine, name: str) -> Scaled:
    entry = Library().find(name, engine.model.fingerprint)
    assert entry
    return Scaled(entry.load().file)


def distinct(choices: list[Choices]) -> int:
    """How many tokens there are to evaluate when nothing is read twice: different beginnings, without last tokens."""
    paths = [(*item.prompt.ids, *answer[:-1]) for item in choices for answer in item.answers]
    return len({path[:length] for path in paths for length in range(1, len(path) + 1)})


def test_what_is_shared_stands_in_the_forest_once() -> None:
    choices = [Choices(prompt(1, 2), ((5, 6, 7), (5, 8, 9), (5,))), Choices(prompt(1, 3), ((5, 6),))]
    forest = Forest(choices, (), [])
    assert [(node.token, node.position, node.first, node.last) for node in forest.nodes] == [
        (1, 0, 0, 2),
        (2, 1, 0, 1),
        (5, 2, 0, 1),
        (6, 3, 0, 0),
        (8, 3, 1, 1),
        (3, 1, 2, 2),
        (5, 2, 2, 2),
    ]
    assert forest.sequences == 3
    assert [target.token for target in forest.nodes[1].targets] == [5, 5, 5]


def test_what_is_in_memory_is_not_read_again_and_other_adapters_share_none_of_it() -> None:
    acting: list[tuple[Scaled, ...]] = []
    held = Forest([Choices(prompt(1, 2, 3), ((5, 6), (7, 8)))], (), acting)
    new, kept = unread(Forest([Choices(prompt(1, 2, 4), ((5, 6),))], (), acting), held)
    assert [node.token for node in new] == [4, 5]
    assert [(one.source, one.length) for one in kept] == [(0, 2)]
    new, kept = unread(Forest([Choices(prompt(1, 2, 3), ((5, 6),))], (), acting), None)
    assert len(new) == 4
    assert kept[0].length == 0


def test_many_are_scored_as_each_is_alone(precise: LlamaEngine) -> None:
    choices = items(precise)
    [found] = precise.score_choices([(choices, ())], Cancellation())
    for item, row in zip(choices, found.log_likelihoods, strict=True):
        for answer, score in zip(item.answers, row, strict=True):
            assert score == pytest.approx(sum(precise.score(item.prompt, answer)), abs=2e-3)


def test_no_token_is_evaluated_twice(engine_for_scoring: LlamaEngine) -> None:
    choices = items(engine_for_scoring)
    [found] = engine_for_scoring.score_choices([(choices, ())], Cancellation())
    assert found.evaluated == distinct(choices) == size_of(choices).tokens
    for item in choices:
        [alone] = engine_for_scoring.score_choices([([item], ())], Cancellation())
        assert alone.evaluated <= len(item.prompt) + sum(map(len, item.answers))


def test_experts_read_the_question_once_together(precise: LlamaEngine) -> None:
    cardiology, dermatology = expert(precise, "cardiology"), expert(precise, "dermatology")
    columns = [
        (items(precise), ()),
        (items(precise, "Answer as a cardiologist."), (cardiology,)),
        (items(precise, "Answer as a dermatologist."), (dermatology,)),
    ]
    found = list(precise.score_choices(columns, Cancellation()))
    shared = len({item.prompt.ids[: item.prompt.parts[0]] for item in columns[0][0]})
    questions = sum(len(precise.encode([Turn("user", text)])) - 3 for text in QUESTIONS)
    assert shared == len(QUESTIONS)
    for (choices, acting), scores in zip(columns[1:], found[1:], strict=True):
        assert scores.evaluated <= distinct(choices) - questions
        [alone] = precise.score_choices([(choices, acting)], Cancellation())
        for row, other in zip(scores.log_likelihoods, alone.log_likelihoods, strict=True):
            assert row == pytest.approx(other, abs=0.05)  # the adapters' own matrices are Q8_0
    assert found[1].log_likelihoods != found[2].log_likelihoods


def test_the_same_questions_give_the_same_bits(engine_for_scoring: LlamaEngine) -> None:
    columns = [(items(engine_for_scoring), ()), (items(engine_for_scoring), (expert(engine_for_scoring, "oncology"),))]
    first = list(engine_for_scoring.score_choices(columns, Cancellation()))
    list(engine_for_scoring.score_choices([(items(engine_for_scoring, "Something else."), ())], Cancellation()))
    assert list(engine_for_scoring.score_choices(columns, Cancellation())) == first


def test_more_tokens_than_a_batch_holds_are_read_in_several() -> None:
    small = load_engine(DEMO, context=512, threads=1, batch=32, for_scoring=True)
    choices = items(small)
    [found] = small.score_choices([(choices, ())], Cancellation())
    assert found.evaluated == distinct(choices) > 64
    small.close()


def test_cancelling_ends_without_scores(engine_for_scoring: LlamaEngine) -> None:
    cancel = Cancellation()
    cancel.set()
    assert list(engine_for_scoring.score_choices([(items(engine_for_scoring), ())], cancel)) == []


def test_a_conversation_still_works_afterwards(engine_for_scoring: LlamaEngine) -> None:
    asked = engine_for_scoring.encode([Turn("user", QUESTIONS[0])])
    answer = engine_for_scoring.encode_answer("yes")
    before = engine_for_scoring.score(asked, answer)
    list(engine_for_scoring.score_choices([(items(engine_for_scoring), ())], Cancellation()))
    assert engine_for_scoring.score(asked, answer) == before


def test_what_does_not_fit_is_an_error_and_no_crash(engine_for_scoring: LlamaEngine) -> None:
    long = Choices(prompt(*range(10, 10 + engine_for_scoring.model.context + 1)), ((5,),))
    with pytest.raises(EngineError, match="could not evaluate"):
        list(engine_for_scoring.score_choices([([long], ())], Cancellation()))


@pytest.fixture(scope="module")
def engine_for_scoring() -> Iterator[LlamaEngine]:
    loaded = load_engine(DEMO, context=512, threads=1, for_scoring=True)
    yield loaded
    loaded.close()


def test_as_many_sequences_as_are_promised(engine_for_scoring: LlamaEngine) -> None:
    many = Choices(prompt(1, 3, 354), tuple((400 + number, 5) for number in range(MOST_SEQUENCES)))
    columns = [([many], ()), ([many], (expert(engine_for_scoring, "oncology"),))]
    with pytest.raises(Exception, match="switched on by tokens"):  # no marker in this prompt: the base alone is scored
        list(engine_for_scoring.score_choices(columns, Cancellation()))
    [found] = engine_for_scoring.score_choices(columns[:1], Cancellation())
    assert found.evaluated == 3 + MOST_SEQUENCES
