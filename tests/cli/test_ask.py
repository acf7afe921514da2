"""`medpocket ask` as a process of its own, on the demonstration model."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import DEMO, Medpocket, check_error

QUICK = ("-m", "demo", "-o", "temperature", "0", "-o", "max_tokens", "24", "-o", "threads", "1")
QUESTION = "What are the symptoms of glaucoma?"


def test_the_answer_alone_is_on_stdout_and_the_rest_on_stderr(medpocket: Medpocket) -> None:
    result = medpocket("ask", *QUICK, QUESTION)
    assert result.returncode == 0, result.stderr
    assert "glaucoma" in result.stdout.decode().lower()
    assert result.stdout.endswith(b"\n")
    errors = result.stderr.decode()
    assert "demonstration model, not a clinical model" in errors
    assert "medpocket models pull" in errors
    assert re.search(r"^eye_ent [01]\.\d\d.*: .*glaucoma", errors, re.MULTILINE)
    assert "\x1b" not in errors


def test_what_is_piped_in_comes_before_the_argument(medpocket: Medpocket) -> None:
    piped = medpocket("ask", *QUICK, "--json", "What is it?", stdin=b"Glaucoma damages the eye.\n")
    whole = medpocket("ask", *QUICK, "--json", "Glaucoma damages the eye.\n\n\nWhat is it?")
    assert json.loads(piped.stdout)["data"]["answer"] == json.loads(whole.stdout)["data"]["answer"]


def test_a_dash_reads_stdin(medpocket: Medpocket) -> None:
    piped = medpocket("ask", *QUICK, "-", stdin=QUESTION.encode())
    assert piped.stdout == medpocket("ask", *QUICK, QUESTION).stdout


def test_words_without_quotes_are_one_question(medpocket: Medpocket) -> None:
    assert medpocket("ask", *QUICK, *QUESTION.split()).stdout == medpocket("ask", *QUICK, QUESTION).stdout


def test_json_is_one_envelope_that_marks_the_demonstration(medpocket: Medpocket) -> None:
    result = medpocket("ask", *QUICK, "--json", "-e", "eye_ent", QUESTION)
    assert result.stderr == b""
    envelope = json.loads(result.stdout)
    assert (envelope["ok"], envelope["command"]) == (True, "ask")
    data = envelope["data"]
    assert data["demonstration"] is True
    assert data["expert"]["expert"] == "eye_ent"
    assert data["stats"]["evaluated_tokens"] == data["stats"]["prompt_tokens"] > 5
    assert data["stats"]["answer_tokens"] <= 24
    assert data["stats"]["first_token_since_start_s"] > 0


def test_no_stream_prints_the_same_answer(medpocket: Medpocket) -> None:
    assert medpocket("ask", *QUICK, "--no-stream", QUESTION).stdout == medpocket("ask", *QUICK, QUESTION).stdout


def test_a_seed_repeats_an_answer(medpocket: Medpocket) -> None:
    options = ("-m", "demo", "-o", "temperature", "1.5", "-o", "max_tokens", "24", "--plain", "--stats", "-n")
    first = medpocket("ask", *options, QUESTION)
    seed = first.stderr.decode().rsplit("seed ", 1)[1].strip()
    assert medpocket("ask", *options, "--seed", seed, QUESTION).stdout == first.stdout
    assert medpocket("ask", *options, "--seed", str(int(seed) ^ 1), QUESTION).stdout != first.stdout


def test_stats_tell_what_the_answer_cost(medpocket: Medpocket) -> None:
    errors = medpocket("ask", *QUICK, "--stats", QUESTION).stderr.decode()
    for part in (
        "tokens asked (0 cached",
        "first token after",
        "s from start",
        "tokens/s read",
        "peak memory",
        "seed",
    ):
        assert part in errors


def test_an_expert_without_an_adapter_says_that_its_prompt_alone_answers(medpocket: Medpocket, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    row = '[experts.allergy]\ntitle = "Allergy"\ndescription = "Allergies."\nsystem = "Answer as an allergist."\n'
    (home / "config" / "models.toml").write_text(row)
    errors = medpocket("ask", *QUICK, "-e", "allergy", QUESTION).stderr.decode()
    assert "allergy (its prompt alone, no adapter): chosen by you" in errors


def test_a_path_to_a_copy_of_the_demonstration_model_is_known_too(medpocket: Medpocket, tmp_path: Path) -> None:
    copy = tmp_path / "BioMistral-7B.Q4_K_M.gguf"
    copy.symlink_to(DEMO)
    result = medpocket("ask", "-m", str(copy), *QUICK[2:], "--json", QUESTION)
    assert json.loads(result.stdout)["data"]["demonstration"] is True


# What is refused


def test_the_demonstration_model_does_not_write_into_a_pipe_unasked(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", QUESTION), 1, "no model is installed", "-m PATH", "-m demo")


@pytest.mark.parametrize("question", ["", "   ", "\t\n"])
def test_an_empty_question_is_refused(medpocket: Medpocket, question: str) -> None:
    check_error(medpocket("ask", *QUICK, question), 2, "the question is empty")


def test_no_question_at_all_is_refused(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", *QUICK), 2, "the question is empty", "medpocket ask")


def test_stdin_that_is_not_utf_8_is_refused(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", *QUICK, stdin="Ménière".encode("latin1")), 2, "not UTF-8", "byte 2 is 0xe9", "iconv")


def test_an_argument_that_is_not_utf_8_is_refused(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", *QUICK, b"M\xe9ni\xe8re"), 2, "not valid UTF-8")


def test_control_characters_in_the_question_are_taken_out_and_said(medpocket: Medpocket) -> None:
    result = medpocket("ask", *QUICK, "-", stdin=b"What is\x00 glaucoma\x1b[31m?")
    assert result.returncode == 0
    assert "2 control characters were taken out" in result.stderr.decode()
    assert b"\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-e", "cardiologie"), ("no expert 'cardiologie'", "did you mean 'cardiology'?")),
        (("-m", "biomistral"), ("no model 'biomistral'", "did you mean 'biomistral-7b-")),
        (("-o", "temprature", "0"), ("no option 'temprature'", "did you mean 'temperature'?")),
        (("-o", "temperature", "9"), ("temperature",)),
        (("-o", "temperature", "nan"), ("temperature",)),
        (("-o", "context", "2048"), ("2,048", "1,024")),
        (("--seed", "x"), ("seed",)),
        (("--frobnicate",), ("--frobnicate", "medpocket ask --help")),
    ],
)
def test_wrong_usage_is_refused_with_what_to_do(
    medpocket: Medpocket, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    model = () if "-m" in arguments else ("-m", "demo")
    check_error(medpocket("ask", *model, *arguments, QUESTION), 2, *words)


def test_a_model_that_is_not_installed_says_how_to_get_it(medpocket: Medpocket) -> None:
    check_error(
        medpocket("ask", "-m", "biomistral-7b-q4", QUESTION), 1, "is not installed", "BioMistral-7B.Q4_K_M.gguf"
    )


def test_the_awq_file_is_refused_with_what_runs_it(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", "-m", "qcammel-13b-awq", QUESTION), 2, "did you mean")
    check_error(medpocket("ask", "-m", "qcammel-13-awq", QUESTION), 1, "vLLM", "qcammel-13b-q4")


@pytest.mark.parametrize("kind", ["missing", "empty", "directory", "truncated", "foreign"])
def test_a_file_that_is_no_model_is_refused(medpocket: Medpocket, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.gguf"
    if kind == "empty":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    elif kind == "truncated":
        path.write_bytes(DEMO.read_bytes()[:-1000])
    elif kind == "foreign":
        path.write_bytes(b"<html>not found</html>" * 100)
    check_error(medpocket("ask", "-m", str(path), QUESTION), 1)


def test_too_long_a_question_is_refused_with_the_numbers(medpocket: Medpocket) -> None:
    result = medpocket("ask", *QUICK, stdin=b"chest pain and fever " * 1000)
    check_error(result, 2, "tokens; this model's context holds 1,024", "shorten it")


def test_more_than_any_context_holds_is_refused_before_it_is_read(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", *QUICK, stdin=b"x" * 5_000_000), 2, "more than 4 MB")


def test_an_error_in_json_is_an_envelope_on_stdout(medpocket: Medpocket) -> None:
    result = medpocket("ask", "-m", "demo", "-e", "nobody", "--json", QUESTION)
    envelope = json.loads(result.stdout)
    assert result.returncode == 2
    assert result.stderr == b""
    assert (envelope["ok"], envelope["error"]["code"]) == (False, "unknown-name")
    wrong = medpocket("ask", "--json", "--frobnicate", QUESTION)
    assert json.loads(wrong.stdout)["error"]["code"] == "input"


def test_a_full_disk_behind_stdout_is_an_error_of_two_lines(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "medpocket", "ask", *QUICK, QUESTION],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            timeout=60,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr.decode().splitlines()[-2].startswith("medpocket: the disk is full")
    assert b"Traceback" not in result.stderr


def test_a_reader_that_goes_away_ends_the_answer_quietly(tmp_path: Path) -> None:
    ask = subprocess.Popen(
        [sys.executable, "-m", "medpocket", "ask", "-m", "demo", QUESTION],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert ask.stdout
    assert ask.stderr
    ask.stdout.close()
    assert ask.wait(timeout=60) == 1
    assert b"Traceback" not in ask.stderr.read()
    ask.stderr.close()


def test_a_log_that_cannot_be_written_does_not_keep_from_answering(medpocket: Medpocket, home: Path) -> None:
    home.mkdir()
    (home / "log").touch()  # a file where the folder should be: root, too, cannot write there
    result = medpocket("ask", *QUICK, QUESTION)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def can_mount() -> bool:
    attempt = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(attempt, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("options", ["ro", "size=4k"])
def test_a_read_only_or_full_home_does_not_keep_from_answering(home: Path, tmp_path: Path, options: str) -> None:
    if not can_mount():
        pytest.skip("this system does not let us mount a file system")
    home.mkdir()
    mounted = (
        f'mount -t tmpfs -o {options} tmpfs "{home}" && (cat /dev/zero > "{home}/filled"; true) 2>/dev/null; exec "$@"'
    )
    result = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            mounted,
            "sh",
            sys.executable,
            "-m",
            "medpocket",
            "ask",
            "--no-route",
            *QUICK,
            QUESTION,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout
    # Neither the answer nor its audit line can be kept; the mark, the route, the answer's end: nothing of a log.
    assert len(result.stderr.splitlines()) == 5
    assert b"not in the audit log" in result.stderr


# Stopping


def start_in_terminal(*arguments: str, cwd: Path, stderr_too: bool = False) -> tuple["subprocess.Popen[bytes]", int]:
    """Start the command with a terminal for its output; return it and the terminal's other end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "medpocket", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs if stderr_too else subprocess.PIPE,
        cwd=cwd,
        start_new_session=True,
    )
    os.close(theirs)
    return process, ours


