import stat
import threading
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from medpocket.errors import HistoryError, UnknownNameError
from medpocket.store import records, writer
from medpocket.store.history import History
from medpocket.store.records import Rating, Signature, State, as_turns, title_of
from tests.store.conftest import opened
from tests.store.making import FULL, STATS, asked, keep


def test_a_turn_is_read_as_it_was_kept(history: History) -> None:
    recording = history.begin(FULL)
    recording.finish(State.COMPLETE, answer="An eye disease.", stop="end", stats=STATS)
    turn = history.turn(recording.turn.id)
    assert (turn.asked, turn.answer, turn.state, turn.stop, turn.stats) == (
        FULL,
        "An eye disease.",
        State.COMPLETE,
        "end",
        STATS,
    )
    assert turn.finished_at is not None
    assert turn.finished_at >= turn.asked_at


def test_file_and_folder_are_the_users_alone(history: History) -> None:
    keep(history)
    assert stat.S_IMODE(history.path.parent.stat().st_mode) == 0o700
    for path in history.path.parent.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_turns_of_a_conversation_follow_each_other(history: History) -> None:
    first = keep(history, "one?")
    second = keep(history, "two?", conversation=first.conversation, parent=1)
    assert (second.number, second.parent) == (2, 1)
    assert [turn.asked.question for turn in history.turns(first.conversation)] == ["one?", "two?"]
    (conversation,) = history.conversations()
    assert (conversation.title, conversation.turns, conversation.expert) == ("one?", 2, "eye_ent")


def test_a_question_asked_anew_begins_a_branch(history: History) -> None:
    first = keep(history, "one?")
    keep(history, "two?", conversation=first.conversation, parent=1)
    other = keep(history, "another two?", conversation=first.conversation, parent=1)
    keep(history, "three?", conversation=first.conversation, parent=other.number)
    assert history.parents(first.conversation) == {1: None, 2: 1, 3: 1, 4: 3}
    assert [turn.number for turn in history.branch(first.conversation)] == [1, 3, 4]
    assert [turn.number for turn in history.branch(first.conversation, 2)] == [1, 2]


def test_what_an_engine_reads_again_leaves_out_what_got_no_answer(history: History) -> None:
    first = keep(history, "one?", "yes")
    history.begin(asked("two?"), conversation=first.conversation, parent=1).finish(State.FAILED)
    turns = as_turns(history.branch(first.conversation))
    assert [(turn.role, turn.text) for turn in turns] == [("user", "one?"), ("assistant", "yes")]


def test_pages_of_a_conversation(history: History) -> None:
    first = keep(history, "1?")
    for number in range(2, 8):
        keep(history, f"{number}?", conversation=first.conversation, parent=number - 1)

    def numbers(**page: object) -> list[int]:
        return [turn.number for turn in history.turns(first.conversation, **page)]  # type: ignore[arg-type]

    assert numbers(limit=3) == [1, 2, 3]
    assert numbers(after=3, limit=2) == [4, 5]
    assert numbers(last=True, limit=3) == [5, 6, 7]
    assert numbers(before=5, last=True, limit=2) == [3, 4]


def test_the_last_conversation_written_to_comes_first(history: History) -> None:
    first, second = keep(history, "one?"), keep(history, "two?")
    assert [one.id for one in history.conversations()] == [second.conversation, first.conversation]
    keep(history, "more?", conversation=first.conversation, parent=1)
    latest = history.latest()
    assert latest
    assert latest.id == first.conversation


