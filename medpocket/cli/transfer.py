"""How far a download, a copy or a check is: a bar with rate and time left, or a line now and then."""

import shutil
import time
from collections import deque

from medpocket.cli import diagnostics

_BAR_WIDTH = 24
_WINDOW_S = 10.0  # what the rate is taken over
_LINE_EVERY_S = 30.0
_DONE, _LEFT = "#", "-"


class Transfer:
    """Shows bytes done of a whole on stderr. `doing` begins the line: "fetching x.gguf"."""

    def __init__(self, doing: str, size: int) -> None:
        self.doing, self.size = doing, size
        self._seen: deque[tuple[float, int]] = deque()
        self._line_at = time.monotonic()

    def show(self, done: int) -> None:
        """Show that `done` bytes are there."""
        now = time.monotonic()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        if not diagnostics.status(self.line(done)) and now - self._line_at > _LINE_EVERY_S:
            self._line_at = now
            diagnostics.notice(self.line(done, bar=False))

    def line(self, done: int, bar: bool = True) -> str:
        """Say it in one line, as wide as the terminal at most."""
        share = done / self.size if self.size else 1.0
        text = f"{gigabytes(done)} of {gigabytes(self.size)}, {share:.0%}{self._rate(done)}"
        filled = int(share * _BAR_WIDTH)
        drawn = f" [{_DONE * filled}{_LEFT * (_BAR_WIDTH - filled)}]" if bar else ":"
        room = shutil.get_terminal_size().columns - len(text) - len(drawn) - 2
        doing = self.doing if len(self.doing) <= room or not bar else self.doing[: max(0, room - 1)] + "…"
        return f"{doing}{drawn} {text}"

    def _rate(self, done: int) -> str:
        (began, first), (now, _) = self._seen[0], self._seen[-1]
        if done <= first or now - began < 0.2:
            return ""
        rate = (done - first) / (now - began)
        return f", {rate / 1e6:,.1f} MB/s, {duration((self.size - done) / rate)} left"


def gigabytes(count: int) -> str:
    """Write a number of bytes as people read it."""
    return f"{count / 1e9:.2f} GB" if count >= 10**8 else f"{count / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """Write a time as people read it."""
    whole = int(seconds + 0.5)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
