"""`medpocket history`, and what `ask` keeps: in this process, where no process of its own is needed."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from medpocket.cli.app import run
from medpocket.store import key
from medpocket.store.history import History
from medpocket.store.passphrase import VARIABLE
from medpocket.store.records import State
from tests.cli.test_ask import QUICK
from tests.conftest import Medpocket, check_error
from tests.store.making import asked, keep

QUESTION = "What are the symptoms of glaucoma?"


class Said:
    def __init__(self, code: int, out: str, errors: str) -> None:
        self.code, self.out, self.errors = code, out, errors

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.out)["data"])


@pytest.fixture
def say(capfdbinary: pytest.CaptureFixture[bytes]):  # type: ignore[no-untyped-def]
    def call(*arguments: str) -> Said:
        code = run(["history", *arguments])
        out, errors = capfdbinary.readouterr()
        return Said(code, out.decode(), errors.decode())

    return call


@pytest.fixture
def history() -> History:
    opened = History.open()
    assert opened
    return opened


@pytest.fixture
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(key, "_COST", 2**4)
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery staple\n")
    file.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(file))
    return file


def refused(said: Said, code: int, *words: str) -> None:
    lines = said.errors.splitlines()[-2:]
    assert (said.code, said.out) == (code, ""), said.errors
    for word in words:
        assert word in " ".join(lines)


def test_before_anything_is_kept_it_says_so_and_makes_nothing(say, home: Path) -> None:  # type: ignore[no-untyped-def]
    for command in (["list"], ["search", "x"], ["show", "abc"], ["stats"], ["verify"]):
        refused(say(*command), 1, "there is no history yet", "medpocket ask")
    assert not home.exists()


def test_list_search_and_show(say, history: History) -> None:  # type: ignore[no-untyped-def]
    first = keep(history, "What is glaucoma?", "An eye disease.")
    keep(history, "What is asthma?", "Of the lungs.", expert="pulmonology")
    listed = say("list").out.splitlines()
    assert listed[0].split() == ["id", "last", "asked", "turns", "expert", "title"]
    assert "What is asthma?" in listed[1]
    assert "What is glaucoma?" in listed[2]
    assert [one["title"] for one in say("list", "eye", "--json").data["conversations"]] == ["What is glaucoma?"]
    found = say("search", "expert:eye_ent", "dis*").out
    assert first.id in found
    assert "An eye [disease]." in found
    shown = say("show", first.conversation).out
    assert "What is glaucoma?" in shown
    assert "An eye disease." in shown
    one = say("show", first.id, "--json").data["turns"][0]
    assert (one["answer"], one["model"]["sha256"], one["state"]) == ("An eye disease.", "a" * 64, "complete")


def test_what_is_kept_cannot_steer_the_terminal(say, history: History) -> None:  # type: ignore[no-untyped-def]
    turn = keep(history, "a\x1b]0;title\x07b", "c\x1b[31md")
    history.annotate(turn, "e\x9bf")
    for command in (["list"], ["show", turn.id], ["search", "b"]):
        said = say(*command)
        assert said.code == 0
        assert not set(said.out) & {"\x1b", "\x07", "\x9b"}


def test_notes_ratings_and_titles(say, history: History) -> None:  # type: ignore[no-untyped-def]
    turn = keep(history)
    assert say("note", turn.id, "checked", "twice").code == 0
    assert say("rate", turn.conversation, "good").code == 0
    assert say("rename", turn.conversation, "Mrs X").code == 0
    shown = say("show", turn.id).out
    assert "note: checked twice" in shown
    assert "rated good" in shown
    assert "Mrs X" in shown
    assert say("note", turn.id, "--remove").code == 0
    assert history.turn(turn.id).note == ""
    refused(say("note", turn.id), 2, "there is no text")
    refused(say("rate", turn.id, "superb"), 2, "superb")


def test_deleting_needs_a_yes_and_takes_the_backups_too(say, history: History) -> None:  # type: ignore[no-untyped-def]
    turn = keep(history, "What of Plantagenet?")
    backup = Path(say("backup").out.strip())
    refused(say("delete", turn.conversation), 1, "needs a yes")
    assert history.conversations()
    said = say("delete", turn.conversation, "--yes")
    assert (said.code, said.out) == (0, "")
    assert "1 backup" in said.errors
    assert history.conversations() == []
    assert not backup.exists()
    refused(say("delete", turn.conversation, "--yes"), 2, "there is no conversation")


def test_purge_takes_what_is_old(say, history: History) -> None:  # type: ignore[no-untyped-def]
    keep(history)
    assert "nothing to remove" in say("purge", "--older-than", "90d", "--yes").errors
    refused(say("purge", "--older-than", "soon", "--yes"), 2, "--older-than 90d")
    assert history.conversations()
    assert say("purge", "--older-than", "0d", "--yes").code == 0
    assert history.conversations() == []


def test_locking_says_what_cannot_be_recovered_and_ask_goes_on(  # type: ignore[no-untyped-def]
    say, history: History, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(history)
    history.close()
    said = say("lock", "--yes")
    assert said.code == 0, said.errors
    assert "loses the history" in said.errors
    assert "fair" in said.errors
    assert say("path").errors == "locked\n"
    assert "glaucoma" in say("list").out
    refused(say("lock", "--yes"), 1, "locked already", "--change")
    monkeypatch.delenv(VARIABLE)
    refused(say("list"), 1, "the history is locked", VARIABLE)
    monkeypatch.setenv(VARIABLE, str(passphrase))
    assert say("unlock", "--yes").code == 0
    assert say("path").errors == "not locked\n"


class Keyring(ModuleType):
    """Stands for the package keyring, which is optional, over a system's keyring of one entry."""

    def __init__(self, *, closed: bool = False) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.closed = closed

    def set_password(self, service: str, user: str, password: str) -> None:
        if self.closed:
            raise RuntimeError(password)
        self.kept[service, user] = password

    def get_password(self, service: str, user: str) -> str | None:
        if self.closed:
            raise RuntimeError("closed")
        return self.kept.get((service, user))

    def delete_password(self, service: str, user: str) -> None:
        del self.kept[service, user]


