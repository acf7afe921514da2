"""The box that a question is typed into."""

from collections.abc import Collection
from dataclasses import dataclass

from textual import events
from textual.binding import BindingsMap
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from medpocket.text import without_controls
from medpocket.tui.conversation import Exchange
from medpocket.tui.keys import QUESTION, bindings

_LONGEST_LINE = 2_000  # characters; of a longer one, every row on the screen costs the whole line at every key
_WORD = 200  # characters; where to look for a space to break at
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
        scrollbar-size-vertical: 1;
        &:focus { border: round $border; }
        &:ansi { background: ansi_default; }
    }
    """

    @dataclass
    class Submitted(Message):
        """A question was sent; `editing` is the exchange that it is another version of."""

        text: str
        editing: Exchange | None

    class Completing(Message):
        """The user wants a command to be completed."""

    def __init__(self) -> None:
        super().__init__(
            id="question", placeholder=Content(_PLACEHOLDER), highlight_cursor_line=False, tab_behavior="focus"
        )
        self.cursor_blink = False  # each blink is drawn, and takes the processor from an answer that comes
        self.editing: Exchange | None = None
        self._earlier: list[str] = []
        self._place = 0  # in `_earlier`; at its end the text is new
        self._new = ""

    def remember(self, question: str) -> None:
        """Have Up bring this question back."""
        if not self._earlier or self._earlier[-1] != question:
            self._earlier.append(question)
        self._place = len(self._earlier)

    def forget(self) -> None:
        """Hold nothing of what was typed or asked: no text, no earlier question, nothing to undo."""
        self.load_text("")
        self._earlier, self._place, self._new = [], 0, ""
        self.editing = None

    def leave_keys(self, keys: Collection[str]) -> None:
        """Have the text's own keys (Ctrl+K cuts a line, ...) do nothing where the user gave them to something else."""
        bindings_map = BindingsMap()
        for key, bound in (self._merged_bindings or bindings_map).key_to_bindings.items():
            bindings_map.key_to_bindings[key] = [one for one in bound if one.id or key not in keys]
        self._bindings = bindings_map

    def put(self, text: str) -> None:
        """Show `text`, the cursor at its end."""
        self.text = _in_short_lines(text)
        self.move_cursor(self.document.end)

    def give_back(self, question: str) -> None:
        """Show a question again that could not be asked, before what was typed since."""
        self.put(question + self.text)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = _in_short_lines(event.text)  # TextArea's own handler, called after this one, inserts it

    # Its keys are the app's before they are the box's, so they overtake letters that were typed before them.

    def action_send(self) -> None:
        """Send what is typed up to here, where there is something."""
        self.call_later(self._send)

    def _send(self) -> None:
        if self.text.strip():
            self.post_message(self.Submitted(self.text, self.editing))
            self.clear()

    def action_newline(self) -> None:
        """Break the line."""
        self.call_later(self.insert, "\n")

    def action_complete(self) -> None:
        """Complete a command; Tab moves on otherwise."""
        if self.text.startswith("/"):
            self.post_message(self.Completing())
        else:
            self.screen.focus_next()

    def action_earlier(self) -> None:
        """Move up; in the first line, to the earlier question."""
        if self._row:
            self.action_cursor_up()
        elif self._place:
            if self._place == len(self._earlier):
                self._new = self.text
            self._place -= 1
            self.put(self._earlier[self._place])

    def action_later(self) -> None:
        """Move down; in the last line, to the later question, and at last to what was typed before."""
        if self._row < self.wrapped_document.height - 1:
            self.action_cursor_down()
        elif self._place < len(self._earlier):
            self._place += 1
            self.put(self._earlier[self._place] if self._place < len(self._earlier) else self._new)

    @property
    def _row(self) -> int:
        """The line of the screen in which the cursor stands, counted from the text's first."""
        return self.wrapped_document.location_to_offset(self.cursor_location).y


def _in_short_lines(text: str) -> str:
    """Return `text` without control characters, its longest lines broken: at a space, where there is one."""
    lines = []
    for line in without_controls(text)[0].split("\n"):
        rest = line
        while len(rest) > _LONGEST_LINE:
            space = rest.rfind(" ", _LONGEST_LINE - _WORD, _LONGEST_LINE)
            end, begin = (space, space + 1) if space > 0 else (_LONGEST_LINE, _LONGEST_LINE)
            lines.append(rest[:end])
            rest = rest[begin:]
        lines.append(rest)
    return "\n".join(lines)
