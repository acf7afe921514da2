"""The box that a question is typed into."""

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from medpocket.text import without_controls
from medpocket.tui.keys import QUESTION, bindings

_PLACEHOLDER = "Ask a question.  Enter sends, Ctrl+J begins a new line."


class QuestionBox(TextArea):
    """Grows with its text up to a third of the screen; Up and Down go through earlier questions."""

    BINDINGS = bindings(QUESTION)
    DEFAULT_CSS = """
    QuestionBox {
        height: auto;
        min-height: 3;
        max-height: 33vh;
        border: round $border-blurred;
        background: $background;
        padding: 0 1;
        &:focus { border: round $border; }
        &:ansi { background: ansi_default; }
    }
    """

    @dataclass
    class Submitted(Message):
        """A question was sent."""

        text: str

    def __init__(self) -> None:
        super().__init__(
            id="question", placeholder=Content(_PLACEHOLDER), highlight_cursor_line=False, tab_behavior="focus"
        )
        self._earlier: list[str] = []
        self._place = 0  # in `_earlier`; at its end the text is new
        self._new = ""

    def remember(self, question: str) -> None:
        """Have Up bring this question back."""
        if not self._earlier or self._earlier[-1] != question:
            self._earlier.append(question)
        self._place = len(self._earlier)

    def put(self, text: str) -> None:
        """Show `text`, the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = without_controls(event.text)[0]
        await super()._on_paste(event)

    def action_send(self) -> None:
        """Send what is typed, where there is something."""
        text = self.text
        if text.strip():
            self.post_message(self.Submitted(text))

    def action_newline(self) -> None:
        """Break the line."""
        self.insert("\n")

    def action_earlier(self) -> None:
        """Move up; in the first line, to the earlier question."""
        if self.cursor_location[0] or self.wrapped_document.location_to_offset(self.cursor_location).y:
            self.action_cursor_up()
        elif self._place:
            if self._place == len(self._earlier):
                self._new = self.text
            self._place -= 1
            self.put(self._earlier[self._place])

    def action_later(self) -> None:
        """Move down; in the last line, to the later question, and at last to what was typed before."""
        last = self.wrapped_document.height - 1
        if self.wrapped_document.location_to_offset(self.cursor_location).y < last:
            self.action_cursor_down()
        elif self._place < len(self._earlier):
            self._place += 1
            self.put(self._earlier[self._place] if self._place < len(self._earlier) else self._new)
