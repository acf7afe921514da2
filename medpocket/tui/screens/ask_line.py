"""Ask the user for one line: a note, a passphrase."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from medpocket.tui.keys import SCREEN, bindings


class AskLine(ModalScreen["str | None"]):
    """A box over what is there; Enter takes the line, Escape changes nothing."""

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    AskLine {
        align: center middle;
        #box { width: 76; max-width: 95%; height: auto; background: $surface; padding: 1 2; }
        .heading { text-style: bold; margin-bottom: 1; }
    }
    """

    def __init__(self, heading: str, value: str = "", *, hidden: bool = False) -> None:
        super().__init__()
        self._heading, self._value, self._hidden = heading, value, hidden

    def compose(self) -> ComposeResult:
        """Heading and line."""
        with Vertical(id="box"):
            yield Static(Content(self._heading), classes="heading")
            yield Input(self._value, password=self._hidden, compact=True)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Close with the line."""
        self.dismiss(event.value)

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)
