"""`medpocket experts`, `ask -e`, `--mix` and `--compare` as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.conftest import DEMO, Medpocket, check_error
from tests.engine.random_adapters import write_random_adapter
from tests.models.hub_server import COMMIT, HubServer

QUICK = ("-m", "demo", "-o", "temperature", "0", "-o", "max_tokens", "8")


def data(medpocket: Medpocket, *arguments: str) -> dict[str, object]:
    result = medpocket(*arguments)
    assert result.returncode == 0, result.stderr.decode()
    found: dict[str, object] = json.loads(result.stdout)["data"]
    return found


@pytest.fixture
def added(medpocket: Medpocket, tmp_path: Path) -> Path:
    """An adapter for psychiatry that replaces whatever is shipped."""
    path = write_random_adapter(tmp_path / "psychiatry.gguf", 1, expert="psychiatry")
    result = medpocket("experts", "add", str(path), "-m", "demo")
    assert result.returncode == 0, result.stderr.decode()
    return path


def test_every_expert_is_listed(medpocket: Medpocket) -> None:
    listed = medpocket("experts", "list").stdout.decode()
    assert all(name in listed for name in ("cardiology", "pharmacology", "general"))


def test_an_adapter_that_was_added_answers(medpocket: Medpocket, added: Path) -> None:
    answered = data(medpocket, "ask", *QUICK, "-e", "psychiatry", "--json", "What is depression?")
    expert = answered["expert"]
    assert isinstance(expert, dict)
    assert expert["has_adapter"]
    assert answered["answer"] != data(medpocket, "ask", *QUICK, "--no-route", "--json", "What is depression?")["answer"]


def test_it_is_shown_verified_and_removed(medpocket: Medpocket, added: Path) -> None:
    assert "rank 32 on attn_v, attn_output, ffn_down" in medpocket("experts", "show", "psychiatry").stdout.decode()
    assert "psychiatry: good" in medpocket("experts", "verify").stdout.decode()
    assert medpocket("experts", "remove", "psychiatry").returncode == 0
    check_error(medpocket("experts", "remove", "psychiatry"), 2, "no adapter was added")


def test_a_file_changed_after_it_was_added_is_named_and_never_loaded(
    medpocket: Medpocket, added: Path, home: Path
) -> None:
    (path,) = (home / "data" / "experts").glob("*.gguf")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    result = medpocket("experts", "verify")
    assert result.returncode == 1
    assert "not the file that was added" in result.stdout.decode()
    answered = medpocket("ask", *QUICK, "-e", "psychiatry", "What is depression?")
    assert answered.returncode == 0
    assert "answers without its adapter" in answered.stderr.decode()


def test_compare_answers_with_each_and_reads_the_question_once(medpocket: Medpocket, added: Path) -> None:
    found = data(medpocket, "ask", *QUICK, "--compare", "psychiatry,none", "--json", "What is depression?")
    answers = found["answers"]
    assert isinstance(answers, list)
    first, second = (answer["stats"] for answer in answers)
    assert first["cached_tokens"] == 0
    assert second["evaluated_tokens"] <= 1
    printed = medpocket("ask", *QUICK, "--compare", "psychiatry,none", "What is depression?").stdout.decode()
    assert printed.startswith("== psychiatry ==\n")
    assert "\n== none ==\n" in printed


def test_two_are_mixed_each_at_its_scale(medpocket: Medpocket, added: Path, tmp_path: Path) -> None:
    other = write_random_adapter(tmp_path / "other.gguf", 2, expert="neurology")
    assert medpocket("experts", "add", str(other), "-m", "demo").returncode == 0
    found = data(medpocket, "ask", *QUICK, "--mix", "psychiatry:0.7,neurology:0.3", "--json", "What is delirium?")
    expert = found["expert"]
    assert isinstance(expert, dict)
    assert [(one["expert"], one["scale"]) for one in expert["adapters"]] == [("psychiatry", 0.7), ("neurology", 0.3)]
    assert expert["expert"] == "psychiatry"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mix", "psychiatry"), ("--mix takes two experts",)),
        (("--mix", "psychiatry:0,neurology:1"), ("a scale is a number above 0",)),
        (("--mix", "psychiatry:nan,neurology:1"), ("a scale is a number above 0",)),
        (("--mix", "psychiatry:1,psychiatry:1"), ("--mix takes two experts",)),
        (("--mix", "psychiatrie:1,neurology:1"), ("did you mean 'psychiatry'?",)),
        (("--compare", "psychiatry"), ("--compare takes two",)),
        (("--compare", "none,none"), ("each once",)),
        (("--compare", "a,none"), ("no expert 'a'",)),
        (("-e", "psychiatry", "--mix", "a:1,b:1"), ("give one of them",)),
    ],
)
def test_experts_that_cannot_be_named_so_are_refused(
    medpocket: Medpocket, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    check_error(medpocket("ask", *QUICK, *options, "q"), 2, *words)


def test_a_second_adapter_is_refused_without_replace(medpocket: Medpocket, added: Path, tmp_path: Path) -> None:
    other = write_random_adapter(tmp_path / "other.gguf", 2, expert="psychiatry")
    check_error(medpocket("experts", "add", str(other), "-m", "demo"), 1, "--replace")
    assert medpocket("experts", "add", str(other), "-m", "demo", "--replace").returncode == 0


def test_quantizing_writes_a_smaller_file(medpocket: Medpocket, tmp_path: Path) -> None:
    path = write_random_adapter(tmp_path / "a.gguf", 1, kind="f16")
    assert medpocket("experts", "quantize", str(path), "--type", "q4_0").returncode == 0
    assert (tmp_path / "a.q4_0.gguf").stat().st_size < 0.4 * path.stat().st_size
    check_error(medpocket("experts", "quantize", str(path), "--type", "q4_0"), 2, "exists already")


def test_adding_what_is_no_adapter_says_what_it_is(medpocket: Medpocket, tmp_path: Path) -> None:
    check_error(medpocket("experts", "add", str(DEMO), "-m", "demo"), 1, "no LoRA adapter")
    check_error(medpocket("experts", "add", str(tmp_path), "-m", "demo"), 1, "holds no adapter")
    check_error(medpocket("experts", "add", str(tmp_path / "none.gguf"), "-m", "demo"), 1, "none.gguf")


def test_an_adapter_that_does_not_say_whose_it_is_needs_a_name(medpocket: Medpocket, tmp_path: Path) -> None:
    path = write_random_adapter(tmp_path / "a.gguf", 1)
    check_error(medpocket("experts", "add", str(path), "-m", "demo"), 2, "-e ID")
    assert medpocket("experts", "add", str(path), "-m", "demo", "-e", "psychiatry").returncode == 0


def test_the_matrix_of_experts_is_measured(medpocket: Medpocket, added: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for name in ("psychiatry", "neurology"):
        lines = [
            json.dumps(
                {"question": f"What is {name} {n}?", "answer": f"It is {name}, said {n} of us.", "held_out": True}
            )
            for n in range(5)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    found = data(medpocket, "eval", "experts", "-m", "demo", "--data", str(folder), "--json")
    specialties = found["specialties"]
    assert isinstance(specialties, dict)
    assert set(specialties) == {"psychiatry", "neurology"}
    assert specialties["psychiatry"]["ratios"]["psychiatry"] != 1
    assert specialties["psychiatry"]["answer_tokens"] > 20
    printed = medpocket("eval", "experts", "-m", "demo", "--data", str(folder)).stdout.decode()
    assert "the right expert over none" in printed


def test_evaluating_without_data_says_so(medpocket: Medpocket, tmp_path: Path) -> None:
    check_error(medpocket("eval", "experts", "-m", "demo", "--data", str(tmp_path)), 2, "no held-out rows")
    check_error(medpocket("eval", "experts", "-m", "demo", "--data", str(tmp_path / "none")), 2, "no folder")


def test_an_adapter_of_the_hub_is_fetched_checked_and_added(medpocket: Medpocket, tmp_path: Path, home: Path) -> None:
    path = write_random_adapter(tmp_path / "a.gguf", 1, expert="psychiatry")
    with HubServer({"owner/adapters": {"loras/a.gguf": path.read_bytes()}}) as hub:
        env = {"HF_ENDPOINT": hub.endpoint}
        found = medpocket("experts", "add", "hub:owner/adapters/loras/a.gguf", "-m", "demo", "--json", env=env)
        assert found.returncode == 0, found.stderr.decode()
        missing = medpocket("experts", "add", "hub:owner/adapters/b.gguf", "-m", "demo", env=env)
        check_error(missing, 1, "owner/adapters has no b.gguf", "loras/a.gguf")
    shown = medpocket("experts", "show", "psychiatry").stdout.decode()
    assert f"hub:owner/adapters/loras/a.gguf at {COMMIT}" in shown
    assert list((home / "cache").rglob("*.gguf")) == []
    check_error(medpocket("experts", "add", "hub:owner", "-m", "demo"), 2, "hub:OWNER/NAME")
