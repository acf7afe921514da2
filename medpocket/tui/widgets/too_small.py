"""What is said where the terminal is too small."""

from textual.content import Content
from textual.widgets import Static

COLUMNS, ROWS = 40, 12  # the least

# How a screen is called by its size; `too_small` ones show the line.
WIDTHS = [(0, "-tiny"), (COLUMNS, "-narrow"), (120, "-wide")]
HEIGHTS = [(0, "-flat"), (ROWS, "-low"), (30, "-high")]


class TooSmall(Static):
    """One line of at most 20 characters, there only where it is needed."""

    DEFAULT_CSS = """
    TooSmall { display: none; height: 1; }
    Screen.-flat TooSmall, Screen.-tiny TooSmall { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(Content(f"needs at least {COLUMNS}x{ROWS}"), id="too-small")
