"""A list of any length: it draws the rows that are on the screen, and asks for those it does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from medpocket.text import printable

_LINES = 2  # a row
_LONGEST = 500  # characters of a line that are looked at
_AHEAD = 40  # rows that are asked for around one that is missing


@dataclass(frozen=True)
class Row:
    """What stands in a row's two lines; `struck` where it is about to go."""

    title: str
    words: str
    struck: bool = False


class PagedList(ScrollView, can_focus=False):
    """Knows the keys of all rows, and what stands in some of them. The screen moves the highlight."""

    COMPONENT_CLASSES = {"list--title", "list--words", "list--here", "list--here-words"}  # noqa: RUF012
    DEFAULT_CSS = """
    PagedList {
        height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; background: $background;
        .list--title { color: $foreground; }
        .list--words { color: $text-muted; }
        .list--here { color: $foreground; background: $panel; text-style: bold; }
        .list--here-words { color: $text-muted; background: $panel; }
    }
    """

    @dataclass
    class Missing(Message):
        """These rows came into view, or near it, and are not known."""

        keys: list[str]

    @dataclass
    class Moved(Message):
        """Another row is highlighted, or none."""

        key: str | None

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, PagedList.Moved)

    @dataclass
    class Chosen(Message):
        """A row was clicked twice."""

        key: str

    def __init__(self) -> None:
        super().__init__()
        self._keys: Sequence[str] = ()
        self._rows: Mapping[str, Row] = {}
        self._here = 0
        self._wanted: list[int] = []

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def highlighted(self) -> str | None:
        """The key of the highlighted row."""
        return self._keys[self._here] if self._keys else None

    @property
    def position(self) -> int:
        """The place of the highlighted row, from 0."""
        return self._here

    def set_keys(self, keys: Sequence[str], rows: Mapping[str, Row], *, from_top: bool) -> None:
        """Show other rows; unless `from_top`, the highlighted one stays so, or what has come into its place.

        No Moved is posted: whoever calls this looks at what is highlighted then.
        """
        before = self.highlighted
        place = 0
        if not from_top and before is not None:
            place = keys.index(before) if before in keys else self._here
        self._keys, self._rows = keys, rows
        self.virtual_size = Size(self.size.width, len(keys) * _LINES)
        if from_top:
            self.scroll_to(y=0, animate=False, immediate=True)
        self._go_to(place)
        self.refresh()

    def set_rows(self, rows: Mapping[str, Row]) -> None:
        """Take what stands in the rows, those of before among them."""
        self._rows = rows
        self.refresh()

    def move(self, rows: int) -> None:
        """Move the highlight down, or with a number below 0 up."""
        self.move_to(self._here + rows)

    def move_page(self, pages: int) -> None:
        """Move it by what the screen holds."""
        self.move(pages * max(1, self.scrollable_content_region.height // _LINES - 1))

    def move_to(self, place: int) -> None:
        """Highlight the row of a place, or the nearest."""
        before = self.highlighted
        self._go_to(place)
        if self.highlighted != before:
            self.refresh()
            self.post_message(self.Moved(self.highlighted))

    def render_line(self, y: int) -> Strip:
        """Draw a line of those on the screen."""
        width = self.size.width
        place, line = divmod(y + self.scroll_offset.y, _LINES)
        if place >= len(self):
            return Strip.blank(width, self.rich_style)
        row = self._rows.get(self._keys[place])
        if row is None:
            self._want(place)
        here = place == self._here
        kind = ("list--here" if here else "list--title", "list--here-words" if here else "list--words")[line]
        style = self.get_component_rich_style(kind)
        text = "" if row is None else row.title if line == 0 else row.words
        struck = Style(strike=bool(row and row.struck and line == 0))
        margin = Segment("▌ " if here else "  ", style)
        drawn = Segment(_fitted(text or ("…" if line == 0 else ""), width - 3), style + struck)
        return Strip([margin, drawn]).adjust_cell_length(width, style)

    def on_click(self, event: events.Click) -> None:
        """Highlight what was clicked; a second click chooses it."""
        place = (event.y + self.scroll_offset.y) // _LINES
        if place < len(self):
            self.move_to(place)
            if event.chain == 2:
                self.post_message(self.Chosen(self._keys[place]))

    def _go_to(self, place: int) -> None:
        self._here = max(0, min(place, len(self) - 1))
        self.scroll_to_region(Region(0, self._here * _LINES, 1, _LINES), animate=False, force=True, immediate=True)

    def _want(self, place: int) -> None:
        if not self._wanted:
            self.call_after_refresh(self._ask)
        self._wanted.append(place)

    def _ask(self) -> None:
        """Ask once for all that one drawing missed."""
        around = self._keys[max(0, min(self._wanted) - _AHEAD) : max(self._wanted) + _AHEAD]
        self._wanted.clear()
        keys = [key for key in around if key not in self._rows]
        if keys:
            self.post_message(self.Missing(keys))


def _fitted(text: str, width: int) -> str:
    """Make one line of data: no control characters, no second line, no more than fits."""
    line = Text(" ".join(printable(text[:_LONGEST]).split()), end="")
    line.truncate(max(0, width), overflow="ellipsis")
    return line.plain
