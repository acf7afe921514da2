"""The main screens as they are drawn, compared with what was looked at and kept in `snapshots/`.

`MEDPOCKET_SNAPSHOTS=write pytest tests/tui/test_snapshots.py` draws them anew: look at the difference first.
"""

import os
from pathlib import Path

import pytest
from textual.pilot import Pilot

from medpocket.tui.app import MedpocketApp
from medpocket.tui.screens.export import ExportScreen
from medpocket.tui.screens.lock import LockScreen
from medpocket.tui.services import vitals
from medpocket.types import Evidence, Route
from tests.tui import scripted_app as scripted_app_module
from tests.tui.screen_text import screen_text
from tests.tui.scripted_app import ask, idle, scripted_app, until

pytestmark = pytest.mark.anyio

KEPT = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (160, 50)]
ANSWER = """\
# Glaucoma

Damage to the **optic nerve**, mostly by raised pressure.

- open angle: slow, painless
- closed angle: sudden, painful

| sign | open | closed |
| --- | --- | --- |
| pain | no | severe |

```
tonometry
```"""


class OneRoute:
    """A router that is never trained anew."""

    def route(self, _text: str) -> Route:
        scores = {"eye_ent": 0.87, "general": 0.05, "neurology": 0.02}
        return Route("eye_ent", 0.87, scores, (Evidence("glaucoma", 2.1),))


@pytest.fixture(autouse=True)
def same_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_app_module, "load_router", OneRoute)
    found = vitals.Vitals(process_bytes=95 * 10**6, free_bytes=8 * 10**9, battery="battery 80%", offline=True)
    monkeypatch.setattr(vitals, "vitals", lambda: found)


async def compare(pilot: Pilot[None], name: str, size: tuple[int, int]) -> None:
    await pilot.pause(0.4)  # what is typed is routed
    await pilot.pause()
    drawn = screen_text(pilot.app) + "\n"
    file = KEPT / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("MEDPOCKET_SNAPSHOTS") == "write":
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


async def ready(pilot: Pilot[None], app: MedpocketApp) -> None:
    await until(pilot, lambda: app.chat.status.model and app.chat.status.offline)
    await until(pilot, lambda: app.history.state.value == "history on")
    await until(pilot, lambda: "history on" in screen_text(app) or app.size.height < 12)


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_screen(size: tuple[int, int]) -> None:
    app, _ = scripted_app()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await compare(pilot, "welcome", size)


@pytest.mark.parametrize("size", SIZES)
async def test_an_answer_with_all_that_markdown_has_and_why_it_was_given(size: tuple[int, int]) -> None:
    app, _ = scripted_app(ANSWER)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await ask(pilot, "What are the symptoms of glaucoma?")
        await compare(pilot, "answer", size)
        await pilot.press("ctrl+g")
        await compare(pilot, "why", size)


@pytest.mark.parametrize("size", SIZES)
async def test_two_answers_side_by_side(size: tuple[int, int]) -> None:
    app, _ = scripted_app("The pressure is **raised**.", "- pain\n- halos\n- nausea")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await ask(pilot, "What are the symptoms of glaucoma?")
        await pilot.press("ctrl+b", "down", "down", "enter")
        await idle(pilot, answers=2)
        await compare(pilot, "beside", size)


@pytest.mark.parametrize("size", SIZES)
async def test_the_question_of_a_file_name(size: tuple[int, int]) -> None:
    app, _ = scripted_app("answer")
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await ask(pilot, "What are the symptoms of glaucoma?")
        app.chat.box.put("/export note.md")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExportScreen))
        await compare(pilot, "export", size)


@pytest.mark.parametrize("size", SIZES)
async def test_the_lock(size: tuple[int, int]) -> None:
    app, _ = scripted_app()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        await app.push_screen(LockScreen())
        await compare(pilot, "lock", size)
