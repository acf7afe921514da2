"""Change one setting; what is wrong with a value is said beside it."""

from collections.abc import Callable, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.keys import SCREEN, bindings
from medpocket.tui.services.in_thread import in_thread


class EditSetting(ModalScreen["str | None"]):
    """A line, or a list where there is little to choose; gives what was taken, None where nothing changed.

    `take` writes what was typed; it is called in a thread, and whatever it raises is shown and leaves the box open.
    """

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    EditSetting {
        align: center middle;
        #box { width: 76; max-width: 95%; height: auto; max-height: 95%; background: $surface; padding: 1 2; }
        .heading { text-style: bold; }
        .must, .hint { color: $text-muted; }
        .must { margin-bottom: 1; }
        .wrong { color: $text-warning; height: auto; }
        .hint { margin-top: 1; }
        OptionList { height: auto; background: $surface; padding: 0; }
        OptionList, OptionList:focus { border: none; }
    }
    """

    def __init__(
        self, heading: str, must_be: str, value: str, choices: Sequence[str], take: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._heading, self._must_be = heading, must_be
        self._value, self._choices, self._take = value, choices, take

    def compose(self) -> ComposeResult:
        """What is changed, its value, what is wrong with it, and the keys."""
        with Vertical(id="box"):
            yield Static(Content(printable(self._heading)), classes="heading")
            yield Static(Content(f"must be {printable(self._must_be)}"), classes="must")
            if self._choices:
                yield OptionList(*[Option(Content(word)) for word in self._choices])
            else:
                yield Input(printable(self._value), compact=True)
            yield Static(classes="wrong")
            yield Static(Content("Enter takes it. Escape changes nothing."), classes="hint")

    def on_mount(self) -> None:
        """Stand on the present value."""
        if self._value in self._choices:
            self.query_one(OptionList).highlighted = self._choices.index(self._value)

    @on(Input.Submitted)
    def take_line(self, event: Input.Submitted) -> None:
        """Take what was typed."""
        self._try(event.value)

    @on(OptionList.OptionSelected)
    def take_choice(self, event: OptionList.OptionSelected) -> None:
        """Take what was chosen."""
        self._try(self._choices[event.option_index])

    @on(Input.Changed)
    def forget_what_was_wrong(self) -> None:
        """A value that is being changed is not wrong yet."""
        self.query_one(".wrong", Static).update()

    @work(exclusive=True)
    async def _try(self, text: str) -> None:
        try:
            await in_thread(self._take, text)
        except MedpocketError as error:
            self.query_one(".wrong", Static).update(Content(printable(f"{error.message}\n{error.hint}")))
        else:
            self.dismiss(text)

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)
