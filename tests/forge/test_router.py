from pathlib import Path

import numpy as np
import pytest

from medpocket.errors import InputError
from medpocket.forge import router
from medpocket.forge.router_augment import Augmenter
from medpocket.forge.router_lexicon import Entry, compile_lexicon, read_entries, temper
from medpocket.forge.router_texts import UTTERANCES, Framer, utterances, with_aside
from medpocket.forge.router_training import Examples, Plan, Trained, joined, softmax, start_from, train
from medpocket.paths import assets_folder
from medpocket.registry import GENERAL, load_registry
from medpocket.router.features import feature_count
from medpocket.router.route import Router
from medpocket.router.weights import read_weights

REGISTRY = load_registry()
SET_ASIDE = sorted((Path(__file__).parent.parent / "router").glob("*.jsonl"))


def test_every_expert_has_terms_and_utterances() -> None:
    by_expert = {entry.expert for entry in read_entries(assets_folder() / "lexicon", REGISTRY)}
    spoken = {sample.accept[0] for sample in utterances(UTTERANCES, REGISTRY)}
    assert by_expert == set(REGISTRY.experts) - {GENERAL}
    assert spoken == set(REGISTRY.experts)


@pytest.mark.parametrize("path", SET_ASIDE, ids=lambda path: path.stem)
def test_no_question_set_aside_is_trained_on(path: Path) -> None:
    import json

    measured = {json.loads(line)["text"].lower() for line in path.read_text(encoding="utf-8").splitlines()}
    trained = {sample.text.lower() for sample in utterances(UTTERANCES, REGISTRY)}
    assert not [text for text in measured if text in trained]


@pytest.mark.parametrize("line", ["angina\t4\tterm", "angina\t2", "\t2\tterm", "angina\t2\tword"])
def test_a_broken_entry_is_named_by_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "more.tsv").write_text("")
    (tmp_path / "cardiology.tsv").write_text("heart\t2\tterm\n" + line + "\n")
    with pytest.raises(InputError, match=r"line 2 of cardiology\.tsv"):
        read_entries(tmp_path, REGISTRY)


def test_a_broken_utterance_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "cardiology.tsv").write_text("line\tAF on warfarin\nline\tx\tnobody\n")
    with pytest.raises(InputError, match=r"line 2 of cardiology\.tsv"):
        utterances(tmp_path, REGISTRY)


def test_terms_are_compiled_in_their_usual_form_and_drugs_speak_for_pharmacology_too() -> None:
    lexicon = compile_lexicon(
        [
            Entry("Pre-eclampsia", "b", 1.0, "term"),
            Entry("Digoxin", "a", 2.0, "drug"),
            Entry("digoxin", "a", 1.0, "term"),
        ],
        ("a", "b", "pharmacology"),
    )
    assert lexicon.terms == ("digoxin", "preeclampsia")
    assert lexicon.weights[0].tolist() == pytest.approx([2.0, 0.0, 1.0])


def test_texts_lower_what_a_term_counts_for_an_expert_that_they_do_not_bear_out() -> None:
    lexicon = compile_lexicon([Entry("gave", "a", 2.0, "term"), Entry("heart", "b", 2.0, "term")], ("a", "b"))
    tempered = temper(lexicon, [((0, 1), (1,))] * 200 + [((), (0,))] * 200, 2)
    assert tempered.weights[0, 0] < 0.3
    assert tempered.weights[1, 1] == 2.0


def test_variants_keep_the_matter_and_are_the_same_for_the_same_dice() -> None:
    import random

    def variants() -> list[str]:
        augmenter = Augmenter({"a": ["angina"], "b": ["rash", "itch"]}, ["digoxin"], random.Random(3))
        return [augmenter.vary("Patient with angina and hypertension", ("a",)) for _ in range(40)]

    assert variants() == variants()
    assert len(set(variants())) > 20
    assert sum("angina" in text.lower() for text in variants()) > 25


def test_a_complaint_is_told_with_others_of_its_expert() -> None:
    import random

    augmenter = Augmenter({}, [], random.Random(3))
    told = {augmenter.told("skips beats", ["racing pulse"]) for _ in range(60)}
    assert len(told) > 10
    assert all("skips beats" in text for text in told)
    assert any("racing pulse" in text for text in told)


