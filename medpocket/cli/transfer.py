"""How far a download, a copy or a check is: a bar with rate and time left, or a line now and then."""

import shutil
import time

from medpocket.cli import diagnostics
from medpocket.models.pace import Pace

_BAR_WIDTH = 24
_LINE_EVERY_S = 30.0
_DONE, _LEFT = "#", "-"


class Transfer:
    """Shows bytes done of a whole on stderr. `doing` begins the line: "fetching x.gguf"."""

    def __init__(self, doing: str, size: int) -> None:
        self.doing = doing
        self._pace = Pace(size)
        self._line_at = time.monotonic()

    def show(self, done: int) -> None:
        """Show that `done` bytes are there."""
        self._pace.reached(done)
        if not diagnostics.status(self._line()) and time.monotonic() - self._line_at > _LINE_EVERY_S:
            self._line_at = time.monotonic()
            diagnostics.notice(self._line(bar=False))

    def _line(self, bar: bool = True) -> str:
        """Say it in one line, as wide as the terminal at most."""
        text = self._pace.words
        filled = int(self._pace.share * _BAR_WIDTH)
        drawn = f" [{_DONE * filled}{_LEFT * (_BAR_WIDTH - filled)}]" if bar else ":"
        room = shutil.get_terminal_size().columns - len(text) - len(drawn) - 2
        doing = self.doing if len(self.doing) <= room or not bar else self.doing[: max(0, room - 1)] + "…"
        return f"{doing}{drawn} {text}"
