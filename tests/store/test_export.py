"""Exports: what stands in them, that they come back exactly, and what is refused."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.errors import DiskShortError, HistoryError, InputError
from medpocket.store.export import json_format, new_file
from medpocket.store.export.deidentified import without_names
from medpocket.store.export.new_file import write_new
from medpocket.store.export.people import MARKDOWN, PLAIN, Document
from medpocket.store.history import History
from medpocket.store.records import AnsweredBy, Asked, Rating, State, StoredTurn, Whole
from medpocket.store.signing import check, sign
from medpocket.types import ActiveAdapter, Evidence, GenerationStats, Sampling
from tests.store.conftest import opened

QUESTION = "Mr John Carver, MRN 0012345: <b>angina</b>?\n# Plan\n\u00e9 \u65e5\u672c \U0001f9e0"
ASKED = Asked(
    QUESTION,
    AnsweredBy("Base", "Q4_K_M", "f" * 64, "a" * 64),
    "cardiology",
    title="Cardiology",
    why="angina",
    line="Answer as a cardiologist.",
    score=0.1 + 0.2,
    scores={"cardiology": 0.75, "general": 0.25},
    evidence=(Evidence("angina", 1.25),),
    adapters=(ActiveAdapter("cardiology", "b" * 64, 0.5),),
    sampling=Sampling(seed=7),
    notices=("a notice",),
)
STATS = GenerationStats(1, 2, 3, 4, 0.1, 0.2, 0.3, 5, 6, 7)


@pytest.fixture
def whole(history: History) -> Whole:
    first = history.begin(ASKED)
    first.append("Chest pain of the \x1b[31mheart\x1b[0m.")
    first.finish(State.COMPLETE, stop="end", stats=STATS)
    demonstration = replace(ASKED, model=AnsweredBy("Demo", demonstration=True), score=None, question="and then?")
    second = history.begin(demonstration, conversation=first.turn.conversation, parent=1)
    second.append("Partly")
    second.finish(State.STOPPED, stop="cancelled")
    turn = history.turn(f"{first.turn.conversation}.1")
    history.rate(turn, Rating.GOOD)
    history.annotate(turn, "Carver was told.")
    sign(history, history.turn(first.turn.conversation), "Dr A. Reader")
    return history.whole(first.turn.conversation)


def text_of(whole: Whole) -> str:
    return "".join(json_format.written([whole]))


def test_json_comes_back_without_loss(whole: Whole, tmp_path: Path) -> None:
    with opened(tmp_path / "other") as other:
        other.add_all(json_format.read(text_of(whole)))
        back = other.whole(whole.conversation.id)
    assert _without_rows(back) == _without_rows(whole)
    assert all(one.valid for one in check(back))


def test_an_export_of_an_import_is_the_same_but_for_its_time(whole: Whole) -> None:
    again = text_of(json_format.read(text_of(whole))[0])
    assert json.loads(again)["conversations"] == json.loads(text_of(whole))["conversations"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        '{"format": "chatgpt", "conversations": []}',
        '{"format": "medpocket-history", "version": 99, "conversations": []}',
        '{"format": "medpocket-history", "version": 1}',
        '{"format": "medpocket-history", "version": 1, "conversations": [1]}',
        '{"format": "medpocket-history", "version": 1, "conversations": {"a": 1}}',
    ],
)
def test_json_of_another_program_is_refused_in_two_lines(text: str) -> None:
    with pytest.raises(InputError) as refused:
        json_format.read(text)
    assert refused.value.hint


def _broken(whole: Whole) -> Iterator[dict[str, object]]:
    for path, value in (
        (("conversation", "id"), "../x"),
        (("conversation", "turns"), "many"),
        (("conversation", "created_at"), "yesterday"),
        (("conversation", "created_at"), "2026-01-01T00:00:00"),
        (("turns", 0, "number"), 2),
        (("turns", 0, "number"), -1),
        (("turns", 0, "parent"), 1),
        (("turns", 0, "state"), "streaming"),
        (("turns", 0, "state"), "happy"),
        (("turns", 0, "answer"), None),
        (("turns", 0, "unknown"), 1),
        (("turns", 0, "asked", "score"), "high"),
        (("turns", 0, "asked", "adapters"), [{"expert": 1}]),
        (("turns", 0, "stats", "seed"), True),
        (("turns",), []),
        (("signatures", 0, "number"), 9),
    ):
        content = json.loads(text_of(whole))
        at = content["conversations"][0]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        yield content


def test_a_damaged_export_is_refused_and_nothing_is_imported(whole: Whole) -> None:
    for content in _broken(whole):
        with pytest.raises(InputError):
            json_format.read(json.dumps(content))


@pytest.mark.parametrize("style", [MARKDOWN, PLAIN])
def test_a_document_is_headed_by_what_must_be_known(whole: Whole, style: object) -> None:
    unsigned = replace(whole, signatures=())
    text = "".join(Document(unsigned, style).text()).replace("*", "").replace("\\", "")  # type: ignore[arg-type]
    head = text[: text.index("Question 1")]
    for part in ("draft, not reviewed", "Base Q4_K_M", "cardiology", "Date", "DEMONSTRATION MODEL"):
        assert part in head
    assert text.count("DEMONSTRATION MODEL") == 2  # the head, and the answer that it is true of
    assert "stopped before its end" in text
    assert "\x1b" not in text


def test_nothing_in_a_question_becomes_markup(whole: Whole) -> None:
    text = "".join(Document(whole, MARKDOWN).text())
    assert "\n    # Plan\n" in text
    assert "\n# Plan" not in text
    assert text.startswith("# Mr John Carver, MRN 0012345: \\<b\\>angina")


def test_a_note_has_four_headings_that_the_clinician_fills(whole: Whole) -> None:
    text = "".join(Document(whole, MARKDOWN).soap())
    parts = [
        text.index(f"## {part}\n") for part in ("Subjective", "Objective", "Assessment", "Plan", "Conversation")[:4]
    ]
    assert parts == sorted(parts)
    assert text.count("(the clinician fills this in)") == 4
    assert text.index("### Question 1") > parts[-1]


def test_a_signed_conversation_says_by_whom_until_it_is_changed(history: History, whole: Whole) -> None:
    assert "signed by Dr A. Reader" in "".join(Document(whole, PLAIN).text())
    history.annotate(whole.turns[0], "another note")
    text = "".join(Document(history.whole(whole.conversation.id), PLAIN).text())
    assert "draft, not reviewed; the signature of Dr A. Reader is void" in text


def test_deidentified_texts_name_nobody_and_tell_only_years(whole: Whole) -> None:
    (clean,), replaced = without_names([whole])
    text = "".join(json_format.written([clean], deidentified=True)) + "".join(Document(clean, MARKDOWN, True).text())
    for name in ("Carver", "0012345", "Reader", f"{whole.turns[0].asked_at:%Y-%m-%dT%H}"):
        assert name not in text
    assert "[NAME-1] was told." in clean.turns[0].note
    assert {one.placeholder for one in replaced} == {"[NAME-1]", "[RECORD-1]"}
    assert clean.turns[0].asked_at.month == clean.turns[0].asked_at.day == 1


def test_a_file_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    write_new(path, ["one", "two"])
    assert path.read_text() == "onetwo"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for there in (path, tmp_path, tmp_path / "dangling"):
        with pytest.raises(InputError):
            write_new(there, ["three"])
    assert path.read_text() == "onetwo"
    with pytest.raises(HistoryError):
        write_new(tmp_path / "none" / "a.md", ["x"])


def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.md"

    def pieces() -> Iterator[str]:
        yield "mine"
        path.write_text("theirs")

    with pytest.raises(InputError):
        write_new(path, pieces())
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(new_file.os, "fsync", full)
    with pytest.raises(DiskShortError):
        write_new(tmp_path / "a.md", ["x"])
    assert not list(tmp_path.iterdir())


def _without_rows(whole: Whole) -> Whole:
    turns: tuple[StoredTurn, ...] = tuple(replace(turn, row=0) for turn in whole.turns)
    return replace(whole, turns=turns)
