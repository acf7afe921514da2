"""What a real terminal does to the app: closed, suspended, pasted into."""

import os
import signal
import sys
from pathlib import Path

import pytest

from medpocket.store.history import History
from medpocket.store.switch import switch
from tests.tui.terminal import READY, Terminal, terminal

HELD = (sys.executable, "-m", "tests.tui.held_app")


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def ask_held(window: Terminal) -> None:
    window.until(READY)
    window.send("Count.\r")
    window.until("▎ one")


@pytest.mark.parametrize("by", ["closing the window", "SIGTERM", "SIGHUP"])
def test_a_terminal_that_is_closed_ends_the_app_and_keeps_what_came(by: str) -> None:
    with terminal(*HELD) as window:
        ask_held(window)
        if by == "closing the window":
            window.close()
        else:
            window.process.send_signal(getattr(signal, by))
        assert window.process.wait(20) == 130
    history = History.open(create=False)
    assert history
    (conversation,) = history.conversations()
    (turn,) = history.turns(conversation.id)
    history.close()
    assert (turn.asked.question, turn.answer, turn.state.value) == ("Count.", "one two", "stopped")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_app_is_suspended_by_a_key_and_comes_back_whole() -> None:
    with terminal(*HELD) as window:
        ask_held(window)
        window.send("\x1b[24~")  # F12
        window.until(lambda: state_of(window.process.pid) == "T")
        window.until(lambda: window.written.endswith(b"\x1b[?1049l\x1b[?25h\x1b[?1004l"))  # the shell's screen
        before = len(window.written)
        os.kill(window.process.pid, signal.SIGCONT)
        window.until(lambda: "▎ one" in window.text(before))
        window.send("\x1b\x11")  # Escape, Ctrl+Q
        assert window.ended() == 0


@pytest.mark.parametrize("where", ["handler", "worker", "thread", "task"])
def test_a_crash_shows_and_writes_no_local_variables_and_no_text_of_a_question(where: str, home: Path) -> None:
    switch(on=False)
    question = "PLANTED-QUESTION"
    with terminal(sys.executable, "-m", "tests.tui.failing_app", where) as window:
        window.until(READY)
        window.send(f"{question}\r")
        window.until(lambda: "KeyError" in window.text() or window.process.poll() is not None)
        if where == "task":
            window.send("\x11")  # Ctrl+Q
        assert window.ended() == (0 if where == "task" else 1)
        left = window.text(window.written.index(b"\x1b[?1049l"))
        assert ("KeyError at failing_app.py" in left) == (where != "task")
        assert question not in left
        assert "PLANTED-LOCAL" not in window.text()
        assert "Traceback" not in window.text()
    for file in home.rglob("*"):
        assert not file.is_file() or b"PLANTED" not in file.read_bytes(), file


def test_a_note_of_200_kb_is_pasted_into_the_terminal_and_typing_goes_on() -> None:
    with terminal() as window:
        window.until(READY)
        window.send("\x1b[200~" + "Patient with glaucoma. " * 9000 + "END-OF-NOTE\x1b[201~")
        window.until("END-OF-NOTE")
        window.send("typed")
        window.until("END-OF-NOTEtyped")
        window.send("\x11")
        assert window.ended() == 0
