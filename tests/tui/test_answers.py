import pytest
from textual.pilot import Pilot
from textual.widgets import Markdown

from medpocket.tui.app import MedpocketApp
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.question_box import QuestionBox
from tests.tui.scripted_app import ask, idle, scripted_app, texts, until

pytestmark = pytest.mark.anyio

TABLE = "Doses:\n\n| drug | dose |\n| --- | --- |\n| a | 5 mg |\n"


async def test_regenerating_makes_another_version_and_the_arrows_go_between_them() -> None:
    app, script = scripted_app("first", "second")
    async with app.run_test() as pilot:
        await ask(pilot, "Name one.")
        await pilot.press("ctrl+r")
        await idle(pilot, answers=2)
        assert texts(app) == ["second"]
        await pilot.press("ctrl+up", "left")
        assert texts(app) == ["first"]
        await pilot.press("right")
        assert texts(app) == ["second"]
        assert script.engine.prompts[0] == script.engine.prompts[1]


async def test_two_experts_answer_side_by_side_and_one_is_kept() -> None:
    app, _ = scripted_app("first", "second")
    async with app.run_test(size=(120, 40)) as pilot:
        await ask(pilot, "Name one.")
        await pilot.press("ctrl+b", "down", "down", "enter")
        await idle(pilot, answers=2)
        left, right = app.chat.query(ExchangeView)
        assert (left.exchange.text, right.exchange.text) == ("first", "second")
        assert left.region.y == right.region.y
        assert [view.query_one(Markdown).source for view in (left, right)] == ["first", "second"]
        assert right.exchange.routed and right.exchange.routed.expert == "cardiology"
        await pilot.press("ctrl+up", "ctrl+up", "k")
        await until(pilot, lambda: texts(app) == ["first"])


async def test_an_edited_question_is_asked_as_a_branch() -> None:
    app, script = scripted_app("one", "two", "three")
    async with app.run_test() as pilot:
        await ask(pilot, "First question.")
        await ask(pilot, "Second question.")
        await pilot.press("ctrl+up", "e")
        box = app.chat.query_one(QuestionBox)
        assert box.text == "Second question."
        box.put("Third question.")
        await pilot.press("enter")
        await idle(pilot, answers=3)
        assert texts(app) == ["one", "three"]
        assert "Second" not in "".join(map(chr, script.engine.prompts[2]))


async def test_escape_leaves_the_editing_of_a_question() -> None:
    app, _ = scripted_app("one", "two")
    async with app.run_test() as pilot:
        await ask(pilot, "First.")
        await pilot.press("ctrl+up", "e", "escape", "enter")
        await idle(pilot, answers=2)
        assert texts(app) == ["one", "two"]


@pytest.mark.parametrize(
    ("keys", "copied"),
    [
        (("ctrl+y",), TABLE.strip()),
        (("ctrl+up", "c"), TABLE.strip()),
        (("ctrl+up", "t"), "drug\tdose\na\t5 mg\n"),
        (("f10",), "> Which dose?"),
    ],
)
async def test_answers_tables_and_conversations_are_copied(keys: tuple[str, ...], copied: str) -> None:
    app, _ = scripted_app(TABLE.strip())
    async with app.run_test() as pilot:
        await ask(pilot, "Which dose?")
        await pilot.press(*keys)
        assert app.clipboard.startswith(copied)


async def test_a_rating_and_a_note_are_kept_in_the_history() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        chat = await ask(pilot, "Question.")
        await pilot.press("ctrl+up", "g")
        await until(pilot, lambda: chat.conversation.branch[0].rating == "good")
        await pilot.press("n", *"seen", "enter")
        await until(pilot, lambda: chat.conversation.branch[0].note == "seen")
        (turn,) = await app.history.turns(chat.conversation.id or "")
        assert turn.rating and (turn.rating.value, turn.note, turn.answer) == ("good", "seen", "answer")
        await pilot.press("x")
        await until(pilot, lambda: chat.conversation.branch[0].rating == "bad")
        assert "rated bad" in str(chat.query_one(".tail").render())
        await pilot.press("x")
        await until(pilot, lambda: chat.conversation.branch[0].rating == "")


async def test_a_conversation_is_opened_from_the_history_and_gone_on_with() -> None:
    app, script = scripted_app("one", "two", "three")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        chat = await ask(pilot, "First question.")
        await ask(pilot, "Second question.")
        id_ = chat.conversation.id or ""
        await pilot.press("ctrl+n")
        assert texts(app) == []
        await chat.open_conversation(id_)
        assert texts(app) == ["one", "two"]
        assert [md.source for md in chat.query(Markdown)] == ["one", "two"]
        await ask(pilot, "Third question.")
        read = "".join(map(chr, script.engine.prompts[2]))
        assert read.index("First") < read.index("one") < read.index("Second") < read.index("two") < read.index("Third")
        turns = await app.history.turns(id_)
        assert [(turn.number, turn.parent) for turn in turns] == [(1, None), (2, 1), (3, 2)]


async def test_two_windows_on_one_history_see_each_others_turns() -> None:
    app, _ = scripted_app("one")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        chat = await ask(pilot, "First question.")
        other, _ = scripted_app("two")
        async with other.run_test() as second:
            await until(second, lambda: other.history.state.value == "history on")
            await other.chat.open_conversation(chat.conversation.id or "")
            assert texts(other) == ["one"]
            await ask(second, "Second question.")
        await until(pilot, lambda: texts(app) == ["one", "two"])
        await shown(pilot, app, "two")


async def shown(pilot: Pilot[None], app: MedpocketApp, text: str) -> None:
    await until(pilot, lambda: text in [md.source for md in app.chat.query(Markdown)])


async def test_what_is_said_of_answers_that_are_not_kept() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.history.state.value == "history on")
        app.history.close()
        chat = await ask(pilot, "Question.")
        await pilot.press("ctrl+up", "g")
        assert chat.conversation.branch[0].stored is None
        assert chat.conversation.branch[0].rating == ""
