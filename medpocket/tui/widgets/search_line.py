"""The line for what is looked for. Its keys up and down move through what was found."""

from textual.widgets import Input

from medpocket.tui.keys import SEARCH, bindings


class SearchLine(Input):
    """One line; the screen has the list that it searches, and moves through it."""

    BINDINGS = bindings(SEARCH)
    DEFAULT_CSS = """
    SearchLine.-textual-compact, SearchLine.-textual-compact:focus {
        padding: 0 2; border: none; height: 1; background: $surface;
    }
    """

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, id="search")
