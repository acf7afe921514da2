from pathlib import Path

import pytest

from medpocket.errors import HistoryError
from medpocket.store import migrations
from medpocket.store.backups import backups
from medpocket.store.driver import connect
from medpocket.store.history import History
from tests.store.conftest import opened
from tests.store.making import keep


def test_every_step_has_a_file_and_the_newest_is_known() -> None:
    files = sorted(path.stem for path in Path(migrations.__file__).parent.glob("m*.py"))
    numbers = [int(name[1:5]) for name in files]
    assert numbers == list(range(1, migrations.NEWEST + 1)) == sorted(migrations.steps())


def test_a_new_file_has_the_newest_format(history: History) -> None:
    assert history.read("PRAGMA user_version") == [(migrations.NEWEST,)]
    assert backups(history.path.parent) == []


def test_a_file_of_the_first_format_gets_the_index_of_facts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = migrations.steps()[1]
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "steps", lambda: {1: first})
        patch.setattr(migrations, "NEWEST", 1)
        with opened(folder) as history:
            turn = keep(history)
    with opened(folder) as history:
        plan = history.read("EXPLAIN QUERY PLAN SELECT t.conversation FROM turns t WHERE +t.expert = 'eye_ent'")
        assert "COVERING INDEX turns_facts" in plan[0][-1]
        assert [one.id for one in history.conversations("expert:eye_ent")] == [turn.conversation]


def add_a_column(database) -> None:  # type: ignore[no-untyped-def]
    database.table("turns").add_column("mood", str)


def fail_half_way(database) -> None:  # type: ignore[no-untyped-def]
    database.table("turns").add_column("colour", str)
    database.execute("SELECT no_such_function()")


def take(monkeypatch: pytest.MonkeyPatch, *more: migrations.Step) -> None:
    steps = migrations.steps() | dict(enumerate(more, start=migrations.NEWEST + 1))
    monkeypatch.setattr(migrations, "steps", lambda: steps)
    monkeypatch.setattr(migrations, "NEWEST", max(steps))


def test_an_older_file_is_backed_up_and_brought_forward(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(folder) as history:
        turn = keep(history)
    before = migrations.NEWEST
    take(monkeypatch, add_a_column)
    with opened(folder) as history:
        assert history.turn(turn.id) == turn
        assert history.read("SELECT mood FROM turns") == [(None,)]
    (backup,) = backups(folder)
    assert backup.stat().st_mode & 0o777 == 0o600
    copy = connect(backup)
    assert migrations.version_of(copy) == before
    assert copy.execute("SELECT answer FROM turns").fetchall() == [("An eye disease.",)]
    copy.close()


def test_a_step_that_fails_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(folder) as history:
        turn = keep(history)
    with monkeypatch.context() as patch:
        take(patch, add_a_column, fail_half_way)
        with pytest.raises(HistoryError):
            opened(folder)
        raw = connect(folder / "history.db")
        columns = [row[1] for row in raw.execute("PRAGMA table_info(turns)")]
        raw.close()
        assert "mood" in columns
        assert "colour" not in columns
    take(monkeypatch, add_a_column, lambda _database: None)
    with opened(folder) as history:
        assert history.turn(turn.id) == turn


def test_a_newer_file_is_only_read(folder: Path) -> None:
    with opened(folder) as history:
        turn = keep(history)
        with history.transaction() as connection:
            connection.execute("PRAGMA user_version = 99")
    with opened(folder) as history:
        assert history.read_only == "a newer MedPocket has written it"
        assert history.turn(turn.id) == turn
        with pytest.raises(HistoryError, match="a newer MedPocket"):
            keep(history)
