"""Write the conversation into a new file."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.keys import SCREEN, bindings

_FORMS = {
    "md": ("Markdown", "md"),
    "txt": ("Plain text", "txt"),
    "soap": ("Draft of a note (SOAP), four headings to fill in", "md"),
    "json": ("JSON, for `medpocket history import`", "json"),
}


class ExportScreen(ModalScreen[None]):
    """Stays until the file is written, or Escape."""

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    ExportScreen {
        align: center middle;
        #box { width: 76; max-width: 95%; height: auto; background: $surface; padding: 1 2; }
        OptionList, OptionList:focus { height: auto; border: none; background: $surface; padding: 0; }
        Input { margin: 1 0; }
        .heading { text-style: bold; margin-bottom: 1; }
        .saying { color: $text-warning; height: auto; }
    }
    """

    def __init__(self, name: str, write: Callable[[Path, str], Awaitable[None]]) -> None:
        super().__init__()
        self._name, self._write = name, write

    def compose(self) -> ComposeResult:
        """The forms, the file, and what went wrong."""
        with Vertical(id="box"):
            yield Static(Content("Export the conversation: Enter writes a new file"), classes="heading")
            yield OptionList(*(Option(Content(title), id=form) for form, (title, _) in _FORMS.items()))
            yield Input(self._name, compact=True, placeholder="file")
            yield Static(Content("Readable by you alone. It holds what was asked."), classes="saying")

    def on_mount(self) -> None:
        """Stand on the form that the name asks for."""
        self.query_one(OptionList).highlighted = 0
        self._take_ending()

    @property
    def form(self) -> str:
        """The form that is chosen."""
        option = self.query_one(OptionList).highlighted_option
        return (option.id if option else None) or "md"

    @on(OptionList.OptionHighlighted)
    def _give_ending(self) -> None:
        field = self.query_one(Input)
        stem, dot, ending = field.value.rpartition(".")
        if dot and ending in ("md", "txt", "json"):
            field.value = f"{stem}.{_FORMS[self.form][1]}"

    @on(Input.Changed)
    def _take_ending(self) -> None:
        ending = Path(self.query_one(Input).value).suffix[1:].lower()
        if ending in _FORMS and ending != _FORMS[self.form][1]:
            self.query_one(OptionList).highlighted = list(_FORMS).index(ending)

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    async def write(self) -> None:
        """Write the file, and close; say why where it cannot be written."""
        name = self.query_one(Input).value.strip()
        if not name:
            return
        try:
            await self._write(Path(name).expanduser(), self.form)
        except (MedpocketError, RuntimeError) as error:  # RuntimeError: a home that is not known
            told = f"{error.message}\n{error.hint}" if isinstance(error, MedpocketError) else "there is no such home"
            self.query_one(".saying", Static).update(Content(printable(told)))
            return
        self.dismiss()

    def action_close(self) -> None:
        """Write nothing."""
        self.dismiss()
