import json
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import InputError
from medpocket.evaluation.importers import IMPORTERS, import_rows
from medpocket.evaluation.tasks import read_tasks

MIRAGE = {
    "medqa": {"0000": {"question": "Which?", "options": {"A": "this", "B": "that"}, "answer": "B"}},
    "mmlu": {"anatomy-000": {"question": "What?", "options": {"A": "one", "B": "two"}, "answer": "A"}},
}
MEDQA = {"question": "Which?", "answer": "that", "options": {"A": "this", "B": "that"}, "answer_idx": "B"}
MEDMCQA = {"question": "Which?", "opa": "a1", "opb": "b2", "opc": "c3", "opd": "d4", "cop": 2, "id": "x-1"}
PUBMEDQA = {"123": {"QUESTION": "Does it?", "CONTEXTS": ["We looked.", "We saw."], "final_decision": "no"}}


def rows(kind: str, path: Path, content: str) -> list[dict[str, Any]]:
    path.write_text(content, encoding="utf-8")
    return import_rows(kind, path)


def test_mirage_brings_its_sets(tmp_path: Path) -> None:
    found = rows("mirage", tmp_path / "benchmark.json", json.dumps(MIRAGE))
    assert [(row["id"], row["set"], row["answer"]) for row in found] == [
        ("medqa/0000", "medqa", "B"),
        ("mmlu/anatomy-000", "mmlu", "A"),
    ]


def test_medqa_takes_the_letter_and_not_the_text(tmp_path: Path) -> None:
    [row] = rows("medqa", tmp_path / "test.jsonl", json.dumps(MEDQA) + "\n")
    assert (row["id"], row["answer"], row["options"]) == ("medqa/test-00000", "B", {"A": "this", "B": "that"})


@pytest.mark.parametrize(
    ("counted", "answers"),
    [([1, 4], ["A", "D"]), ([2], ["B"]), ([0, 3], ["A", "D"]), ([-1, 3], [None, "D"]), ([5, 2], [None, "B"])],
)
def test_medmcqa_counts_from_one_or_from_nought(tmp_path: Path, counted: list[int], answers: list[str]) -> None:
    lines = [json.dumps({**MEDMCQA, "cop": cop, "id": str(cop)}) for cop in counted]
    assert [row["answer"] for row in rows("medmcqa", tmp_path / "dev.json", "\n".join(lines))] == answers


def test_pubmedqa_puts_the_abstract_before_the_question(tmp_path: Path) -> None:
    [row] = rows("pubmedqa", tmp_path / "ori_pqal.json", json.dumps(PUBMEDQA))
    assert row["question"] == "We looked.\nWe saw.\n\nDoes it?"
    assert (row["options"][row["answer"]], len(row["options"])) == ("no", 3)


def test_mmlu_reads_a_subject(tmp_path: Path) -> None:
    content = '\ufeff"A question, with a comma",one,two,three,four,C\nNext,1,2,3,4,A\n'
    first, second = rows("mmlu", tmp_path / "college_biology_test.csv", content)
    assert (first["id"], first["set"], first["options"]["C"], first["answer"]) == (
        "mmlu/college_biology-000",
        "mmlu",
        "three",
        "C",
    )
    assert second["id"] == "mmlu/college_biology-001"


@pytest.mark.parametrize("kind", list(IMPORTERS))
@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"a": 1}', "plain text", '{"a": {"b": {"question": 3}}}'])
def test_another_files_content_is_refused(tmp_path: Path, kind: str, content: str) -> None:
    with pytest.raises(InputError):
        rows(kind, tmp_path / "other.json", content)


def test_the_place_of_the_fault_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2"):
        rows("medqa", tmp_path / "test.jsonl", json.dumps(MEDQA) + '\n{"question": "Which?"}\n')


def test_what_is_imported_is_read_as_tasks(tmp_path: Path) -> None:
    found = rows("mirage", tmp_path / "benchmark.json", json.dumps(MIRAGE))
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    assert [question.id for question in read_tasks([path]).questions] == ["medqa/0000", "mmlu/anatomy-000"]
