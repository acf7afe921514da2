"""`medpocket history export`, `import`, `sign` and `audit`, and the audit lines of `ask`."""

import json
from pathlib import Path

import pytest

from medpocket import paths
from medpocket.cli.history_audit import write_down
from medpocket.store.audit import FILE_NAME
from medpocket.store.history import History
from tests.cli.test_ask import QUICK
from tests.cli.test_history import history, refused, say  # noqa: F401 - fixtures
from tests.conftest import Medpocket
from tests.store.making import keep

QUESTION = "Mr John Carver, born 3/4/1951, has angina?"


def lines() -> list[dict[str, object]]:
    return [json.loads(line) for line in (paths.history_folder() / FILE_NAME).read_text().splitlines()]


def test_export_writes_a_new_file_and_never_over_another(say, history: History, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    turn = keep(history, QUESTION)
    target = tmp_path / "a.txt"
    assert say("export", turn.conversation, "-o", str(target)).code == 0
    text = target.read_text()
    assert "Status: draft, not reviewed" in text
    assert QUESTION in text
    refused(say("export", turn.conversation, "-o", str(target)), 2, "is there already")
    assert target.read_text() == text
    assert [line["command"] for line in lines()] == ["history export"]


def test_deidentify_lists_what_it_replaced_beside_the_export(say, history: History) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    said = say("export", keep(history, QUESTION).id, "-f", "soap", "--deidentify")
    assert "Carver" not in said.out
    assert "[NAME-1] x2: John Carver" in said.errors
    assert "miss some" in said.errors


def test_what_is_exported_is_imported_once(  # type: ignore[no-untyped-def]
    say,  # noqa: F811
    history: History,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep(history, QUESTION)
    target = tmp_path / "a.json"
    assert say("export", "--all", "-o", str(target)).code == 0
    monkeypatch.setenv("MEDPOCKET_HOME", str(tmp_path / "other"))
    assert say("import", str(target)).out == "1 conversations imported\n"
    assert say("import", str(target)).out == "0 conversations imported, 1 were here already\n"
    target.write_text('{"mapping": {}}')
    refused(say("import", str(target)), 2, "not an export of MedPocket", "history export")
    refused(say("import", str(tmp_path / "none")), 2, "cannot be read")


def test_sign_says_when_it_is_void(say, history: History) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    turn = keep(history)
    refused(say("sign", turn.id), 1, "nothing here is signed")
    assert say("sign", turn.id, "--as", "Dr A. Reader").code == 0
    assert "signed by Dr A. Reader" in say("sign", turn.id).out
    assert "valid" in say("show", turn.id).out
    history.annotate(turn, "later")
    assert "VOID" in say("sign", turn.id).out
    assert "VOID" in say("show", turn.id).out


def test_audit_verify_fails_where_a_line_was_changed(say, history: History) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    for _ in range(3):
        write_down("history export", "done", history)
    assert say("audit", "verify").out == "unbroken: 3 lines\n"
    count, head = say("audit", "head").out.split()
    assert (count, len(head)) == ("3", 64)
    path = paths.history_folder() / FILE_NAME
    path.write_text(path.read_text().replace("done", "none", 1))
    said = say("audit", "verify", "--json")
    assert said.code == 1
    assert said.data["sound"] is False
    assert "line 2" in said.data["problems"][0]


def test_audit_begin_keeps_a_broken_log_and_refuses_an_intact_one(say, history: History) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    for _ in range(2):
        write_down("history export", "done", history)
    assert say("audit", "begin", "--yes").code == 1
    path = paths.history_folder() / FILE_NAME
    broken = path.read_text().replace("done", "none", 1)
    path.write_text(broken)
    said = say("audit", "begin", "--yes")
    assert said.code == 0, said.errors
    old = paths.history_folder() / said.errors.rsplit("stays: ", 1)[1].strip()
    assert old.read_text() == broken
    assert say("audit", "verify").code == 0
    assert old.name in path.read_text()


def test_each_answer_has_a_line_without_its_words(medpocket: Medpocket) -> None:
    assert medpocket("ask", *QUICK, "What is angina?").returncode == 0
    assert medpocket("ask", *QUICK, "-n", "What is angina?").returncode == 0
    assert medpocket("ask", *QUICK, stdin=b"angina " * 20_000).returncode == 2
    found = lines()
    assert [(line["command"], line["result"]) for line in found] == [
        ("ask", "complete"),
        ("ask", "complete"),
        ("ask", "failed"),
    ]
    assert "angina" not in json.dumps(found)
    assert all(len(str(line["model"])) == 64 for line in found)
