"""What is going on with the files of models, a line each."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from medpocket.text import printable
from medpocket.tui.services.transfers import Transfer

_WIDEST_BAR, _NARROWEST_BAR = 40, 8


class TransferLines(Static):
    """Takes no room while nothing is going on."""

    DEFAULT_CSS = """
    TransferLines { height: auto; padding: 0 2; display: none; }
    TransferLines.-going-on { display: block; }
    """

    def show(self, transfers: Sequence[Transfer], loading: str) -> None:
        """Show how far each is; `loading` says which model is on its way into memory, '' for none."""
        lines = [self._line(one) for one in transfers]
        if loading:
            lines.append(Content(printable(loading)))
        self.set_class(bool(lines), "-going-on")
        self.update(Content("\n").join(lines))

    def _line(self, transfer: Transfer) -> Content:
        """Say it with a bar as wide as there is room; on two lines where there is none."""
        what, words = printable(f"{transfer.doing} {transfer.model} "), printable(f" {transfer.words}")
        room = self.app.size.width - 4
        width = min(_WIDEST_BAR, room - len(what) - len(words))
        between = ""
        if width < _NARROWEST_BAR:
            width, between = min(_WIDEST_BAR, max(0, room - len(what))), "\n"
        filled = round(transfer.share * width)
        return Content.assemble(
            what, ("━" * filled, "$text-primary"), ("─" * (width - filled), "$text-muted"), between, words
        )
