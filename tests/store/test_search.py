from datetime import datetime, timezone

import pytest

from medpocket.errors import HistoryError
from medpocket.store import search, writer
from medpocket.store.history import History
from medpocket.store.records import MARK_END, MARK_START, Rating, State
from medpocket.store.search import Query
from tests.store.making import asked, keep


def questions(history: History, text: str, **how: object) -> list[str]:
    return [one.turn.asked.question for one in history.search(text, **how)]  # type: ignore[arg-type]


@pytest.fixture
def several(history: History) -> History:
    keep(history, "What is heart failure?", "The heart pumps too little.", expert="cardiology")
    keep(history, "What is Ménière's disease?", "Vertigo and tinnitus.", expert="eye_ent")
    keep(
        history,
        "Diuretics in heart failure?",
        "Furosemide; failure of the heart to respond is rare.",
        expert="cardiology",
    )
    return history


def test_words_are_found_in_questions_answers_and_notes(several: History) -> None:
    assert questions(several, "vertigo") == ["What is Ménière's disease?"]
    turn = several.search("vertigo")[0].turn
    several.annotate(turn, "seen by Dr Quill")
    assert questions(several, "quill") == ["What is Ménière's disease?"]
    several.annotate(turn, "")
    assert questions(several, "quill") == []


def test_accents_and_case_do_not_count(several: History) -> None:
    assert questions(several, "MENIERE") == questions(several, "ménière") == ["What is Ménière's disease?"]


def test_all_words_must_occur_and_a_phrase_side_by_side(several: History) -> None:
    assert len(questions(several, "failure heart")) == 2
    assert questions(several, '"failure of the heart"') == ["Diuretics in heart failure?"]
    assert questions(several, '"heart vertigo"') == []


def test_a_star_begins_a_word_and_so_does_what_is_being_typed(several: History) -> None:
    assert questions(several, "diur*") == ["Diuretics in heart failure?"]
    assert questions(several, "diur") == []
    assert questions(several, "heart diur", as_you_type=True) == ["Diuretics in heart failure?"]
    assert questions(several, "diur heart", as_you_type=True) == []


def test_the_best_comes_first(history: History) -> None:
    keep(history, "a long question", "filler " * 200 + "glaucoma")
    keep(history, "glaucoma glaucoma", "glaucoma")
    assert questions(history, "glaucoma")[0] == "glaucoma glaucoma"


