import os
from pathlib import Path

import pytest

from medpocket.errors import DamagedHistoryError, HistoryError
from medpocket.store.driver import connect
from medpocket.store.history import History
from medpocket.store.recovery import recover, set_aside
from tests.store.conftest import opened
from tests.store.making import keep

PAGE = 4096


def fill(folder: Path, count: int = 200) -> None:
    with opened(folder) as history:
        for number in range(count):
            keep(history, f"Question {number}?", f"Answer {number}. " * 60)


def nobody() -> str | None:
    return None


def damage(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(os.urandom(PAGE))


@pytest.mark.parametrize(
    "content", [b"this is no database at all", b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 8176, b"short"]
)
def test_a_file_that_is_no_history_is_named_and_set_aside_under_its_name(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "history.db").write_bytes(content)
    with pytest.raises(DamagedHistoryError) as raised:
        opened(folder)
    assert "history recover" in raised.value.hint
    kept = set_aside(folder)
    assert kept.name.startswith("history.db.damaged-")
    assert kept.read_bytes() == content
    with opened(folder) as history:
        keep(history)


def test_what_can_be_read_of_a_damaged_history_is_brought_back(folder: Path) -> None:
    fill(folder)
    path = folder / "history.db"
    pages = path.stat().st_size // PAGE
    damage(path, *range(pages // 3, pages // 3 + 12))
    with opened(folder) as history:
        assert found_damage(history)
    kept = set_aside(folder)
    with opened(folder) as history:
        recovered = recover(kept, history, nobody)
        assert 100 < recovered.turns < 200
        assert recovered.turns + recovered.lost == 200
        assert history.problems() == []
        assert history.totals().turns == recovered.turns
        turn = history.search("question")[0].turn
        assert turn.answer.startswith(turn.asked.question.replace("Question", "Answer").replace("?", "."))
        assert recover(kept, history, nobody).turns == 0, "once is enough"


def found_damage(history: History) -> bool:
    try:
        return bool(history.problems())
    except DamagedHistoryError:
        return True


def test_what_stood_in_the_wal_alone_is_brought_back_too(folder: Path) -> None:
    process = os.fork()
    if not process:  # ends without closing the history: the WAL stays
        history = opened(folder)
        keep(history)
        os._exit(0)
    os.waitpid(process, 0)
    assert (folder / "history.db-wal").stat().st_size
    kept = set_aside(folder)
    with opened(folder) as history:
        assert recover(kept, history, nobody).turns == 1


def test_a_conversation_whose_own_row_is_lost_gets_another(folder: Path) -> None:
    fill(folder, 1)
    raw = connect(folder / "history.db")
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("DELETE FROM conversations")
    raw.close()
    kept = set_aside(folder)
    with opened(folder) as history:
        assert recover(kept, history, nobody).turns == 1
        assert history.conversations()[0].title == "Question 0?"


def test_a_search_index_that_does_not_fit_is_made_anew(history: History) -> None:
    turn = keep(history)
    with history.transaction() as connection:
        connection.execute("INSERT INTO turns_words (turns_words) VALUES ('delete-all')")
    assert history.search("glaucoma") == []
    assert "search index" in history.problems()[0]
    assert [one.turn.id for one in history.search("glaucoma")] == [turn.id]
    assert history.problems() == []


def test_a_backup_is_whole_and_refuses_to_overwrite(history: History, tmp_path: Path) -> None:
    turn = keep(history)
    target = tmp_path / "copy.db"
    assert history.back_up(target) == target
    copy = connect(target)
    assert copy.execute("SELECT answer FROM turns").fetchall() == [(turn.answer,)]
    copy.close()
    with pytest.raises(HistoryError, match="there already"):
        history.back_up(target)
    with pytest.raises(HistoryError, match="cannot be written"):
        history.back_up(Path("/proc/no/such/place.db"))
    assert not list(tmp_path.glob("*.part"))
