"""A screen with a table, and beside or below it all about the row that is highlighted."""

from collections.abc import Sequence
from typing import TypeVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.screens.base import InfoScreen
from medpocket.tui.services.in_thread import in_thread

Found = TypeVar("Found")

Labelled = Sequence[tuple[str, str]]  # a label, '' for none, and what it is


class ListScreen(InfoScreen[Found]):
    """`show` gives the rows to `set_rows`; `details` says all about one of them, in a thread."""

    COLUMNS: Sequence[str] = ()
    DEFAULT_CSS = """
    ListScreen {
        .split { height: 1fr; layout: vertical; }
        DataTable { height: 1fr; background: $background; padding: 0 1; }
        &.-flat .details { display: none; }
        .details { height: 1fr; padding: 0 2; border-top: solid $panel; }
        .details:focus { border-top: solid $border; }
        .details .text { max-width: 96; }
        &.-wide .split { layout: horizontal; }
        &.-wide DataTable { width: auto; max-width: 60%; height: 1fr; }
        &.-wide .details { width: 1fr; height: 1fr; border-top: none; border-left: vkey $panel; }
        &.-wide .details:focus { border-left: vkey $border; }
    }
    """

    def compose_body(self) -> ComposeResult:
        """The table, and the place for what it is about."""
        with Container(classes="split"):
            yield DataTable(cursor_type="row", zebra_stripes=False)
            with VerticalScroll(classes="details"):
                yield Static(classes="text")

    def set_rows(self, rows: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Show rows, each a key and its cells; the row that was highlighted stays so where it is still there."""
        table = self.query_one(DataTable)
        before = self.highlighted
        table.clear(columns=True)
        for column in self.COLUMNS:
            table.add_column(_cell(column))
        for key, cells in rows:
            table.add_row(*map(_cell, cells), key=key)
        keys = [key for key, _ in rows]
        if before in keys:
            table.move_cursor(row=keys.index(before))

    @property
    def highlighted(self) -> str | None:
        """The key of the highlighted row."""
        table = self.query_one(DataTable)
        if not table.is_valid_coordinate(table.cursor_coordinate):
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    def details(self, key: str) -> Labelled:
        """Find out all about a row, in a thread. Raises MedpocketError."""
        raise NotImplementedError

    @on(DataTable.RowHighlighted)
    def _another_row(self) -> None:
        self.show_details()
        self.refresh_bindings()

    @work(exclusive=True, group="details")
    async def show_details(self) -> None:
        """Say all about the highlighted row."""
        key = self.highlighted
        lines: Labelled = ()
        if key is not None:
            try:
                lines = await in_thread(self.details, key)
            except MedpocketError as error:
                lines = [("problem", error.message), ("", error.hint)]
        self.query_one(".details .text", Static).update(labelled(lines))


def labelled(lines: Labelled) -> Content:
    """Lay out a line for each."""
    parts = [
        Content.assemble((f"{printable(label)}  " if label else "", "$text-primary"), printable(text))
        for label, text in lines
    ]
    return Content("\n").join(parts)


def _cell(text: str) -> Text:
    return Text(printable(text), no_wrap=True)  # a plain string would be read as markup
