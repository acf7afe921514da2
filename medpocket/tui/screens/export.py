"""Write the conversation into a new file."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.keys import SCREEN, bindings
from medpocket.tui.widgets.yes_or_no import YesOrNo

Write = Callable[[Path, str, bool], Awaitable[Sequence[str]]]

_FORMS = {
    "md": ("Markdown", "md"),
    "txt": ("Plain text", "txt"),
    "soap": ("Draft of a note (SOAP), four headings to fill in", "md"),
    "json": ("JSON, for `medpocket history import`", "json"),
}


class ExportScreen(ModalScreen[None]):
    """Stays until the file is written, or Escape.

    `write(path, form, deidentified)` writes it, and returns the lines that the user must read then, if any.
    """

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    ExportScreen {
        align: center middle;
        #box { width: 76; max-width: 95%; height: auto; background: $surface; padding: 1 2; }
        OptionList, OptionList:focus { height: auto; border: none; background: $surface; padding: 0; }
        Input { margin: 1 0; }
        YesOrNo { margin: 0 0 1 0; background: $surface; }
        VerticalScroll { height: auto; max-height: 16; }
        .heading { text-style: bold; margin-bottom: 1; }
        .saying { color: $text-warning; height: auto; }
    }
    """

    def __init__(self, name: str, write: Write) -> None:
        super().__init__()
        self._name, self._write = name, write

    def compose(self) -> ComposeResult:
        """The forms, the file, and what went wrong."""
        with Vertical(id="box"):
            yield Static(Content("Export the conversation: Enter writes a new file"), classes="heading")
            yield OptionList(*(Option(Content(title), id=form) for form, (title, _) in _FORMS.items()))
            yield Input(self._name, compact=True, placeholder="file")
            yield YesOrNo("Put placeholders for names, dates, numbers and addresses", compact=True)
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
        """Write the file, and close when all is read; say why where it cannot be written."""
        if not self.query(Input):  # Enter was pressed twice, and it is written
            return
        name = self.query_one(Input).value.strip()
        if not name:
            return
        try:
            to_read = await self._write(Path(name).expanduser(), self.form, self.query_one(YesOrNo).value)
        except (MedpocketError, RuntimeError) as error:  # RuntimeError: a home that is not known
            told = f"{error.message}\n{error.hint}" if isinstance(error, MedpocketError) else "there is no such home"
            self.query_one(".saying", Static).update(Content(printable(told)))
            return
        if to_read:
            await self._show(to_read)
        else:
            self.dismiss()

    async def _show(self, lines: Sequence[str]) -> None:
        box = self.query_one("#box")
        await box.remove_children()
        text = VerticalScroll(Static(Content("\n".join(map(printable, lines)))))
        await box.mount(Static(Content("It is written. Escape closes this."), classes="heading"), text)
        text.focus()

    def action_close(self) -> None:
        """Write nothing, or nothing more."""
        self.dismiss()
