"""What every screen beside the chat shares, and how it gets what it shows.

A screen names a plain function of `tui/services` in `fetch` and draws its result in `show`:

    class ModelsScreen(InfoScreen[list[ModelRow]]):
        HEADING = "Models"

        def fetch(self) -> list[ModelRow]:          # in a thread; may take its time, may raise MedpocketError
            return models.rows()

        async def show(self, found: list[ModelRow]) -> None:     # in the event loop
            self.query_one(DataTable)...

What changes something is called the same way: `await in_thread(models.remove, name)`, then `self.reload()`.
"""

from typing import Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.messages import Prune
from textual.screen import Screen
from textual.widgets import Static

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.keys import SCREEN, bindings
from medpocket.tui.services.in_thread import in_thread
from medpocket.tui.widgets.key_line import KeyLine
from medpocket.tui.widgets.too_small import HEIGHTS, WIDTHS, TooSmall

Found = TypeVar("Found")


class InfoScreen(Screen[None], Generic[Found]):
    """A heading, a body, a line for what goes wrong, and the keys."""

    HEADING = ""
    NOTE = ""  # beside the heading
    BINDINGS = bindings(SCREEN)
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    DEFAULT_CSS = """
    InfoScreen {
        &.-flat Footer, &.-flat .heading { display: none; }
        .heading { height: 1; padding: 0 2; background: $panel; color: $text-muted; text-wrap: nowrap; }
        .body { padding: 1 2; }
        .saying { height: auto; padding: 0 2; color: $text-warning; }
    }
    """

    def compose(self) -> ComposeResult:
        """Heading, body, complaint, keys."""
        yield Static(Content.assemble((self.HEADING, "bold $text-primary"), f"   {self.NOTE}"), classes="heading")
        yield TooSmall()
        yield from self.compose_body()
        yield Static(classes="saying")
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """What the screen is for; a place for text, unless a screen has its own."""
        with VerticalScroll(classes="body"):
            yield Static(classes="text")

    def on_mount(self) -> None:
        """Get what is to be shown."""
        self.reload()

    @on(Prune)
    def _stop_workers(self) -> None:
        """Stop what is still being found out: Textual takes the widgets away first, and stops it only then."""
        self.workers.cancel_node(self)

    @work(exclusive=True)
    async def reload(self) -> None:
        """Fetch in a thread, then show; say what went wrong instead."""
        try:
            found = await in_thread(self.fetch)
        except MedpocketError as error:
            self.say(f"{error.message}\n{error.hint}")
            return
        self.say("")
        await self.show(found)

    def fetch(self) -> Found:
        """Find out what is to be shown, in a thread. Raises MedpocketError."""
        raise NotImplementedError

    async def show(self, found: Found) -> None:
        """Draw it."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Show a line above the keys, or take it away."""
        self.query_one(".saying", Static).update(Content(printable(text)))

    def action_reload(self) -> None:
        """Find out anew what is shown."""
        self.reload()

    def action_close(self) -> None:
        """Go back to where the user came from."""
        self.dismiss()
