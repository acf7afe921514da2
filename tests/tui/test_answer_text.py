"""An answer that comes piece by piece looks as it does when it comes at once, and is not built anew with every word."""

from collections import Counter

import pytest
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Markdown

from medpocket.tui.widgets.answer_text import AnswerText
from tests.tui.screen_text import screen_text

pytestmark = pytest.mark.anyio

WORDS = "the patient is told that anticoagulation goes on for three months unless bleeding occurs. "
ANSWERS = {
    "paragraphs": WORDS * 4 + "\n\n" + WORDS * 2,
    "bullets": "Causes:\n\n" + "".join(f"- **Cause {n}**: {WORDS}\n" for n in range(6)) + "\nThat is all.",
    "numbers": "".join(f"{n}. Step {n}: {WORDS}\n" for n in range(1, 13)),
    "numbers from ninety-eight": "".join(f"{n}. {WORDS}\n" for n in range(98, 102)),
    "nested": "".join(f"- {WORDS}\n" + "".join(f"  - {n}.{m} {WORDS}\n" for m in range(3)) for n in range(3)),
    "parts of an item": "1. First\n\n   More of it.\n\n   ```\n   code\n   ```\n\n2. Second\n\n   > quoted\n",
    "two lists": "- one\n- two\n\n1. three\n2. four\n\n* five\n* six\n",
    "a list that becomes another thing": "- one\n- two\n  ---\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n",
    "headings and code": "# Plan\n\n" + WORDS + "\n\n```python\nx = 1\ny = 2\n```\n\n## Then\n\n" + WORDS,
    "a lone bullet": "-\n",
}


class Showing(App[None]):
    """Shows one answer."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.answer = AnswerText(text)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield self.answer


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("size", [3, 17])
async def test_in_pieces_it_looks_as_at_once(name: str, size: int) -> None:
    text = ANSWERS[name]
    whole = Showing(text)
    async with whole.run_test(size=(70, 60)) as pilot:
        await pilot.pause()
        expected = screen_text(whole)
    pieces = Showing()
    async with pieces.run_test(size=(70, 60)) as pilot:
        stream = Markdown.get_stream(pieces.answer)
        for start in range(0, len(text), size):
            await stream.write(text[start : start + size])
            await pilot.pause()
        await stream.stop()
        await pilot.pause()
        assert screen_text(pieces) == expected


async def test_a_list_is_not_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    built: Counter[str] = Counter()
    mount = Widget.mount

    def counted(self: Widget, *widgets: Widget, **places: object) -> object:
        built.update(type(widget).__name__ for widget in widgets)
        return mount(self, *widgets, **places)  # type: ignore[arg-type]

    text = ANSWERS["bullets"]
    app = Showing()
    async with app.run_test(size=(70, 60)) as pilot:
        monkeypatch.setattr(Widget, "mount", counted)
        stream = Markdown.get_stream(app.answer)
        for word in text.split(" "):
            await stream.write(word + " ")
            await pilot.pause()
        await stream.stop()
    assert built["Horizontal"] == 6  # each item once
    assert sum(built.values()) < 30


async def test_a_word_that_fits_into_its_line_lays_nothing_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    layouts = 0
    refresh = Screen._refresh_layout

    def counted(self: Screen[object], *arguments: object, **named: object) -> None:
        nonlocal layouts
        layouts += 1
        refresh(self, *arguments, **named)  # type: ignore[arg-type]

    words = (WORDS * 4).split()
    app = Showing()
    async with app.run_test(size=(70, 60)) as pilot:
        stream = Markdown.get_stream(app.answer)
        await stream.write(words[0])
        await pilot.pause()
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        for word in words[1:]:
            await stream.write(" " + word)
            await pilot.pause()
        await stream.stop()
        lines = app.answer.size.height
    assert lines - 2 <= layouts < len(words) / 4