def test_the_systems_keyring_has_the_passphrase_until_the_history_is_unlocked(  # type: ignore[no-untyped-def]
    say, history: History, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", system)
    keep(history)
    history.close()
    assert say("lock", "--keyring", "--yes").code == 0
    assert list(system.kept.values()) == ["correct horse battery staple"]
    monkeypatch.delenv(VARIABLE)
    assert "glaucoma" in say("list").out
    system.closed = True
    refused(say("list"), 1, "the history is locked", VARIABLE)
    system.closed = False
    assert say("unlock", "--yes").code == 0
    assert system.kept == {}


def test_a_keyring_that_refuses_is_named_without_the_passphrase(  # type: ignore[no-untyped-def]
    say, history: History, passphrase: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring(closed=True))
    keep(history)
    history.close()
    said = say("lock", "--keyring", "--yes")
    assert said.code == 1
    assert "RuntimeError" in said.errors
    assert "correct horse" not in said.errors
    assert "glaucoma" in say("list").out


def test_a_weak_passphrase_is_refused(say, history: History, passphrase: Path) -> None:  # type: ignore[no-untyped-def]
    keep(history)
    history.close()
    passphrase.write_text("winter")
    refused(say("lock", "--yes"), 2, "too easy to guess")
    assert say("lock", "--yes", "--weak").code == 0


def test_a_machine_that_keeps_only_locked_histories(  # type: ignore[no-untyped-def]
    say, history: History, passphrase: Path, tmp_path: Path, home: Path
) -> None:
    machine = tmp_path / "machine"
    machine.mkdir()
    (machine / "config.toml").write_text("require_encrypted_history = true\n")
    keep(history)
    history.close()
    assert run(["ask", *QUICK, QUESTION]) == 0
    with History.open() or pytest.fail() as again:
        assert again.totals().turns == 1
    assert say("lock", "--yes").code == 0
    refused(say("unlock", "--yes"), 1, "keeps only a locked history")
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("require_encrypted_history = false\n")
    refused(say("unlock", "--yes"), 1, "decided for this machine")


def test_verify_and_recover(say, history: History) -> None:  # type: ignore[no-untyped-def]
    keep(history)
    history.close()
    assert say("verify").out == "sound: 1 turns\n"
    refused(say("recover"), 1, "nothing to recover")
    path = history.path
    content = path.read_bytes()
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 100 + content[116:])
    refused(say("list"), 1, "damaged", "history recover")
    said = say("recover")
    assert "the damaged file stays" in said.errors or "damaged" in said.errors
    assert list(path.parent.glob("history.db.damaged-*"))
    assert say("list").code == 0