def read_all(terminal: int) -> str:
    parts = []
    try:
        while part := os.read(terminal, 4096):
            parts.append(part)
    except OSError:  # how a terminal on Linux says that its program has ended
        pass
    return b"".join(parts).decode()


def test_the_progress_line_is_taken_away_before_the_answer_and_nothing_of_the_answer_with_it(tmp_path: Path) -> None:
    process, terminal = start_in_terminal("ask", *QUICK, QUESTION, cwd=tmp_path, stderr_too=True)
    screen = read_all(terminal)
    assert process.wait(timeout=30) == 0
    os.close(terminal)
    assert screen.count("reading ") >= 1
    last_cleared = screen.rindex("\r\x1b[K")
    assert screen.rindex("reading ") < last_cleared
    answer = Medpocket(tmp_path)("ask", *QUICK, QUESTION).stdout.decode()
    assert answer in screen[last_cleared:].replace("\r\n", "\n")


def test_ctrl_c_keeps_what_came_and_exits_with_130(tmp_path: Path) -> None:
    options = ("-m", "demo", "-o", "temperature", "1.9", "-o", "top_k", "0", "-o", "top_p", "1", "-o", "min_p", "0")
    process, terminal = start_in_terminal("ask", *options, "-o", "max_tokens", "900", QUESTION, cwd=tmp_path)
    came = os.read(terminal, 1000)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    errors = process.stderr.read().decode()
    assert process.wait(timeout=30) == 130
    assert came
    assert "stopped" in errors
    assert "Traceback" not in errors
    process.stderr.close()
    os.close(terminal)


