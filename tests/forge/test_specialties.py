"""What the demonstration experts learn from: what their base has not read, and no document that measures them."""

from pathlib import Path

import pytest

from medpocket.forge.corpus import ANSWER_LIMIT, Corpus, load_corpus
from medpocket.forge.rows import Row, read_rows
from medpocket.forge.specialties import WRITTEN, rows_of, write_rows
from medpocket.forge.subjects import is_held_out, is_kept_from_experts, specialties_of
from medpocket.registry import GENERAL, load_registry
from tests.forge.conftest import medquad_row, write_data

LEARNT, MEASURING, HELD_OUT = SUBJECTS = ("stroke", "headache", "chorea")


def long_answer(name: str) -> str:
    """A document of which the base model reads about a half."""
    return " ".join(f"{name} has a sentence of its own here, which is the number {n} of them." for n in range(30))


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return load_corpus(write_data(tmp_path, [medquad_row(name, long_answer(name)) for name in SUBJECTS]))


def test_the_subjects_of_this_test_are_what_they_stand_for() -> None:
    assert all("neurology" in specialties_of(name) for name in SUBJECTS)
    assert not is_kept_from_experts(LEARNT)
    assert is_kept_from_experts(MEASURING)
    assert not is_held_out(MEASURING)
    assert is_held_out(HELD_OUT)


def test_an_expert_learns_what_its_base_has_not_read(corpus: Corpus) -> None:
    read = next(entry.answer for entry in corpus.train if entry.subject == LEARNT)
    learnt = [row.answer for row in rows_of(corpus, "neurology") if not row.held_out]
    assert len(read) <= ANSWER_LIMIT
    assert len(learnt) == 1
    assert " ".join([read, *learnt]) == long_answer(LEARNT)


def test_a_held_out_document_measures_as_a_whole_and_another_only_where_the_base_has_not_read_it(
    corpus: Corpus,
) -> None:
    held_out = [row for row in rows_of(corpus, "neurology") if row.held_out]
    whole = " ".join(row.answer for row in held_out if HELD_OUT in row.answer)
    assert whole.endswith(long_answer(HELD_OUT))
    rest = " ".join(row.answer for row in held_out if MEASURING in row.answer)
    read = next(entry.answer for entry in corpus.train if entry.subject == MEASURING)
    assert f"{read} {rest}" == long_answer(MEASURING)


def test_rows_are_read_again_as_they_were_written(corpus: Corpus, tmp_path: Path) -> None:
    own = read_rows(WRITTEN / "psychiatry.jsonl", lambda _: None)
    rows = [*rows_of(corpus, "psychiatry"), *(Row("What?", f"It is number {n}.", held_out=True) for n in range(4))]
    write_rows(rows, tmp_path / "rows.jsonl")
    assert read_rows(tmp_path / "rows.jsonl", lambda _: None) == rows
    assert {row.answer for row in own} <= {row.answer for row in rows if not row.held_out}


@pytest.mark.prove
def test_no_document_that_measures_an_expert_was_read_by_any(shared: Path) -> None:
    corpus = load_corpus(shared / "data")
    experts = [name for name in load_registry().experts if name != GENERAL]
    rows = [row for name in experts for row in rows_of(corpus, name)]
    learnt = {row.answer for row in rows if not row.held_out}
    measuring = {row.answer for row in rows if row.held_out}
    assert len(learnt) > 4000
    assert len(measuring) > 1500
    assert not learnt & measuring