def test_history_off_keeps_nothing_until_it_is_on(say, medpocket: Medpocket) -> None:  # type: ignore[no-untyped-def]
    assert say("off").code == 0
    assert "switched off" in say("path").errors
    assert medpocket("ask", *QUICK, QUESTION).returncode == 0
    assert say("on").code == 0
    refused(say("list"), 1, "there is no history yet")


# What `ask` keeps


def kept(history: History | None = None) -> Sequence[Any]:
    opened = History.open()
    assert opened
    with opened:
        return [turn for id_ in opened.ids() for turn in opened.turns(id_)]


def test_ask_keeps_question_answer_and_all_that_made_it(medpocket: Medpocket) -> None:
    result = medpocket("ask", *QUICK, "--json", QUESTION)
    data = json.loads(result.stdout)["data"]
    (turn,) = kept()
    assert turn.id == data["kept_as"]
    assert (turn.asked.question, turn.answer, turn.state) == (QUESTION, data["answer"], State.COMPLETE)
    asked_ = turn.asked
    assert (asked_.expert, asked_.model.demonstration, len(asked_.model.sha256)) == ("eye_ent", True, 64)
    assert asked_.scores["eye_ent"] == asked_.score > 0.6
    assert any(one.term == "glaucoma" for one in asked_.evidence)
    assert asked_.adapters[0].expert == "eye_ent"
    assert asked_.sampling.max_tokens == 24
    assert turn.stats.seed == data["stats"]["seed"]


def test_a_conversation_goes_on_and_reads_what_was_said(medpocket: Medpocket) -> None:
    medpocket("ask", *QUICK, QUESTION)
    alone = json.loads(medpocket("ask", *QUICK, "--json", "-n", "And in children?").stdout)["data"]
    data = json.loads(medpocket("ask", *QUICK, "--json", "-c", "And in children?").stdout)["data"]
    assert data["stats"]["prompt_tokens"] > alone["stats"]["prompt_tokens"] + 24
    assert data["expert"]["why"] == "the conversation stays with it"
    first, second = kept()
    assert (second.conversation, second.parent) == (first.conversation, 1)
    branch = json.loads(medpocket("ask", *QUICK, "--json", "--cid", first.id, "Else?").stdout)["data"]
    assert branch["kept_as"] == f"{first.conversation}.3"
    assert kept()[2].parent == 1


def test_compared_answers_stand_side_by_side(medpocket: Medpocket) -> None:
    assert medpocket("ask", *QUICK, "--compare", "eye_ent,none", QUESTION).returncode == 0
    turns = kept()
    assert [(turn.number, turn.parent, turn.asked.expert) for turn in turns] == [
        (1, None, "eye_ent"),
        (2, None, "general"),
    ]
    assert len({turn.conversation for turn in turns}) == 1


def test_no_log_keeps_nothing(medpocket: Medpocket, home: Path) -> None:
    assert medpocket("ask", *QUICK, "-n", QUESTION).returncode == 0
    assert not (home / "data" / "history" / "history.db").exists()


def test_going_on_with_what_is_not_there_is_refused_before_the_model_is_loaded(medpocket: Medpocket) -> None:
    check_error(medpocket("ask", *QUICK, "-c", QUESTION), 1, "no conversation to go on with")
    check_error(medpocket("ask", *QUICK, "--cid", "nothere", QUESTION), 2, "no conversation 'nothere'")
    check_error(medpocket("ask", *QUICK, "-c", "--cid", "x", QUESTION), 2, "give one of the two")