def test_a_clock_set_back_changes_no_order(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keep(history, "one?")
    monkeypatch.setattr(writer, "now", lambda: datetime(2001, 1, 1, tzinfo=timezone.utc))
    second = keep(history, "two?")
    assert [one.id for one in history.conversations()] == [second.conversation, first.conversation]
    assert second.asked_at.year == 2001


def test_an_id_may_be_cut_short_where_it_is_clear(history: History) -> None:
    turn = keep(history)
    assert history.conversation(turn.conversation[:5]).id == turn.conversation
    assert history.turn(turn.conversation[:5] + ".1") == turn


@pytest.mark.parametrize("id_", ["", "nothere", "%", "'; DROP TABLE turns", "a.b", "\ud800"])
def test_an_id_that_is_not_there_is_refused(history: History, id_: str) -> None:
    keep(history)
    with pytest.raises(UnknownNameError):
        history.turn(id_)


def test_an_id_that_two_begin_with_asks_for_more(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("abcd2345", "abcd2346"):
        monkeypatch.setattr(writer, "new_id", lambda name=name: name)
        keep(history)
    with pytest.raises(UnknownNameError) as raised:
        history.conversation("abcd")
    assert "more of its letters" in raised.value.hint


def test_ratings_notes_and_titles_stay(history: History, folder: Path) -> None:
    turn = keep(history)
    history.rate(turn, Rating.GOOD)
    history.annotate(turn, "checked")
    history.rename(turn.conversation, "  Mrs X,\n second visit ")
    again = opened(folder)
    with again:
        kept, conversation = again.turn(turn.id), again.conversation(turn.conversation)
    assert (kept.rating, kept.note) == (Rating.GOOD, "checked")
    assert (conversation.title, conversation.named) == ("Mrs X, second visit", True)
    history.rate(turn, None)
    history.rename(turn.conversation, "")
    assert history.turn(turn.id).rating is None
    assert history.conversation(turn.conversation).title == "What is glaucoma?"


def test_marking_what_was_deleted_meanwhile_says_so(history: History) -> None:
    turn = keep(history)
    history.delete([turn.conversation])
    with pytest.raises(HistoryError, match="deleted"):
        history.annotate(turn, "x")


def test_a_deletion_is_undone_whole(history: History) -> None:
    turn = keep(history, "What is glaucoma?")
    keep(history, "And then?", conversation=turn.conversation, parent=1)
    history.annotate(turn, "a note")
    signature = Signature(turn.conversation, 1, "Dr A", turn.asked_at, "c" * 64)
    (deleted,) = history.delete([turn.conversation])
    assert history.conversations() == []
    whole = replace(deleted, signatures=(signature,))
    assert history.add(whole)
    again = history.whole(turn.conversation)
    assert [replace(one, row=0) for one in again.turns] == [replace(one, row=0) for one in whole.turns]
    assert again.signatures == (signature,)
    assert again.conversation == replace(whole.conversation, signed=True)
    assert [one.turn.id for one in history.search("glaucoma")] == [turn.id]
    assert not history.add(whole), "it is there already"


def test_old_conversations_are_found_for_a_purge(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    old = keep(history, "old?")
    boundary = records.to_ms(records.now()) + 1
    monkeypatch.setattr(writer, "now", lambda: records.from_ms(boundary + 5))
    new = keep(history, "new?")
    assert history.ids(before_ms=boundary) == [old.conversation]
    assert history.ids() == [old.conversation, new.conversation]


def test_two_windows_see_each_others_turns(history: History, folder: Path) -> None:
    with opened(folder) as other:
        before = other.changes()
        assert other.changes() == before
        turn = keep(history)
        assert other.changes() != before
        assert other.turn(turn.id) == turn


def test_any_thread_may_use_it(history: History) -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(keep(history).id))
    thread.start()
    thread.join()
    assert history.turn(found[0]).answer == "An eye disease."


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "a\ud800b", "nul\0in the middle", "\x1b[31mred", "'); DROP TABLE turns; --", "🙂" * 1000]
)
def test_any_text_is_kept(history: History, text: str) -> None:
    turn = keep(history, text, text)
    history.annotate(turn, text)
    kept = history.turn(turn.id)
    expected = text.replace("\ud800", "\ufffd")
    assert (kept.asked.question, kept.answer, kept.note) == (expected, expected, expected)
    assert history.problems() == []


def test_a_long_question_has_a_short_title() -> None:
    assert title_of("\n  What   is\tglaucoma?\nMore.") == "What is glaucoma?"
    title = title_of("word " * 100)
    assert len(title) <= 80
    assert title.endswith("word…")


def test_totals_count_what_is_kept(history: History) -> None:
    turn = keep(history)
    history.begin(asked(expert="general"), conversation=turn.conversation, parent=1).finish(State.STOPPED)
    totals = history.totals()
    assert (totals.conversations, totals.turns, totals.stopped, totals.failed) == (1, 2, 1, 0)
    assert totals.answer_tokens == STATS.answer_tokens
    assert totals.experts == {"eye_ent": 1, "general": 1}


def test_there_may_be_no_history_yet(folder: Path) -> None:
    assert History.open(folder, create=False) is None
    assert not folder.exists()