def test_ctrl_c_before_the_model_is_loaded_exits_with_130(tmp_path: Path) -> None:
    process, terminal = start_in_terminal("ask", "-m", "demo", QUESTION, cwd=tmp_path)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.stderr
    errors = process.stderr.read().decode()
    process.wait(timeout=30)
    process.stderr.close()
    os.close(terminal)
    if process.returncode not in (
        130,
        -signal.SIGINT,
    ):  # Python itself was still starting, and had read nothing of ours
        assert process.returncode == 1 and "medpocket" not in errors, errors
    elif process.returncode == 130:
        assert "Traceback" not in errors


def test_on_a_terminal_the_demonstration_model_answers_where_nothing_else_is_installed(tmp_path: Path) -> None:
    process, terminal = start_in_terminal("ask", "-o", "max_tokens", "8", "--plain", QUESTION, cwd=tmp_path)
    assert os.read(terminal, 1000)
    assert process.stderr
    assert "demonstration model" in process.stderr.read().decode()
    assert process.wait(timeout=30) == 0
    process.stderr.close()
    os.close(terminal)


# What is left behind


def test_nothing_of_the_question_is_left_on_the_disk(medpocket: Medpocket, home: Path, tmp_path: Path) -> None:
    secret = "zanzibarfever"
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('log_level = "info"\n')
    medpocket("ask", *QUICK, "-n", f"What is {secret}?")
    medpocket("ask", *QUICK, "-n", "-e", secret, f"What is {secret}?")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "llama.cpp.log" for path in written)
    assert all(secret.encode() not in path.read_bytes() for path in written)


def test_the_log_can_be_read_by_its_owner_alone(medpocket: Medpocket, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('log_level = "info"\n')
    medpocket("ask", *QUICK, QUESTION)
    log = home / "log" / "llama.cpp.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700
    assert "load" in log.read_text()


def test_a_notice_that_comes_with_the_last_word_stands_below_the_answer(home: Path) -> None:
    (home / "data" / "history" / "audit.jsonl").mkdir(parents=True)
    run = subprocess.run(
        [sys.executable, "-m", "medpocket", "ask", *QUICK, QUESTION],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0
    assert "\nthis answer is not in the audit log: " in run.stdout
