"""What stands over a locked history."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from medpocket.tui.keys import SCREEN, bindings


class LockScreen(Screen["str | None"]):
    """Hides the conversation; asks for the passphrase. Escape goes on without a history."""

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    LockScreen {
        align: center middle;
        #box { width: 64; max-width: 95%; height: auto; padding: 1 2; }
        .heading { text-style: bold; margin-bottom: 1; }
        .hint { color: $text-muted; margin-top: 1; }
    }
    """

    def compose(self) -> ComposeResult:
        """Heading, passphrase, what else can be done."""
        with Vertical(id="box"):
            yield Static(Content("The history is locked"), classes="heading")
            yield Input(password=True, compact=True, placeholder="passphrase")
            yield Static(Content("Enter opens it. Escape goes on without it: nothing is kept then."), classes="hint")

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Close with the passphrase."""
        if event.value:
            self.dismiss(event.value)

    def action_close(self) -> None:
        """Go on without a history."""
        self.dismiss(None)
