"""The shipped router: what it says, and what it must never do."""

from pathlib import Path

import pytest

from medpocket.evaluation.routing import Verdict, judge, read_labelled
from medpocket.registry import load_registry
from medpocket.router.route import GENERAL, MOST_CHARACTERS, load_router

ROUTER = load_router()
HELD_ASIDE = Path(__file__).with_name("held_aside.jsonl")
HELD_ASIDE_RECALL, HELD_ASIDE_MACRO = 0.7, 0.87
WRITTEN_LATER = [Path(__file__).with_name(f"written_{name}.jsonl") for name in ("later", "third", "fourth")]
LATER_FLOORS = {
    "patients_words": 0.90, "vignettes": 0.90, "patients_third": 0.90, "summaries_third": 0.97,
    "patients_fourth": 0.88, "vignettes_fourth": 0.92, "summaries_fourth": 0.95,
}  # fmt: skip


def test_it_knows_the_registrys_experts() -> None:
    assert set(ROUTER.experts) == set(load_registry().experts)


@pytest.mark.parametrize(
    ("text", "expert"),
    [
        ("62M s/p CABG with new AF", "cardiology"),
        ("my knees hurt every morning", "musculoskeletal"),
        ("Sudden painless loss of vision in one eye", "eye_ent"),
        ("itchy scaly plaques on both elbows", "dermatology"),
        ("creatinine 4.1 and proteinuria", "nephrology_urology"),
        ("pregnat at 30 weeks with bleeding", "womens_health"),
        ("hears voices that tell him to jump", "psychiatry"),
        ("TSH 12, free T4 low", "endocrinology"),
        ("half-life and interactions of carbamazepine", "pharmacology"),
        ("My calf seizes up after two hundred yards, I stop and it lets me walk again", "cardiology"),  # by no one word
    ],
)
def test_plain_cases_go_where_they_belong(text: str, expert: str) -> None:
    assert ROUTER.route(text).expert == expert


@pytest.mark.parametrize("frame", ["What is {}?", "define {}", "tell me about {}", "explain {} to me", "{}"])
@pytest.mark.parametrize(
    ("term", "expert"),
    [
        ("asthma", "pulmonology"),
        ("gout", "musculoskeletal"),
        ("cirrhosis", "gastroenterology"),
        ("tinnitus", "eye_ent"),
        ("endometriosis", "womens_health"),
        ("psoriasis", "dermatology"),
    ],
)
def test_a_question_what_something_is_goes_where_it_belongs(frame: str, term: str, expert: str) -> None:
    assert ROUTER.route(frame.format(term)).expert == expert


@pytest.mark.parametrize("text", ["how do i renew my passport", "what is the weather tomorrow", "play some jazz"])
def test_what_is_not_medical_has_no_expert(text: str) -> None:
    assert ROUTER.route(text).expert == GENERAL


def test_a_denied_finding_does_not_route() -> None:
    denied = ROUTER.route("no chest pain and no palpitations, but an itchy scaly rash on both elbows")
    assert denied.expert == "dermatology"
    assert not any("chest" in one.term or "palpitation" in one.term for one in denied.evidence)


def test_scores_are_shares_and_the_expert_has_the_greatest() -> None:
    found = ROUTER.route("chest pain with cough and fever")
    assert sum(found.scores.values()) == pytest.approx(1, abs=1e-4)
    assert found.score == max(found.scores.values()) == found.scores[found.expert]
    assert found.ranked[0] == (found.expert, found.score)


def test_evidence_is_what_the_text_says_the_strongest_first() -> None:
    found = ROUTER.route("New atrial fibrillation: start anticoagulation?")
    assert found.evidence[0].term == "atrial fibrillation"
    weights = [one.weight for one in found.evidence]
    assert weights == sorted(weights, reverse=True)
    assert all(weight > 0 for weight in weights)


@pytest.mark.parametrize("text", ["", " ", "😀", "?!", "12 / 34"])
def test_without_words_there_is_no_expert_and_it_says_so(text: str) -> None:
    found = ROUTER.route(text)
    assert (found.expert, found.note) == (GENERAL, "there are no words in it")


def test_another_language_has_no_expert_and_it_says_so() -> None:
    found = ROUTER.route("tengo dolor de pecho desde hace tres dias")
    assert found.expert == GENERAL
    assert "not in English" in found.note


def test_a_hundred_thousand_words_are_routed_by_their_ends() -> None:
    found = ROUTER.route("crushing chest pain and ST elevation. " + "word " * 100_000 + " atrial fibrillation")
    assert "only the first and the last" in found.note
    assert f"{MOST_CHARACTERS // 2:,}" in found.note


def test_control_characters_and_noise_change_nothing() -> None:
    plain = ROUTER.route("atrial fibrillation and stroke risk")
    assert ROUTER.route("atrial  fibrillation\n\tand stroke\x00 risk").expert == plain.expert


def test_a_route_is_the_same_every_time() -> None:
    text = "A 4-year-old boy with a barking cough and stridor"
    assert ROUTER.route(text) == ROUTER.route(text) == load_router().route(text)


def test_explaining_does_not_change_the_scores() -> None:
    text = "fever and neck stiffness after a trip to Ghana"
    assert ROUTER.route(text).scores == ROUTER.route(text, explain=False).scores


def test_held_aside_questions_reach_their_experts() -> None:
    verdict = Verdict(list(judge(read_labelled(HELD_ASIDE, ROUTER.experts), ROUTER.route)))
    recalls = {name: own.accuracy for name, own in verdict.experts.items()}
    assert set(recalls) == set(ROUTER.experts)
    assert min(recalls.values()) >= HELD_ASIDE_RECALL, recalls
    assert verdict.macro_recall >= HELD_ASIDE_MACRO


def test_questions_written_later_reach_their_experts() -> None:
    rows = [row for path in WRITTEN_LATER for row in read_labelled(path, ROUTER.experts)]
    sets = Verdict(list(judge(rows, ROUTER.route))).sets
    accuracy = {name: own.accuracy for name, own in sets.items()}
    assert set(accuracy) == set(LATER_FLOORS)
    assert all(accuracy[name] >= floor for name, floor in LATER_FLOORS.items()), accuracy


@pytest.mark.prove
def test_router_dev_is_reached_without_having_been_trained_on(shared: Path) -> None:
    rows = read_labelled(shared / "data" / "router_dev.jsonl.gz", ROUTER.experts)
    sets = Verdict(list(judge(rows, ROUTER.route))).sets
    assert {name: round(own.accuracy, 3) for name, own in sets.items()} == {
        name: pytest.approx(measured, abs=0.02) for name, measured in MEASURED.items()
    }


MEASURED = {"mtsamples": 0.847, "medical_abstracts": 0.718, "medmcqa": 0.650, "clinc": 0.971}  # docs/router.md
