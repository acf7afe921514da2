import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DEMO, Medpocket, check_error
from tests.evaluation.one_thread import one_thread

SETS = ("medqa", "pubmedqa")
QUESTIONS = [
    {
        "id": f"{name}/{number}",
        "set": name,
        "question": question,
        "options": {"A": "a disease of the heart", "B": "a disease of the skin", "C": "a medicine"},
        "answer": "ABC"[number % 3],
    }
    for name in SETS
    for number, question in enumerate(
        ("What is angina?", "What is psoriasis?", "What is metformin?", "What is eczema?")
    )
]


@pytest.fixture(autouse=True)
def _one_thread(home: Path) -> None:
    one_thread(home)


def tasks(folder: Path, rows: list[dict[str, Any]] = QUESTIONS) -> str:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def data(medpocket: Medpocket, *arguments: str) -> dict[str, Any]:
    result = medpocket(*arguments, "--json")
    assert result.returncode == 0, result.stderr
    envelope = json.loads(result.stdout)
    assert envelope["ok"] and envelope["command"] == " ".join(arguments[:2])
    return dict(envelope["data"])


def test_a_run_says_what_it_measured_and_show_says_it_again(medpocket: Medpocket, tmp_path: Path) -> None:
    [run] = data(medpocket, "eval", "run", "demo", "--tasks", tasks(tmp_path), "--experts", "routed")["runs"]
    assert run["setup"]["questions"] == 8
    assert run["setup"]["demonstration"] and len(run["setup"]["model_sha256"]) == 64
    assert list(run["columns"]) == ["none", "routed"]
    assert run["columns"]["none"]["sets"]["medqa"]["questions"] == 4
    assert run["columns"]["none"]["all"]["guessing"] == pytest.approx(1 / 3)
    assert "pubmedqa" in run["columns"]["none"]["not_comparable"]
    assert data(medpocket, "eval", "show", "1") == run
    shown = medpocket("eval", "show", "1").stdout.decode()
    assert "pubmedqa*" in shown and "not comparable" in shown and "routed" in shown
    listed = medpocket("eval", "list").stdout.decode()
    assert "routed" in listed and "rows.jsonl" in listed


def test_all_experts_come_with_the_base_the_matrix_and_the_oracle(medpocket: Medpocket, tmp_path: Path) -> None:
    [run] = data(medpocket, "eval", "run", "demo", "--tasks", tasks(tmp_path), "--experts", "all", "--limit", "3")[
        "runs"
    ]
    assert len(run["columns"]) == 18  # the base, sixteen experts, and as routed
    assert run["oracle"]["letters"]["accuracy"] >= run["columns"]["none"]["all"]["letters"]["accuracy"]
    assert set(run["over_base"]) == set(run["columns"]) - {"none"}
    assert sum(one["questions"] for one in run["by_route"].values()) == 3
    assert "independent guesses" in medpocket("eval", "show", "1").stdout.decode()


def test_resuming_a_complete_run_measures_nothing(medpocket: Medpocket, tmp_path: Path) -> None:
    command = ("eval", "run", "demo", "--tasks", tasks(tmp_path), "--resume")
    [first], [second] = data(medpocket, *command)["runs"], data(medpocket, *command)["runs"]
    assert first == second
    [third] = data(medpocket, *command[:-1])["runs"]
    assert third["id"] == 2
    assert third["columns"] == first["columns"]


