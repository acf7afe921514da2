import gzip
from pathlib import Path

import pytest

from medpocket.errors import InputError
from medpocket.forge.corpus import MEDQUAD, OPENSTAX, load_corpus, names_subject
from medpocket.forge.subjects import is_held_out, split_key, subject_of
from tests.forge.conftest import medquad_row, write_data

LONG = " is a condition that doctors have known for a long time, and that many people live with."


def test_split_is_the_same_in_every_run_and_release() -> None:
    # The split is part of what the documents claim: these may never move.
    assert [
        name
        for name in ("glaucoma", "asthma", "heart failure", "liver cancer", "gout", "tinnitus")
        if is_held_out(name)
    ] == [
        "heart failure",
        "liver cancer",
        "tinnitus",
    ]


@pytest.mark.parametrize(
    "other",
    [
        "Peyronies Disease",
        "PEYRONIE'S DISEASE",
        "peyronie\u2019s disease ",
        "Peyronie's Disease (curved)",
        "Disease, Peyronie's",
    ],
)
def test_spellings_of_one_subject_have_one_key(other: str) -> None:
    assert split_key(other) == split_key("Peyronie's disease")


def test_catalogue_prefixes_are_no_part_of_the_subject() -> None:
    assert subject_of("Parasites - Toxoplasmosis (Toxoplasma infection)") == "Toxoplasmosis"
    assert subject_of("What I need to know about Hepatitis B") == "Hepatitis B"


def test_spellings_of_a_held_out_subject_are_held_out_in_every_source(tmp_path: Path) -> None:
    rows = [
        medquad_row("Heart Failure", "Heart failure" + LONG, source="NHLBI"),
        medquad_row("heart failure", "Heart failure, said otherwise," + LONG, source="GHR"),
        medquad_row("Heart-Failure (HF)", "Heart failure once more" + LONG, source="CDC"),
        medquad_row("Gout", "Gout" + LONG),
    ]
    corpus = load_corpus(write_data(tmp_path, rows))
    assert {entry.subject.lower() for entry in corpus.train if entry.source != "OpenStax"} == {"gout"}
    assert len(corpus.held_out) == 3


def test_openstax_is_split_by_module(tmp_path: Path) -> None:
    body = "Cells are small things that live and grow in all of us. " * 8
    lessons = [
        {"chapter": ["Unit", "Chapter"], "title": title, "text": f"Cells\n{body}{title}."}
        for title in ("Heart failure", "Cells", "Muscles")
    ]
    corpus = load_corpus(write_data(tmp_path, [medquad_row("Gout", "Gout" + LONG)], lessons))
    assert len(corpus.train_texts) == 2
    assert [text.rsplit(". ", 1)[1] for text in corpus.held_out_texts] == ["Heart failure."]


def test_equal_answers_are_read_once(tmp_path: Path) -> None:
    rows = [medquad_row("Gout", "Gout" + LONG), medquad_row("Gout", "GOUT" + LONG.replace(",", ""), "symptoms")]
    assert sum(entry.source != "OpenStax" for entry in load_corpus(write_data(tmp_path, rows)).train) == 1


def test_this_condition_becomes_the_subject(tmp_path: Path) -> None:
    rows = [
        medquad_row("Wolman disease", "This condition is inherited, as many conditions" + LONG, "inheritance", "GHR")
    ]
    (entry, *_) = load_corpus(write_data(tmp_path, rows)).train
    assert entry.answer.startswith("Wolman disease is inherited")


def test_title_case_becomes_what_running_text_writes(tmp_path: Path) -> None:
    rows = [
        medquad_row(
            "Varicose Veins", "People get varicose veins in the legs. Varicose veins are swollen, and often harmless."
        ),
        medquad_row(
            "Wilson Disease", "People with Wilson disease have much copper. The name of Wilson disease is a doctor's."
        ),
    ]
    corpus = load_corpus(write_data(tmp_path, rows))
    assert {entry.subject for entry in corpus.train} >= {"varicose veins", "Wilson disease"}


def test_naming_needs_all_words_one_after_another() -> None:
    assert names_subject("Crohn's disease", "People with Crohns disease, for example")
    assert names_subject("heart attack", "HEART ATTACKS are common")
    assert not names_subject("familial heart attack", "heart attacks are common")
    assert not names_subject("gout", "gouty arthritis")


@pytest.mark.parametrize("missing", [MEDQUAD, OPENSTAX])
def test_missing_file_is_named(data: Path, missing: str) -> None:
    (data / missing).unlink()
    with pytest.raises(InputError, match=missing):
        load_corpus(data)


def test_row_without_its_keys_is_refused(data: Path) -> None:
    with gzip.open(data / MEDQUAD, "wt") as file:
        file.write('{"source": "GARD"}\n')
    with pytest.raises(InputError, match="lacks one of"):
        load_corpus(data)


def test_truncated_file_is_refused(data: Path) -> None:
    path = data / MEDQUAD
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        load_corpus(data)


@pytest.mark.prove
def test_no_subject_of_the_real_data_is_on_both_sides(shared: Path) -> None:
    corpus = load_corpus(shared / "data")
    trained = {split_key(entry.subject) for entry in corpus.train}
    held_out = {split_key(entry.subject) for entry in corpus.held_out if entry.source != "OpenStax"}
    assert len(corpus.train) > 12_000
    assert len(held_out) > 150
    assert not trained & held_out
    assert not set(corpus.train_texts) & set(corpus.held_out_texts)
    assert not {entry.answer for entry in corpus.train} & {entry.answer for entry in corpus.held_out}
