import os
import subprocess
import sys
from pathlib import Path

import pytest

from medpocket.errors import HistoryError, LockedHistoryError, PassphraseError
from medpocket.store import attempts
from medpocket.store.driver import CAN_LOCK
from medpocket.store.history import History, is_locked
from medpocket.store.key import derive_key
from medpocket.store.locking import rewrite
from medpocket.store.passphrase import LEAST_BITS, VARIABLE, from_surroundings, strength
from medpocket.store.records import State
from medpocket.store.recovery import set_aside
from tests.store.conftest import opened
from tests.store.making import asked, keep

pytestmark = pytest.mark.skipif(not CAN_LOCK, reason="SQLCipher is not installed")

SECRET = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap(cheap_key: None) -> None:
    pass


def lock(folder: Path, passphrase: str | None = SECRET, present: str | None = None) -> None:
    with opened(folder, present) as history:
        rewrite(history, passphrase)


def raw_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_locked_history_is_read_searched_and_written_with_its_passphrase(folder: Path) -> None:
    with opened(folder) as history:
        turn = keep(history)
    lock(folder)
    with opened(folder, SECRET) as history:
        assert history.locked
        assert history.turn(turn.id) == turn
        assert [one.turn.id for one in history.search("glau*")] == [turn.id]
        keep(history, "More?", conversation=turn.conversation, parent=1)
        assert history.problems() == []
    assert is_locked(folder) is True


def test_without_the_passphrase_nothing_is_read(folder: Path) -> None:
    with opened(folder) as history:
        keep(history)
    lock(folder)
    with pytest.raises(LockedHistoryError):
        opened(folder)
    for wrong in ("", "Correct horse battery staple", SECRET + " "):
        attempts.forget(folder)
        with pytest.raises(PassphraseError):
            opened(folder, wrong)


def test_nothing_readable_is_left_in_the_folder(folder: Path) -> None:
    with opened(folder) as history:
        keep(history, "Mrs Plantagenet's glaucoma?", "Xylophonic answer.")
        history.back_up()
    (folder / "history.db.damaged-20260101-000000").write_bytes(b"Plantagenet")
    assert b"Plantagenet" in raw_bytes(folder)
    lock(folder)
    with opened(folder, SECRET) as history:
        keep(history, "Mr Plantagenet's asthma?")
        history.back_up()
        for word in (b"Plantagenet", b"plantagenet", b"Xylophonic", b"xylophonic", b"SQLite format"):
            assert word not in raw_bytes(folder), word


def test_the_old_files_bytes_are_overwritten(folder: Path) -> None:
    with opened(folder) as history:
        keep(history, "Mrs Plantagenet?")
    with (folder / "history.db").open("rb") as old:
        lock(folder)
        assert not any(old.read())


def test_a_passphrase_is_changed_and_taken_away(folder: Path) -> None:
    with opened(folder) as history:
        turn = keep(history)
    lock(folder)
    lock(folder, "another one", SECRET)
    with pytest.raises(PassphraseError):
        opened(folder, SECRET)
    lock(folder, None, "another one")
    with opened(folder) as history:
        assert history.turn(turn.id) == turn
        assert not history.locked


def test_while_another_process_has_it_open_nothing_changes(folder: Path) -> None:
    with opened(folder) as history:
        turn = keep(history)
    code = (
        "import sys; from pathlib import Path; from medpocket.store.history import History\n"
        "h = History.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    with pytest.raises(HistoryError, match="another MedPocket"):
        lock(folder)
    process.communicate()
    with opened(folder) as history:
        assert history.turn(turn.id) == turn
    lock(folder)
    assert is_locked(folder)


def test_a_leftover_of_a_locking_that_was_killed_is_removed(folder: Path) -> None:
    with opened(folder) as history:
        keep(history)
    (folder / "history.db.new").write_bytes(b"half a file")
    lock(folder)
    assert not (folder / "history.db.new").exists()


def test_an_answer_left_over_in_a_locked_history_is_marked_stopped(folder: Path) -> None:
    lock(folder)
    history = opened(folder, SECRET)
    recording = history.begin(asked())
    history._held.close()
    with opened(folder, SECRET) as other:
        assert other.turn(recording.turn.id).state is State.STOPPED
    history.close()


def test_wrong_passphrases_cost_time_from_the_fourth_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(attempts.time, "sleep", slept.append)
    monkeypatch.setattr(attempts.time, "time", lambda: 1000.0)
    lock(folder)
    for _ in range(6):
        with pytest.raises(PassphraseError):
            opened(folder, "wrong")
    assert slept == [1.0, 2.0, 4.0]
    monkeypatch.setattr(attempts.time, "time", lambda: 1.0)  # a clock set back is no way around
    opened(folder, SECRET).close()
    assert slept[-1] == 8.0
    opened(folder, SECRET).close()
    assert len(slept) == 4


def test_a_file_that_only_looks_locked_can_be_set_aside(folder: Path) -> None:
    folder.mkdir()
    (folder / "history.db").write_bytes(os.urandom(8192))
    with pytest.raises(PassphraseError) as raised:
        opened(folder, SECRET)
    assert "recover" in raised.value.hint
    kept = set_aside(folder)
    assert kept.stat().st_size == 8192
    opened(folder).close()


def test_the_key_is_scrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # with its real cost; the value was computed with Python's hashlib.scrypt, apart from this code
    made = derive_key(SECRET, bytes(range(16)))
    assert made == ("d5ad1942d9f1d281e19f8f318fc7ce439fa2135020b010a580f810c8a041451c000102030405060708090a0b0c0d0e0f")


def test_the_passphrase_comes_from_a_file_that_is_the_users_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pass phrase"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(file))
    assert from_surroundings(tmp_path) == SECRET
    file.chmod(0o644)
    with pytest.raises(HistoryError, match="others can read"):
        from_surroundings(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    with pytest.raises(HistoryError, match="cannot be read"):
        from_surroundings(tmp_path)


@pytest.mark.parametrize(
    "weak", ["", "password", "aaaaaaaaaaaaaaaa", "12345678901234567890", "Winter2026", "qwerty123"]
)
def test_what_is_easily_guessed_is_weak(weak: str) -> None:
    assert strength(weak).bits < LEAST_BITS


@pytest.mark.parametrize("fine", [SECRET, "k7#Qm!2xWp9$", "lorry violin pebble Tuesday harvest"])
def test_what_is_hard_to_guess_is_not(fine: str) -> None:
    assert strength(fine).bits >= LEAST_BITS


def test_a_history_can_be_locked_before_anything_is_kept(folder: Path) -> None:
    lock(folder)
    assert is_locked(folder)
    assert History.open(folder, lambda: SECRET) is not None