def test_of_very_many_the_latest_are_put_into_order(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_MOST_WEIGHED", 3)
    for number in range(8):
        keep(history, f"glaucoma {number}?", expert="eye_ent" if number % 2 else "neurology")
    assert set(questions(history, "glaucoma")) == {f"glaucoma {number}?" for number in (4, 5, 6, 7)}
    assert set(questions(history, "glaucoma expert:eye_ent")) == {f"glaucoma {number}?" for number in (1, 3, 5, 7)}
    assert len(history.conversations("glaucoma")) == 8, "the titles of all count"
    assert len(history.conversations("disease")) == 4


def test_a_snippet_marks_what_was_found(several: History) -> None:
    (found,) = several.search("furosemide")
    assert f"{MARK_START}Furosemide{MARK_END}; failure" in found.snippet
    assert found.title == "Diuretics in heart failure?"


def test_filters_by_expert_time_state_rating_model_and_conversation(
    several: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "now", lambda: datetime(2020, 6, 15, 12, tzinfo=timezone.utc))
    old = keep(several, "An old heart question?", "Yes.", expert="neurology")
    several.begin(asked("A heart question without end?")).finish(State.STOPPED)
    several.rate(old, Rating.BAD)
    assert questions(several, "heart expert:neurology") == ["An old heart question?"]
    assert len(questions(several, "heart after:2021-01-01")) == 2
    assert "An old heart question?" in questions(several, "before:2020-07")
    assert questions(several, "before:2020-06-15") == []
    assert questions(several, "state:stopped") == ["A heart question without end?"]
    assert questions(several, "rating:bad") == ["An old heart question?"]
    assert len(questions(several, "model:SCRIPT heart")) == 4
    assert questions(several, f"in:{old.conversation}") == ["An old heart question?"]


@pytest.mark.parametrize("text", ["after:yesterday", "after:2026-13-01", "before:", "state:odd", "rating:7", "expert:"])
def test_a_filter_that_says_nothing_is_named_and_left_out(several: History, text: str) -> None:
    query = Query.of(f"heart {text}")
    assert len(several.find(query)) == 2
    assert len(query.problems) == 1
    assert text in query.problems[0]


@pytest.mark.parametrize(
    "text",
    [
        '"', '""', "'", "*", "^", "-", "(", ")", ":", "{a b}", "AND", "OR NOT", "NEAR(a b)", "a AND", "answer:heart",
        "%", "_", "\\", ";", "'; DROP TABLE turns; --", 'x" OR turns_words MATCH "y', "heart*failure",
        '"heart*"', "+a", "\0", "\ud800", "question : heart", "a" * 5000, "w " * 2000, "🙂",
        "*heart", "expert:' OR 1=1", "in:%", "turns_words:heart",
    ],
)  # fmt: skip
def test_operators_are_data(several: History, text: str) -> None:
    several.search(text)
    several.search(text, as_you_type=True)
    several.conversations(text)
    assert len(several.conversations()) == 3


def test_operators_find_the_words_that_they_are(history: History) -> None:
    keep(history, "Rest AND water or NOT?")
    keep(history, "Nothing of it")
    assert questions(history, "rest AND water") == ["Rest AND water or NOT?"]
    assert questions(history, "NOT rest") == ["Rest AND water or NOT?"]
    assert questions(history, "foo:bar") == []


def test_conversations_are_found_by_title_and_by_text(several: History) -> None:
    conversation = several.search("vertigo")[0].turn.conversation
    several.rename(conversation, "Case 100%_x")
    assert [one.id for one in several.conversations("vertig")] == [conversation]
    assert [one.id for one in several.conversations("100%_")] == [conversation]
    assert several.conversations("100%_y") == []
    assert len(several.conversations("expert:cardiology")) == 2
    assert len(several.conversations("", limit=2)) == 2
    assert several.conversations("", limit=2, offset=2)[0].title == "What is heart failure?"


def test_an_answer_that_is_still_being_written_is_not_found_yet(history: History) -> None:
    recording = history.begin(asked("glaucoma?"))
    assert questions(history, "glaucoma") == []
    recording.finish(State.COMPLETE, answer="yes", stop="end")
    assert questions(history, "glaucoma") == ["glaucoma?"]
    assert history.problems() == []


def test_all_that_is_found_is_listed_by_id_and_read_a_part_at_a_time(several: History) -> None:
    every, limited = several.ids_found(Query.of(""))
    assert every == [one.id for one in several.conversations()] and not limited
    found, _ = several.ids_found(Query.of("heart"))
    assert found == [one.id for one in several.conversations("heart")]
    assert several.conversations_with([*found[:1], "gone2345"]) == {found[0]: several.conversation(found[0])}


def test_of_very_many_turns_only_the_latest_count_and_that_is_told(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_WEIGHED", 2)
    turns = [keep(history, f"Question {number}", "asthma") for number in range(4)]
    ids, limited = history.ids_found(Query.of("asthma"))
    assert limited and len(ids) == 3
    assert turns[0].conversation not in ids
    assert not history.ids_found(Query.of("asthma question 2"))[1]


def test_what_was_found_inside_a_conversation_is_marked(history: History) -> None:
    first = keep(history, "Heart failure?", "Diuretics.")
    keep(history, "And then?", "A pacemaker for the heart.", conversation=first.conversation, parent=1)
    keep(history, "The heart in another conversation", "No.")
    found = history.snippets(first.conversation, Query.of("heart"))
    assert found == [f"{MARK_START}Heart{MARK_END} failure?", f"A pacemaker for the {MARK_START}heart{MARK_END}."]
    assert history.snippets(first.conversation, Query.of("heart"), limit=1) == found[:1]
    assert history.snippets(first.conversation, Query.of("expert:eye_ent")) == []


def test_a_single_letter_is_a_word_and_no_beginning() -> None:
    assert Query.of("d", as_you_type=True).match == '"d"'
    assert Query.of("di", as_you_type=True).match == '"di"*'


def test_a_conversation_that_is_gone_cannot_be_renamed(history: History) -> None:
    with pytest.raises(HistoryError, match="deleted meanwhile"):
        history.rename("gone2345", "title")
