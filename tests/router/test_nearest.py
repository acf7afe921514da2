"""The nearest of the written texts: which they are, whose, and what each word adds to their likeness."""

from string import ascii_lowercase, digits

import pytest

from medpocket.forge.router_memory import remember
from medpocket.forge.router_texts import Sample
from medpocket.forge.router_vocabulary import vocabulary_content
from medpocket.router.nearest import NEAREST, Memory, Overlap
from medpocket.router.normalise import tokens_of
from medpocket.router.reading import as_vocabulary, read

EXPERTS = ("heart", "leg", "none")
TEXTS = (
    ("my calf cramps uphill and lets go when i rest", ("heart", "leg")),
    ("my calf aches since football", ("leg",)),
    ("my heart races at night", ("heart",)),
    ("where is the bus", ("none",)),
)
STREETS = tuple((f"street {place}", ("none",)) for place in ascii_lowercase + digits)
WORDS = sorted({word for text, _ in (*TEXTS, *STREETS) for word in tokens_of(text)} | {"unread"})
VOCABULARY = as_vocabulary(vocabulary_content(WORDS, ["unread"], ["bus"]))
SAMPLES = [Sample(text, accept, "utterances") for text, accept in (*TEXTS, *STREETS)]
REMEMBERED = remember(SAMPLES, VOCABULARY, EXPERTS)
MEMORY: Memory = REMEMBERED.memory


def overlap(text: str) -> Overlap:
    reading = read(text, VOCABULARY)
    return MEMORY.overlap(reading.rows, reading.counts)


def likenesses(text: str, left_out: int | None = None) -> dict[str, float]:
    found = MEMORY.nearest(overlap(text), left_out)
    return {SAMPLES[number].text: float(like) for number, like in zip(found.texts, found.likeness, strict=True)}


def test_a_text_is_wholly_like_itself_and_left_out_where_it_is_trained_on() -> None:
    for number, (text, _) in enumerate(TEXTS):
        assert likenesses(text)[text] == pytest.approx(1, abs=1e-5)
        assert likenesses(text, number)[text] == 0
        assert REMEMBERED.numbers[text] == number


def test_rare_words_count_more_than_common_ones() -> None:
    calf, night, bus = TEXTS[1][0], TEXTS[2][0], TEXTS[3][0]  # of as many words; two texts have a calf
    found = likenesses("calf at night")
    assert found[night] > found[calf] > found[bus] == 0


def test_whose_the_nearest_texts_are() -> None:
    found = MEMORY.nearest(overlap("calf cramps uphill"))
    assert found.shares.sum() == pytest.approx(1, abs=1e-5)
    assert found.shares.argmax() == EXPERTS.index("heart")
    assert found.shares[EXPERTS.index("leg")] > found.shares[EXPERTS.index("none")] == 0
    assert found.leads.argmax() == EXPERTS.index("heart")
    assert found.closest == pytest.approx(found.likeness.max())


@pytest.mark.parametrize("text", ["unread", "xyzzy", "🙂", "street"])  # of which every tenth has the last
def test_words_that_no_text_has_and_common_ones_speak_for_nobody(text: str) -> None:
    shared = overlap(text)
    found = MEMORY.nearest(shared)
    assert found.shares.tolist() == pytest.approx([1 / 3] * 3)
    assert found.leads.tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert found.closest == 0
    assert not MEMORY.parts(shared, found, 0).any()


def parts(text: str, expert: str) -> dict[str, float]:
    shared = overlap(text)
    found = MEMORY.parts(shared, MEMORY.nearest(shared), EXPERTS.index(expert))
    rows = read(text, VOCABULARY).rows[shared.first]
    return {WORDS[row]: float(part) for row, part in zip(rows, found, strict=True)}


def test_each_words_part_in_the_likeness() -> None:
    found = parts("calf races calf", "heart")
    assert sum(found.values()) == pytest.approx(1)
    assert found["race"] > found["calf"] > 0
    assert parts("calf races", "leg") == pytest.approx({"calf": 1, "race": 0})


def test_a_denied_word_is_not_looked_for() -> None:
    assert likenesses("no calf cramps uphill") == likenesses("no")


def test_of_many_texts_the_nearest_are_heard() -> None:
    found = MEMORY.nearest(overlap("calf cramps"))
    assert len(found.texts) == NEAREST < len(SAMPLES)
    assert {0, 1} < set(found.texts.tolist())
