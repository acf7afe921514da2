"""How fast bytes come, how long the rest takes, and both in words for people."""

import time
from collections import deque

_WINDOW_S = 10.0  # what the rate is taken over
_LEAST_S = 0.2  # before which a rate says nothing


class Pace:
    """Follows the bytes that are done of `size`."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.done = 0
        self._seen: deque[tuple[float, int]] = deque()

    def reached(self, done: int) -> None:
        """Note that so many bytes are there now."""
        now = time.monotonic()
        if self._seen and done < self._seen[-1][1]:  # begun anew
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        self.done = done

    @property
    def share(self) -> float:
        return self.done / self.size if self.size else 1.0

    @property
    def rate(self) -> float | None:
        """Bytes a second; None where that is not known yet."""
        if not self._seen:
            return None
        (began, first), (now, _) = self._seen[0], self._seen[-1]
        return (self.done - first) / (now - began) if self.done > first and now - began >= _LEAST_S else None

    @property
    def words(self) -> str:
        """Say how far it is, and where the rate is known how fast and how long still."""
        text = f"{amount(self.done)} of {amount(self.size)}, {self.share:.0%}"
        if self.rate is None:
            return text
        return f"{text}, {self.rate / 1e6:,.1f} MB/s, {duration((self.size - self.done) / self.rate)} left"


def amount(count: int) -> str:
    """Write a number of bytes as people read it."""
    return f"{count / 1e9:.2f} GB" if count >= 10**8 else f"{count / 1e6:.1f} MB"


def duration(seconds: float) -> str:
    """Write a time as people read it."""
    whole = int(seconds + 0.5)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
