from pathlib import Path

import pytest

from medpocket.errors import SettingsError, UnknownNameError
from medpocket.tui import slash
from medpocket.tui.app import MedpocketApp
from medpocket.tui.keys import all_keys, keymap
from medpocket.tui.widgets.expert_bar import ExpertBar
from medpocket.tui.widgets.question_box import QuestionBox
from tests.tui.scripted_app import ask, scripted_app, texts, until

pytestmark = pytest.mark.anyio


async def test_every_key_has_a_tooltip_and_an_id_of_its_own() -> None:
    for name, key in all_keys().items():
        assert key.tooltip and key.label and name == key.id


def test_every_key_stands_in_the_documentation() -> None:
    documented = Path("docs/app.md").read_text(encoding="utf-8")
    lacking = [
        key.id for key in all_keys().values() if f"| `{key.id}` | {key.keys} | {key.tooltip} |" not in documented
    ]
    assert lacking == []


async def test_a_key_can_be_given_another_and_the_old_one_does_nothing() -> None:
    _, script = scripted_app("answer")
    app = MedpocketApp(script.load, keymap=keymap({"chat.new": "f8"}))
    async with app.run_test() as pilot:
        await ask(pilot, "Question.")
        await pilot.press("ctrl+n")
        assert texts(app) == ["answer"]
        await pilot.press("f8")
        await until(pilot, lambda: texts(app) == [])


async def test_a_key_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError) as refused:
        keymap({"chat.nwe": "f8"})
    assert "chat.new" in refused.value.hint


async def test_the_expert_is_named_while_the_question_is_typed() -> None:
    app, _ = scripted_app()
    async with app.run_test(size=(120, 30)) as pilot:
        bar = app.chat.query_one(ExpertBar)
        await pilot.press(*"atrial fibrillation")
        await until(pilot, lambda: "cardiology" in str(bar.render()) and "adapter" in str(bar.render()))
        await pilot.press("ctrl+g")
        assert app.chat.query_one("#why").display
        assert "fibrillation" in str(app.chat.query_one("#why").render())
        await pilot.press("ctrl+g")
        assert not app.chat.query_one("#why").display


async def test_an_expert_is_chosen_from_the_list_and_by_command() -> None:
    app, _ = scripted_app("one", "two")
    async with app.run_test() as pilot:
        await pilot.press("ctrl+t", "down", "enter")
        assert not app.chat.choice.route
        app.chat.query_one(QuestionBox).put("/expert neur")
        await pilot.press("tab")
        assert app.chat.query_one(QuestionBox).text == "/expert neurology "
        await pilot.press("enter")
        assert app.chat.choice.expert == "neurology"
        chat = await ask(pilot, "Question.")
        routed = chat.conversation.branch[0].routed
        assert routed and routed.expert == "neurology"


async def test_earlier_questions_come_back_and_what_was_typed_too() -> None:
    app, _ = scripted_app("one", "two")
    async with app.run_test() as pilot:
        await ask(pilot, "First.")
        await ask(pilot, "Second.")
        box = app.chat.query_one(QuestionBox)
        await pilot.press("x", "up")
        assert box.text == "Second."
        await pilot.press("up")
        assert box.text == "First."
        await pilot.press("down", "down")
        assert box.text == "x"
        await pilot.press("ctrl+j", "y")
        assert box.text == "x\ny"


async def test_the_colours_change() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        seen = {app.theme}
        for _ in range(3):
            await pilot.press("f9")
            seen.add(app.theme)
        assert seen == {"medpocket-dark", "medpocket-light", "medpocket-contrast", "ansi-dark"}


async def test_a_command_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as refused:
        slash.parse("/modle demo")
    assert "/model" in refused.value.hint


async def test_at_most_thirty_answers_are_mounted_however_long_the_conversation() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        from medpocket.tui.conversation import Choice, Conversation, Exchange
        from medpocket.tui.widgets.conversation_view import MOST_MOUNTED, ConversationView

        parent = None
        exchanges = []
        for number in range(500):
            parent = Exchange(f"Question {number}", Choice(), parent, text=f"answer {number}", is_open=False)
            exchanges.append(parent)
        await app.chat.show_conversation(Conversation(exchanges))
        view = app.chat.query_one(ConversationView)
        await until(pilot, lambda: view.scroll_y > 0)
        most = 0
        for _ in range(100):
            if exchanges.index(view.views()[0].exchange) <= 420:
                break
            view.release_anchor()
            view.scroll_to(y=0, animate=False, immediate=True)
            await pilot.pause(0.05)
            most = max(most, len(view.views()))
        assert most == MOST_MOUNTED
