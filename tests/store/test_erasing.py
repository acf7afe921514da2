from pathlib import Path

import pytest

from medpocket.store.driver import CAN_LOCK, can_scrub_search_index
from medpocket.store.history import History
from medpocket.store.locking import rewrite
from tests.store.conftest import opened
from tests.store.making import keep

WORDS = ("Plantagenet", "Xylophonic", "Quillfeather")


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()).lower()


def plant(history: History) -> str:
    for number in range(30):  # neighbours on the same pages
        keep(history, f"Question {number} of glaucoma?", "An answer. " * 20)
    turn = keep(history, "Mrs Plantagenet, 54?", "Xylophonic " + "answer " * 2000)
    history.annotate(turn, "Quillfeather")
    for number in range(30):
        keep(history, f"Another {number}?", "An answer. " * 20)
    return turn.conversation


def test_of_what_was_deleted_no_file_holds_a_word(history: History, folder: Path) -> None:
    conversation = plant(history)
    history.back_up()
    (folder / "history.db.damaged-20260101-000000").write_bytes(b"Plantagenet")
    for word in WORDS:
        assert word.lower().encode() in raw(folder)
    history.delete([conversation])
    assert history.scrub()
    for word in WORDS:
        assert word.lower().encode() not in raw(folder), word
        assert word.lower()[:5].encode() not in raw(folder), "a beginning, in the index of beginnings"
    assert history.problems() == []
    assert len(history.conversations()) == 60


def test_a_changed_note_leaves_no_word_of_the_old_one(history: History, folder: Path) -> None:
    turn = keep(history)
    history.annotate(turn, "Quillfeather")
    history.annotate(turn, "another")
    history.scrub()
    assert b"quillfeather" not in raw(folder)


def test_the_file_shrinks(history: History) -> None:
    turn = keep(history, "long?", "word " * 200_000)
    history.checkpoint()
    before = history.path.stat().st_size
    history.delete([turn.conversation])
    history.scrub()
    assert history.path.stat().st_size < before / 2


def test_deleting_while_another_reads_tells_that_the_wal_stays(
    history: History, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = plant(history)
    with opened(folder) as other:
        reading = other._connection()
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM turns").fetchone()
        history.read("PRAGMA busy_timeout = 10")
        history.delete([conversation])
        assert not history.scrub()
        reading.execute("COMMIT")
        assert history.scrub()
    assert b"plantagenet" not in raw(folder)


@pytest.mark.skipif(not CAN_LOCK, reason="SQLCipher is not installed")
def test_deletion_after_locking_and_unlocking_is_as_real(folder: Path, cheap_key: None) -> None:
    with opened(folder) as history:
        conversation = plant(history)
        rewrite(history, "secret")
    with opened(folder, "secret") as history:
        rewrite(history, None)
    with opened(folder) as history:
        assert history.read("PRAGMA auto_vacuum") == [(2,)]
        assert history.read("SELECT v FROM turns_words_config WHERE k = 'secure-delete'") == [(1,)]
        history.delete([conversation])
        history.scrub()
        assert b"plantagenet" not in raw(folder)


def test_this_sqlite_overwrites_words_of_the_index() -> None:
    assert can_scrub_search_index() or not CAN_LOCK