def test_two_seeds_are_compared(medpocket: Medpocket, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        data(medpocket, "eval", "run", "demo", "--tasks", tasks(tmp_path), "--seed", seed)
    found = data(medpocket, "eval", "compare", "1", "2")
    assert found["answers"]["only_first"] == found["answers"]["only_second"] == 0
    assert found["same_answers"] == 1.0  # whole answers know nothing of the order
    assert 0 <= found["same_letters"] < 1
    said = medpocket("eval", "compare", "1", "2").stdout.decode()
    assert "shuffled by seed 2" in said and "McNemar" in said


def test_examples_are_asked_before_and_not_measured(medpocket: Medpocket, tmp_path: Path) -> None:
    [run] = data(medpocket, "eval", "run", "demo", "--tasks", tasks(tmp_path), "--shots", "1", "--seed", "3")["runs"]
    assert (run["setup"]["questions"], run["setup"]["shots"], run["setup"]["seed"]) == (6, 1, 3)


def test_rows_that_cannot_be_scored_are_counted_and_named(medpocket: Medpocket, tmp_path: Path) -> None:
    bad = [
        {**QUESTIONS[0], "id": "no-answer", "answer": None},
        {**QUESTIONS[0], "id": "no-option", "answer": "Z"},
        QUESTIONS[0],
        {**QUESTIONS[0], "id": "long", "question": "What is angina? " * 400},
        {**QUESTIONS[0], "id": "twin", "options": {"A": "same", "B": "same"}},
    ]
    result = medpocket("eval", "run", "demo", "--tasks", tasks(tmp_path, QUESTIONS + bad), "--json")
    said = result.stderr.decode()
    [run] = json.loads(result.stdout)["data"]["runs"]
    assert run["setup"]["questions"] == 9
    assert sum(run["setup"]["left_out"].values()) == 4
    assert run["setup"]["left_out"]["longer than the context"] == 1
    for word in ("no-answer", "no-option", QUESTIONS[0]["id"], "the same option twice", "long"):
        assert str(word) in said
    assert "4 left out" in medpocket("eval", "show", "1").stdout.decode()


def test_a_model_that_fails_does_not_keep_the_others(medpocket: Medpocket, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(DEMO.read_bytes()[:50_000])
    result = medpocket("eval", "run", str(broken), "demo", "--tasks", tasks(tmp_path), "--json")
    found = json.loads(result.stdout)["data"]
    assert result.returncode == 1
    assert [run["setup"]["model"] for run in found["runs"]] == ["MedPocket demonstration model"]
    assert [one["model"] for one in found["failed"]] == [str(broken)]
    assert "was not measured" in result.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("demo",), 2, ("--tasks",)),
        (("demo", "--tasks", "none.jsonl"), 2, ("none.jsonl", "No such file")),
        (("demo", "--tasks", "rows.jsonl,rows.jsonl"), 2, ("named twice",)),
        (("demo", "--tasks", "rows.jsonl", "--experts", "cardiologie"), 2, ("cardiology",)),
        (("demo", "--tasks", "empty.jsonl"), 2, ("no rows",)),
        (("demo", "--tasks", "long.jsonl"), 2, ("short enough", "1,024")),
        (("nothing", "--tasks", "rows.jsonl"), 2, ("no model",)),
        (("demo", "--tasks", "rows.jsonl", "--results", "rows.jsonl"), 1, ("not a database",)),
    ],
)
def test_wrong_use_is_said_in_two_lines(
    medpocket: Medpocket, tmp_path: Path, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    tasks(tmp_path)
    (tmp_path / "empty.jsonl").write_text("")
    long = {**QUESTIONS[0], "question": "What is angina? " * 400}
    (tmp_path / "long.jsonl").write_text(json.dumps(long))
    check_error(medpocket("eval", "run", *arguments), code, *words)


def test_no_text_of_a_question_is_kept(medpocket: Medpocket, home: Path, tmp_path: Path) -> None:
    data(medpocket, "eval", "run", "demo", "--tasks", tasks(tmp_path))
    kept = home / "data" / "evaluation"
    assert b"psoriasis" not in (kept / "results.sqlite").read_bytes()
    assert (kept.stat().st_mode & 0o777) == 0o700


def test_perplexity_of_a_text(medpocket: Medpocket, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Gout is a disease of the joints. " * 20)
    found = data(medpocket, "eval", "perplexity", "demo", "--text", str(text), "--window", "32")["models"]["demo"]
    assert found["tokens"] > 100
    assert 1 < found["perplexity"] < 1000
    assert found["bits_per_byte"] > 0
    text.write_bytes(b"\xff\xfe")
    check_error(medpocket("eval", "perplexity", "demo", "--text", str(text)), 2, "UTF-8")


def test_answers_side_by_side(medpocket: Medpocket, tmp_path: Path) -> None:
    asked = tmp_path / "questions.txt"
    asked.write_text('What is gout?\n\n{"question": "What is <b>angina</b>?"}\n')
    page = tmp_path / "page.html"
    command = ("eval", "answers", "demo", "--questions", str(asked), "--experts", "cardiology", "--max-tokens", "8")
    found = data(medpocket, *command, "-o", str(page))
    assert found["columns"] == ["demo, none", "demo, cardiology"]
    assert [len(row["answers"]) for row in found["rows"]] == [2, 2]
    content = page.read_text()
    assert "&lt;b&gt;angina" in content and "<b>angina" not in content and "http" not in content
    assert data(medpocket, *command)["rows"] == found["rows"]


def test_importing_writes_rows_and_over_nothing(medpocket: Medpocket, tmp_path: Path) -> None:
    source = tmp_path / "benchmark.json"
    source.write_text(json.dumps({"medqa": {"1": {"question": "Q?", "options": {"A": "x", "B": "y"}, "answer": "A"}}}))
    command = ("eval", "import", "mirage", str(source), "-o", "rows.jsonl.gz")
    assert medpocket(*command).returncode == 0
    check_error(medpocket(*command), 2, "--replace")
    assert medpocket(*command, "--replace").returncode == 0
    [run] = data(medpocket, "eval", "run", "demo", "--tasks", "rows.jsonl.gz")["runs"]
    assert run["setup"]["questions"] == 1
