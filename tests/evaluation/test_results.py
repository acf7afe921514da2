import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.errors import ResultsError
from medpocket.evaluation.results import NONE, ROUTED, Column, Results, Scored, Setup, TaskFile
from medpocket.evaluation.summary import Summary, agreement, compare, oracle

SETUP = Setup(
    model="demo",
    model_sha256="a",
    fingerprint="f",
    architecture="llama",
    quantization="Q8_0",
    parameters=1,
    size_bytes=1,
    demonstration=True,
    experts=ROUTED,
    columns=(Column(NONE, None, ""), Column("cardiology", "c", "Answer as a cardiologist.")),
    router_sha256="r",
    tasks=(TaskFile("rows.jsonl", "t"),),
    limit=None,
    shots=0,
    seed=None,
    questions=2,
    left_out={},
    prompt_version=1,
    medpocket="0",
    llama_cpp="0",
    machine={"cores": 2},
    threads=1,
    batch=512,
    context=1024,
    gpu_layers=0,
)


def scored(name: str = "s/1", **changes: object) -> Scored:
    row = Scored(
        id=name,
        set=name.partition("/")[0],
        characters=20,
        accepted=(0,),
        shown=(0, 1),
        bytes=(4, 8),
        routed="cardiology",
        expert=NONE,
        letters=(-1.0, -2.0),
        answers=(-3.0, -5.0),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    with Results(tmp_path / "new" / "results.sqlite") as results:
        run = results.begin(SETUP)
        base, expert = scored(), scored(expert="cardiology", letters=(-2.0, -1.0))
        general = scored("s/2", routed="general")
        results.add(run.id, {0: [base, expert], 1: [general]}, seconds=2, tokens_evaluated=30, peak_memory_bytes=7)
        results.finish(run.id)
        assert results.scored(run) == [base, general]
        assert results.scored(run, ROUTED) == [expert, general]
        assert results.done(run.id) == {0, 1}
        [again] = results.runs()
        assert (again.setup, again.seconds, again.tokens_evaluated, again.peak_memory_bytes) == (SETUP, 2, 30, 7)
        assert again.finished
    assert stat.S_IMODE((tmp_path / "new" / "results.sqlite").stat().st_mode) == 0o600


def test_only_a_run_of_the_same_setup_is_gone_on_with(tmp_path: Path) -> None:
    with Results(tmp_path / "results.sqlite") as results:
        run = results.begin(SETUP)
        assert results.resumable(SETUP) == run
        for change in ({"seed": 1}, {"model_sha256": "b"}, {"limit": 3}, {"threads": 2}, {"questions": 3}):
            assert results.resumable(replace(SETUP, **change)) is None  # type: ignore[arg-type]


def test_a_pack_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    with Results(tmp_path / "results.sqlite") as results:
        run = results.begin(SETUP)
        broken = scored("s/2", letters=(object(),))
        with pytest.raises(ResultsError):
            results.add(run.id, {0: [scored()], 1: [broken]}, seconds=1, tokens_evaluated=1, peak_memory_bytes=1)
        assert results.done(run.id) == set()
        assert results.run(run.id).tokens_evaluated == 0


def test_no_run_and_no_such_expert_are_said(tmp_path: Path) -> None:
    with Results(tmp_path / "results.sqlite") as results:
        with pytest.raises(ResultsError, match="no run 7"):
            results.run(7)
        run = results.begin(SETUP)
        with pytest.raises(ResultsError, match="no scores of oncology"):
            results.scored(run, "oncology")


def test_another_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, and long enough to be read as one" * 30)
    with pytest.raises(ResultsError, match="not a database"):
        Results(path)
    assert path.read_text().startswith("no database")


def test_a_later_versions_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ResultsError, match="later version"):
        Results(path)


@pytest.mark.skipif(not Path("/dev/full").exists() or os.name == "nt", reason="needs /dev/full")
def test_a_file_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be used"):
        Results(tmp_path / "file" / "results.sqlite")


def test_letters_and_answers_choose_each_their_own() -> None:
    row = scored(letters=(-2.0, -1.0), answers=(-3.0, -5.0))  # -0.75 and -0.625 a byte
    assert (row.by_letter, row.by_answer) == (1, 1)
    assert not row.letter_is_right
    assert scored(letters=(-1.0, -1.0), shown=(1, 0)).by_letter == 1  # of equals the one shown first
    assert scored(letters=(-1.0, -2.0), shown=(1, 0)).place_of_letter == 1
    assert scored(accepted=(0, 1)).guess == 1.0


def test_averages_need_all_of_their_sets() -> None:
    names = ("medqa/1", "medmcqa/1", "pubmedqa/1", "bioasq/1", "mmlu/anatomy-001")
    summary = Summary([scored(name) for name in names])
    assert list(summary.averages) == ["MIRAGE"]
    assert summary.averages["MIRAGE"][0].value == 1.0
    subjects = (
        "clinical_knowledge",
        "medical_genetics",
        "professional_medicine",
        "college_biology",
        "college_medicine",
    )
    more = [scored(f"mmlu/{name}-001", letters=(-2.0, -1.0)) for name in subjects]
    averages = Summary([*summary.rows, *more]).averages
    assert averages["leaderboard"][0].value == pytest.approx(4 / 9)
    assert averages["MIRAGE"][0].value == pytest.approx((4 + 1 / 6) / 5)


def test_pubmedqa_without_its_abstract_is_marked() -> None:
    assert "not comparable" in Summary([scored("pubmedqa/1")]).notes["pubmedqa"]
    assert Summary([scored("pubmedqa/1", characters=1300)]).notes == {}


def test_places_say_what_was_chosen_there_and_what_was_right() -> None:
    rows = [scored("s/1", letters=(-1.0, -2.0)), scored("s/2", letters=(-1.0, -2.0), accepted=(1,))]
    assert Summary(rows).chosen_places == [(1.0, 0.5), (0.0, 0.5)]


def test_two_runs_are_compared_on_what_both_have() -> None:
    first = [scored("s/1"), scored("s/2", letters=(-2.0, -1.0)), scored("s/3")]
    second = [scored("s/2"), scored("s/1"), scored("s/9")]
    found = compare(first, second)
    assert (found.letters.both, found.letters.only_second, found.letters.questions) == (1, 1, 2)
    assert agreement(first, second)[0] == 0.5


def test_the_oracle_says_what_luck_would_be() -> None:
    wrong = scored(letters=(-2.0, -1.0), answers=(-9.0, -5.0))
    letters, answers, luck = oracle([[scored()], [wrong]])
    assert (letters.value, answers.value, luck) == (1.0, 0.0, 0.75)
