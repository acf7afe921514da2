import random
from collections import Counter

from medpocket.forge.corpus import Corpus, Entry, names_subject
from medpocket.forge.dialogue import EXPERT_LINES, PLAIN, Mixture, epoch, invented_name, nonsense_name, plain_exchange
from medpocket.forge.subjects import split_key

ANSWER = "is a disease that many people have. Doctors treat it with care and with patience."


def entry(
    subject: str, qtype: str = "information", source: str = "GHR", answer: str | None = None, weight: float = 1.0
) -> Entry:
    return Entry(source, subject, qtype, answer or f"{subject[0].upper()}{subject[1:]} {ANSWER}", weight)


def many(count: int = 400, **changes: str | float) -> Corpus:
    entries = tuple(entry(f"disease of Smith{n}", **changes) for n in range(count))  # type: ignore[arg-type]
    return Corpus(entries, (), (), ())


def conversations(corpus: Corpus, mixture: Mixture = PLAIN) -> list[list[tuple[str, str]]]:
    return [
        [(exchange.question, exchange.answer) for exchange in document]
        for document in epoch(corpus, 1, 0, mixture)
        if not isinstance(document, str)
    ]


def test_an_epoch_depends_on_seed_and_number_alone(corpus: Corpus) -> None:
    assert epoch(corpus, 1, 0) == epoch(corpus, 1, 0)
    assert epoch(corpus, 1, 0) != epoch(corpus, 1, 1)
    assert epoch(corpus, 1, 0) != epoch(corpus, 2, 0)


def test_weights_say_how_often_an_entry_is_read() -> None:
    asked = [turns[0][0] for turns in conversations(many(100, weight=2.0, source="NHLBI"))]
    # An entry that is drawn twice into one conversation is said once.
    assert 160 < len(asked) <= 200
    assert len(conversations(many(100, weight=0.0))) == 0
    assert 200 < len(conversations(many(400, weight=0.6))) < 280


def test_entries_of_one_subject_become_conversations_about_it() -> None:
    kinds = ("information", "symptoms", "treatment", "causes")
    entries = tuple(entry(f"Smith{n} disease", kind) for n in range(100) for kind in kinds)
    made = conversations(Corpus(entries, (), (), ()))
    lengths = Counter(map(len, made))
    chained = sum(length * count for length, count in lengths.items() if length > 1)
    assert 0.2 < chained / len(entries) < 0.6
    assert max(lengths) == 3
    for conversation in made:
        if len(conversation) > 1:
            first = " ".join(conversation[0][1].split()[:2])
            assert all(answer.startswith(first) for _, answer in conversation)


def test_some_turns_end_with_an_expert_line_after_an_empty_line() -> None:
    questions = [turn[0] for conversation in conversations(many()) for turn in conversation]
    marked = [question for question in questions if question.split("\n\n")[-1] in EXPERT_LINES]
    assert 0.12 < len(marked) / len(questions) < 0.25
    assert all("\n" not in question for question in questions if question not in marked)


def test_renamed_answers_name_what_the_question_names() -> None:
    renamed = [turns[0] for turns in conversations(many()) if "Smith" not in turns[0][0] and "smith" not in turns[0][0]]
    assert 0.15 < len(renamed) / 400 < 0.35
    for question, answer in renamed:
        name = answer.split(" is a disease")[0]
        assert name.lower() in question.lower()
        assert "Smith" not in answer


def test_only_rare_diseases_are_renamed() -> None:
    assert all("smith" in turns[0][0].lower() for turns in conversations(many(source="NHLBI")))


def test_copying_practice_renames_in_every_source_and_keeps_letter_case() -> None:
    known = {f"Disease of Smith{n}" for n in range(400)}
    for source, least, most in (("GHR", 0.4, 0.6), ("NHLBI", 0.15, 0.35)):
        turns = [turns[0] for turns in conversations(many(source=source), Mixture(renamed=0.5, copying=True))]
        named = [(question, answer.split(" is a disease")[0]) for question, answer in turns]
        renamed = [(question, name) for question, name in named if name not in known]
        assert least < len(renamed) / 400 < most
        assert all(name[1:] in question for question, name in renamed)


def test_copying_practice_mixes_words_of_real_names() -> None:
    entries = tuple(entry(f"Alpha{n} beta{n} gamma{n}") for n in range(300))
    made = conversations(Corpus(entries, (), (), ()), Mixture(renamed=1.0, copying=True))
    mixed = [answer for turns in made for _, answer in turns if "lpha" in answer or "eta" in answer or "amma" in answer]
    strange = [answer for answer in mixed if not any(answer.startswith(f"{e.subject} is") for e in entries)]
    assert len(strange) > 80


def test_drills_are_beginnings_that_name_what_the_question_names() -> None:
    plain = epoch(many(200), 1, 0, Mixture(renamed=0.5, copying=True))
    drilled = epoch(many(200), 1, 0, Mixture(renamed=0.5, copying=True, drills=3))
    drills = [turns[0] for turns in drilled if not isinstance(turns, str) and not turns[0].whole]
    assert all(turns[0].whole for turns in plain if not isinstance(turns, str))
    assert len(drills) > 200
    for drill in drills:
        assert drill.answer.endswith((".", ":"))
        assert drill.answer.split(" is a disease")[0][1:] in drill.question
        assert "Disease of Smith" not in drill.answer


def test_an_answer_that_does_not_name_its_subject_gets_a_line_that_does() -> None:
    silent = entry("gout", "symptoms", answer="Pain in the big toe at night is what people notice first, and swelling.")
    answer = plain_exchange(silent).answer
    assert names_subject("gout", answer)
    assert answer.endswith(silent.answer)


def test_an_answer_that_names_its_subject_stays_as_it_is() -> None:
    assert plain_exchange(entry("gout")).answer == f"Gout {ANSWER}"


def test_plain_questions_agree_with_the_subject_in_number() -> None:
    assert plain_exchange(entry("glaucoma")).question == "What is glaucoma?"
    assert plain_exchange(entry("varicose veins")).question == "What are varicose veins?"
    assert plain_exchange(entry("diabetes")).question == "What is diabetes?"
    assert plain_exchange(entry("tinnitus", "treatment")).question == "What are the treatments for tinnitus?"


def test_invented_names_differ() -> None:
    dice = random.Random(0)
    for make in (invented_name, nonsense_name):
        names = {make(dice) for _ in range(1000)}
        assert len(names) > 900
        assert all(split_key(name) for name in names)