def test_on_a_locked_history_ask_answers_keeps_nothing_and_says_so(
    medpocket: Medpocket, history: History, home: Path, passphrase: Path
) -> None:
    keep(history, "Mrs Plantagenet?")
    history.close()
    env = {VARIABLE: str(passphrase)}
    assert medpocket("history", "lock", "--yes", env=env).returncode == 0
    before = {path: path.read_bytes() for path in (home / "data").rglob("*") if path.is_file()}
    result = medpocket("ask", *QUICK, QUESTION, env={VARIABLE: ""})
    assert result.returncode == 0
    assert result.stdout.strip()
    assert "the history is locked: this answer is not kept" in result.stderr.decode()
    after = {path: path.read_bytes() for path in (home / "data").rglob("*") if path.is_file()}
    assert {path for path in before if after[path] != before[path]} == {home / "data/history/audit.jsonl"}
    assert not any(b"glaucoma" in content.lower() for content in after.values()), "the audit log holds no text"
    check_error(medpocket("ask", *QUICK, "-c", QUESTION, env={VARIABLE: ""}), 1, "locked")
    assert medpocket("ask", *QUICK, "-c", QUESTION, env=env).returncode == 0
    assert "2" in medpocket("history", "stats", env=env).stdout.decode().splitlines()[1]


def test_a_damaged_history_is_set_aside_and_the_answer_is_kept_in_a_new_one(medpocket: Medpocket, home: Path) -> None:
    folder = home / "data" / "history"
    folder.mkdir(parents=True)
    (folder / "history.db").write_bytes(b"not a database")
    result = medpocket("ask", *QUICK, QUESTION)
    assert result.returncode == 0
    assert "is kept as history.db.damaged-" in result.stderr.decode()
    assert "history recover" in result.stderr.decode()
    assert len(kept()) == 1


def test_a_history_folder_that_cannot_be_made_is_no_reason_not_to_answer(medpocket: Medpocket, home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "history").write_text("a file in the folder's place")
    result = medpocket("ask", *QUICK, QUESTION)
    assert result.returncode == 0
    assert "this answer is not kept" in result.stderr.decode()


def test_the_passphrase_is_asked_for_on_a_terminal(history: History, passphrase: Path, tmp_path: Path) -> None:
    turn = keep(history)
    history.close()
    env = os.environ | {VARIABLE: str(passphrase)}
    subprocess.run([sys.executable, "-m", "medpocket", "history", "lock", "--yes"], env=env, check=True)
    pid, terminal = pty.fork()
    if not pid:
        del os.environ[VARIABLE]
        os.execv(sys.executable, [sys.executable, "-m", "medpocket", "history", "show", turn.id])
    said = b""
    for word in (b"wrong\n", b"correct horse battery staple\n"):
        while not said.rstrip().endswith(b"passphrase of the history:"):
            said += os.read(terminal, 1000)
        said += b" "
        os.write(terminal, word)
        said = b"" if word == b"wrong\n" else said
    try:
        while piece := os.read(terminal, 1000):
            said += piece
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"An eye disease." in said
    assert b"battery" not in said


def test_help_of_history_loads_no_sqlite_and_list_no_sqlite_utils(history: History) -> None:
    keep(history)
    history.close()
    code = (
        "import sys\nfrom medpocket.cli.app import run\nrun(sys.argv[1:])\nprint(*sorted(sys.modules), file=sys.stderr)"
    )

    def modules(*arguments: str) -> set[str]:
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        return set(done.stderr.split())

    assert not modules("--help") & {"sqlite3", "sqlcipher3", "sqlite_utils"}
    assert not modules("history", "list") & {"sqlite_utils", "numpy", "llama_cpp", "keyring"}


def test_a_question_of_a_megabyte_is_kept_where_it_is_answered(history: History) -> None:
    turn = keep(history, "word " * 200_000)
    history.begin(asked("next"), conversation=turn.conversation, parent=1).finish(State.STOPPED)
    assert history.branch(turn.conversation)[0].asked.question == turn.asked.question
