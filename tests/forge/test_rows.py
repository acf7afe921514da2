import json
from pathlib import Path

import pytest

from medpocket.errors import InputError
from medpocket.forge.rows import CHUNK, FEWEST_ROWS, Row, read_rows, split_off


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def good(count: int = 80) -> list[object]:
    return [{"question": f"What is disease {n}?", "answer": f"Disease {n} is rare."} for n in range(count)]


def read(path: Path) -> tuple[list[Row], list[str]]:
    said: list[str] = []
    return read_rows(path, said.append), said


def test_one_question_in_ten_measures_and_it_is_always_the_same_one(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path / "a.jsonl", good(400)))
    again, _ = read(write(tmp_path / "b.jsonl", good(400)[::-1]))
    held_out = {row.question for row in rows if row.held_out}
    assert 20 <= len(held_out) <= 60
    assert held_out == {row.question for row in again if row.held_out}


def test_a_file_that_marks_its_rows_decides_itself(tmp_path: Path) -> None:
    marked = [{**row, "held_out": n < 5} for n, row in enumerate(good())]  # type: ignore[dict-item]
    rows, _ = read(write(tmp_path / "a.jsonl", marked))
    assert [row.question for row in rows if row.held_out] == [f"What is disease {n}?" for n in range(5)]


def test_plain_documents_become_questions_and_answers(tmp_path: Path) -> None:
    text = "Sepsis is treated at once. " * 200
    rows, _ = read(write(tmp_path / "a.jsonl", [*good(), {"title": "sepsis", "text": text}]))
    passages = [row for row in rows if "sepsis" in row.question]
    assert len(passages) == 1 or {row.question for row in passages} == {
        "Tell me about sepsis.",
        "Tell me more about sepsis.",
    }
    assert all(len(row.answer) <= CHUNK for row in passages)


def test_empty_rows_are_left_out_and_named_by_line(tmp_path: Path) -> None:
    rows, said = read(write(tmp_path / "a.jsonl", [*good(), {"question": "x", "answer": " "}, {"text": ""}]))
    assert len(rows) == 80
    assert "2 rows are empty and left out (lines 81, 82)" in said


def test_an_enormous_document_without_an_end_of_a_sentence_is_cut(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path / "a.jsonl", [*good(), {"text": "x" * 100_000}]))
    assert max(len(row.answer) for row in rows) == CHUNK


@pytest.mark.parametrize("count", [0, 3, FEWEST_ROWS - 1])
def test_too_few_rows_are_refused_with_the_number(tmp_path: Path, count: int) -> None:
    with pytest.raises(InputError, match=f"needs at least {FEWEST_ROWS}"):
        read(write(tmp_path / "a.jsonl", good(count)))


def test_too_few_held_out_rows_are_refused(tmp_path: Path) -> None:
    marked = [{**row, "held_out": n == 0} for n, row in enumerate(good())]  # type: ignore[dict-item]
    with pytest.raises(InputError, match="1 held-out rows"):
        read(write(tmp_path / "a.jsonl", marked))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{\n", "is no JSON"),
        (b"[1]\n", "is no JSON object"),
        (b'{"question": 1, "answer": "x"}\n', "`question` that is no text"),
        (b'{"prompt": "x"}\n', "has neither"),
        (b'{"question": "x", "answer": "y", "held_out": "yes"}\n', "neither true nor false"),
        (b'{"question": "caf\xe9", "answer": "x"}\n', "is not UTF-8"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: bytes, reason: str) -> None:
    path = write(tmp_path / "a.jsonl", good(2))
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(InputError, match=r"line 3 of a\.jsonl") as caught:
        read(path)
    assert reason in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read(tmp_path / "none.jsonl")


def test_rows_are_parted_by_a_hash_of_their_question() -> None:
    rows = [Row(f"question {n}", "answer") for n in range(300)]
    kept, taken = split_off(rows, 10)
    assert len(kept) + len(taken) == 300
    assert 10 <= len(taken) <= 60
    assert split_off(rows[::-1], 10)[1] == taken[::-1]