def test_a_story_begins_with_the_complaint_in_lay_terms_and_an_aside_leaves_it_whole() -> None:
    import random

    experts = ("a", "b", "pharmacology", "radiology")
    entries = [Entry(f"{name} {kind}", name, 2.0, kind) for name in experts for kind in ("lay", "term")]
    entries.append(Entry("digoxin", "a", 2.0, "drug"))
    stories = list(Framer(entries, random.Random(3)).composed("people", 30, longest=3))
    assert {story.accept for story in stories} == {(name,) for name in experts}
    assert all(f"{story.accept[0]} lay" in story.text for story in stories)
    told = {with_aside("skips beats", random.Random(seed)) for seed in range(20)}
    assert len(told) > 10
    assert all("skips beats" in text and text != "skips beats" for text in told)


def test_words_are_written_by_ear_and_short_ones_left_alone() -> None:
    import random

    augmenter = Augmenter({}, [], random.Random(3))
    heard = {augmenter.written_by_ear("phlegm cough", 1.0) for _ in range(30)}
    assert "flegm cough" in heard
    assert all(text.endswith(" cough") for text in heard)


def examples(count: int, experts: int, rows: int, seed: int) -> Examples:
    """Texts whose first word says which expert is right."""
    dice = np.random.default_rng(seed)
    right = dice.integers(0, experts, count)
    words = np.stack([right, dice.integers(experts, rows, count)], axis=1).reshape(-1)
    return Examples(
        features=np.zeros((count, feature_count(experts)), np.float32),
        rows=words,
        counts=np.ones(2 * count, np.float32),
        starts=np.arange(count + 1) * 2,
        accept=np.eye(experts, dtype=np.float32)[right],
        weight=np.ones(count, np.float32),
    )


PLAN = Plan(width=8, hidden=8, epochs=8, batch=32, row_rate=0.05, word_dropout=0.0)


def gate(seed: int) -> Trained:
    embedding = np.random.default_rng(seed).normal(0, 0.05, (40, PLAN.width)).astype(np.float32)
    weights = start_from(embedding, feature_count(4), 4, PLAN)
    train(weights, examples(800, 4, 40, 1), PLAN)
    return weights


def test_words_that_decide_are_learnt_and_training_repeats_bit_for_bit() -> None:
    weights, measured = gate(1), examples(200, 4, 40, 2)
    found = weights.logits(measured).argmax(axis=1)
    assert measured.accept[np.arange(200), found].mean() > 0.8  # 0.25 by chance
    assert np.array_equal(weights.embedding, gate(1).embedding)


def test_gates_that_are_joined_say_the_mean_of_what_they_said() -> None:
    one, other, measured = gate(1), gate(2), examples(50, 4, 40, 2)
    mean = (one.logits(measured) + other.logits(measured)) / 2
    assert np.allclose(joined([one, other]).logits(measured), mean, atol=1e-4)


def test_the_temperature_makes_scores_as_sure_as_they_are_right() -> None:
    dice = np.random.default_rng(1)
    logits = dice.normal(0, 2, (4000, 3)).astype(np.float32)
    right = np.array([dice.choice(3, p=row / row.sum()) for row in softmax(logits / 2).astype(np.float64)])
    accept = np.eye(3, dtype=np.float32)[right]
    assert router.temperature_for([(logits, accept)]) == pytest.approx(2, abs=0.3)
    assert 1.1 < router.temperature_for([(logits, accept), (logits / 2, accept)]) < 1.9


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_one_command_makes_weights_that_route(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "router.bin"
    for name, fewer in {"VARIANTS": 3, "COMPOSED": 100, "STORIES": 50}.items():  # minutes of work, for the same path
        monkeypatch.setattr(router, name, fewer)
    monkeypatch.setattr("sys.argv", ["router", "--data", str(data), "--out", str(out)])
    assert router.main() == 0
    assert Router(read_weights(out)).route("62M s/p CABG with new AF").expert == "cardiology"


def test_missing_data_is_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["router", "--data", str(tmp_path), "--out", str(tmp_path / "x.bin")])
    assert router.main() == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert "medquad.jsonl.gz is missing" in error
    assert "docs/demo-model.md" in hint
