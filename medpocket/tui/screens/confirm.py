"""Ask before something is done."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from medpocket.text import printable
from medpocket.tui.keys import CONFIRM, SCREEN, bindings


class Confirm(ModalScreen[bool]):
    """A question over what is there, and its two answers; Escape means no."""

    BINDINGS = bindings((*CONFIRM, *SCREEN))
    DEFAULT_CSS = """
    Confirm {
        align: center middle;
        #box { width: 72; max-width: 95%; height: auto; background: $surface; padding: 1 2; }
        OptionList, OptionList:focus { height: auto; border: none; background: $surface; padding: 0; }
        .heading { text-style: bold; }
        .text { margin-bottom: 1; }
    }
    """

    def __init__(self, heading: str, text: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._heading, self._text, self._yes, self._no = heading, text, yes, no

    def compose(self) -> ComposeResult:
        """The question, what follows from it, and the answers."""
        with Vertical(id="box"):
            yield Static(Content(printable(self._heading)), classes="heading")
            yield Static(Content(printable(self._text)), classes="text")
            yield OptionList(Option(Content(self._no), id="no"), Option(Content(self._yes), id="yes"))

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Close with the answer."""
        self.dismiss(event.option_id == "yes")

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)

    def action_close(self) -> None:
        """Do nothing."""
        self.dismiss(False)
