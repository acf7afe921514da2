import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import InputError
from medpocket.evaluation import tasks
from medpocket.evaluation.tasks import evenly, read_tasks, shuffled

GOOD = {"id": "s/1", "set": "s", "question": "Which?", "options": {"A": "this", "B": "that"}, "answer": "B"}


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_become_questions(tmp_path: Path) -> None:
    listed = {"id": 7, "question": "Is it?\x1b[31m ", "options": ["yes", "no", "maybe"], "answer": "C"}
    found = read_tasks([written(tmp_path / "rows.jsonl", GOOD, listed)])
    first, second = found.questions
    assert (first.id, first.set, first.text, first.options, first.accepted) == (
        "s/1",
        "s",
        "Which?",
        ("this", "that"),
        (1,),
    )
    assert (second.id, second.set, second.text, second.accepted) == ("7", "rows", "Is it?[31m", (2,))
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": None}, tasks.NO_ANSWER),
        ({"answer": ""}, tasks.NO_ANSWER),
        ({"answer": "C"}, tasks.NO_SUCH_OPTION),
        ({"answer": 1}, tasks.NO_SUCH_OPTION),
        ({"question": " "}, tasks.NO_QUESTION),
        ({"question": 3}, tasks.NO_QUESTION),
        ({"question": "half a character \ud800"}, tasks.NO_QUESTION),
        ({"options": {"A": "alone"}, "answer": "A"}, tasks.NO_OPTIONS),
        ({"options": {"A": "this", "B": ""}}, tasks.NO_OPTIONS),
        ({"options": {"A": "this", "B": 2}}, tasks.NO_OPTIONS),
        ({"options": ["this"] * 27}, tasks.NO_OPTIONS),
        ({"options": "this"}, tasks.NO_OPTIONS),
        ({"id": "s/1"}, tasks.REPEATED),
    ],
)
def test_a_row_that_cannot_be_scored_is_left_out_and_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    row = {**GOOD, "id": "s/2", **change}
    found = read_tasks([written(tmp_path / "rows.jsonl", GOOD, row)])
    assert [question.id for question in found.questions] == ["s/1"]
    assert found.left_out == {reason: [row["id"]]}


def test_a_row_without_id_is_named_by_its_place(tmp_path: Path) -> None:
    row = {key: value for key, value in GOOD.items() if key != "id"}
    assert read_tasks([written(tmp_path / "rows.jsonl", row)]).questions[0].id == "rows.jsonl:1"


def test_of_two_options_that_are_the_same_either_is_right(tmp_path: Path) -> None:
    twin = {**GOOD, "options": {"A": "that", "B": "that", "C": "other"}, "answer": "B"}
    [question] = read_tasks([written(tmp_path / "rows.jsonl", twin)]).questions
    assert question.accepted == (0, 1)
    assert question.repeats_an_option


def test_an_id_of_another_file_is_repeated_too(tmp_path: Path) -> None:
    files = [written(tmp_path / name, GOOD) for name in ("a.jsonl", "b.jsonl")]
    assert read_tasks(files).left_out == {tasks.REPEATED: ["s/1"]}


def test_packed_and_plain_are_the_same_tasks(tmp_path: Path) -> None:
    plain = written(tmp_path / "rows.jsonl", GOOD)
    packed = tmp_path / "packed"  # known by its content
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    first, second = read_tasks([plain]), read_tasks([packed])
    assert first.questions == second.questions
    assert first.files[0].sha256 == second.files[0].sha256


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no rows"),
        (b"\n \n", "no rows"),
        (b"{", "line 1"),
        (b"[1]", "line 1"),
        (b'{"a": 1}\n\xff\xfe', "line 2"),
        (b'{"id": "x"}\n', "1 without a question"),
        (gzip.compress(b"{}" * 99, mtime=0)[:20], "gzip is damaged"),
    ],
)
def test_a_file_of_no_use_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_tasks([path])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_tasks([tmp_path / "none.jsonl"])


def test_a_seed_gives_an_order_and_another_gives_another(tmp_path: Path) -> None:
    options = {letter: letter.lower() * 3 for letter in "ABCDEFGH"}
    [question] = read_tasks([written(tmp_path / "rows.jsonl", {**GOOD, "options": options})]).questions
    assert shuffled(question, 1) == shuffled(question, 1) != shuffled(question, 2)
    assert sorted(shuffled(question, 1).shown) == list(range(8))
    assert shuffled(question, 1).letter(shuffled(question, 1).shown[0]) == "A"


def test_a_limit_takes_evenly_from_all(tmp_path: Path) -> None:
    rows = [{**GOOD, "id": str(number)} for number in range(10)]
    questions = read_tasks([written(tmp_path / "rows.jsonl", *rows)]).questions
    assert [question.id for question in evenly(questions, 4)] == ["0", "2", "5", "7"]
    assert evenly(questions, None) == evenly(questions, 99) == questions
