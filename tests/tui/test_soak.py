"""A day with the app, compressed."""

import gc
from functools import partial
from pathlib import Path

import pytest

from medpocket.models.hardware import resident_bytes
from medpocket.tui.app import MedpocketApp
from medpocket.tui.services.loading import load_installed
from medpocket.tui.widgets.conversation_view import MOST_MOUNTED
from tests.tui.scripted_app import until

QUESTIONS = 1_000
_A_CONVERSATION = 40  # questions


@pytest.mark.prove
@pytest.mark.anyio
async def test_memory_after_a_thousand_questions_is_within_a_tenth_of_that_after_fifty(home: Path) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text('model = "demo"\nmax_tokens = 8\nthreads = 1\n')
    app = MedpocketApp(load_installed)
    sizes: dict[int, int] = {}
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.chat.status.model and app.history.state.value == "history on", 60)
        for number in range(1, QUESTIONS + 1):
            if number % _A_CONVERSATION == 0:
                await app.chat.action_new_chat()
            app.chat.box.insert(f"What is glaucoma, and what is drug {number} for?")
            await pilot.press("enter")
            await until(pilot, partial(_answered, app, f"drug {number} "), 60)
            assert len(app.chat.conversation_view.views()) <= MOST_MOUNTED
            if number in (50, QUESTIONS):
                gc.collect()
                sizes[number] = resident_bytes()
        conversations = await app.history.call(lambda history: history.totals())
    assert conversations.turns == QUESTIONS
    assert sizes[QUESTIONS] < 1.10 * sizes[50], sizes


def _answered(app: MedpocketApp, words: str) -> bool:
    leaf = app.chat.conversation.leaf
    return bool(leaf and words in leaf.question and not leaf.is_open)
