"""What a model, a file or a user says is data: it never steers the terminal."""

import json

import pytest

from medpocket.cli import diagnostics, output
from medpocket.errors import MedpocketError

HOSTILE = "a\x1b[2Jb\x00c\x9b31md\u202ee"
SHOWN = "a\ufffd[2Jb\ufffdc\ufffd31md\ufffde"


def test_an_answer_cannot_steer_the_terminal(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    writer = output.AnswerWriter()
    writer.write(HOSTILE)
    writer.end()
    assert capfdbinary.readouterr().out == f"{SHOWN}\n".encode()


def test_an_answer_ends_with_one_newline(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for pieces in (["yes"], ["yes\n"], ["yes", "\n"], []):
        writer = output.AnswerWriter()
        for piece in pieces:
            writer.write(piece)
        writer.end()
        assert capfdbinary.readouterr().out == (b"yes\n" if pieces else b"")


def test_a_lone_surrogate_does_not_break_the_answer(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    output.AnswerWriter().write("a\ud800b")
    assert capfdbinary.readouterr().out == "a\ufffdb".encode()


def test_json_is_ascii_with_controls_escaped(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    output.write_success("ask", {"answer": HOSTILE})
    written = capfdbinary.readouterr().out
    assert written.isascii()
    assert b"\x1b" not in written
    assert json.loads(written)["data"]["answer"] == HOSTILE


def test_errors_and_notices_are_one_line_each_and_cannot_steer_the_terminal(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    diagnostics.error(MedpocketError(f"bad\n{HOSTILE}", "do\nthis"))
    diagnostics.notice(f"note\r{HOSTILE}")
    assert capfdbinary.readouterr().err.decode().splitlines() == [f"medpocket: bad {SHOWN}", "do this", f"note {SHOWN}"]


def test_without_a_terminal_there_is_no_styling_and_no_progress(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    diagnostics.progress(1, 2)
    diagnostics.clear_progress()
    diagnostics.notice("note")
    assert capfdbinary.readouterr().err == b"note\n"
