import pytest
from textual.events import Key, Paste

from medpocket.tui.widgets.question_box import QuestionBox
from tests.tui.scripted_app import idle, scripted_app, start_asking, texts, until

pytestmark = pytest.mark.anyio


async def test_letters_and_enter_that_come_at_once_are_taken_in_their_order() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        for letter in "Name one.":
            app.post_message(Key(letter, letter))
        app.post_message(Key("enter", "\r"))
        for letter in "And":
            app.post_message(Key(letter, letter))
        app.post_message(Key("ctrl+j", None))
        app.post_message(Key("x", "x"))
        await idle(pilot, answers=1)
        await until(pilot, lambda: app.chat.box.text == "And\nx")
        assert app.chat.conversation.branch[0].question == "Name one."


async def test_a_question_that_cannot_be_asked_now_is_given_back() -> None:
    app, script = scripted_app("one two", "answer", hold_before=1)
    async with app.run_test() as pilot:
        await start_asking(pilot, "First.")
        app.chat.box.insert("Second.")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.box.text == "Second.")
        script.gate.set()
        await idle(pilot, answers=1)
        await pilot.press("enter")
        await idle(pilot, answers=2)
        assert app.chat.box.text == ""


async def test_a_command_that_does_not_exist_is_given_back() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press(*"/exprt x", "enter")
        await until(pilot, lambda: app.chat.box.text == "/exprt x")


async def test_a_long_line_is_broken_at_spaces_so_that_keys_stay_quick() -> None:
    app, _ = scripted_app("answer")
    note = "Patient with glaucoma. Kein Text. " * 6000 + "x" * 5000
    async with app.run_test() as pilot:
        app.post_message(Paste(note))
        await until(pilot, lambda: len(app.chat.box.text) >= len(note))
        assert max(map(len, app.chat.box.text.split("\n"))) <= 2000
        assert app.chat.box.text.split()[:-3] == note.split()[:-1]
        assert "".join(app.chat.box.text.split()) == "".join(note.split())


async def test_a_question_of_the_history_brings_no_control_characters_into_the_box() -> None:
    app, _ = scripted_app()
    async with app.run_test():
        app.chat.box.put("a\x1b[2Jb\u202ec\r\nd")
        assert app.chat.box.text == "a[2Jbc\nd"


async def test_a_question_asked_while_the_history_is_still_being_opened_is_kept() -> None:
    app, _ = scripted_app("answer")
    async with app.run_test() as pilot:
        app.chat.query_one(QuestionBox).insert("Question.")
        app.chat.box.action_send()
        await idle(pilot, answers=1)
        assert app.chat.conversation.branch[0].stored == 1
        assert texts(app) == ["answer"]
