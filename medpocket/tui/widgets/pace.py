"""How often an answer that comes is shown: what this costs is missing where the next word is computed."""

import time

SHARE = 0.02  # of the thread's time may go into showing
LONGEST_S = 1.0  # later than this nothing is shown, whatever it costs (a table), or the thread does beside (keys)


class Pace:
    """Tells how long to wait with what is to be shown next, from what showing has cost since the last time."""

    def __init__(self) -> None:
        self._at = -LONGEST_S
        self._spent = time.thread_time()

    def shown(self) -> None:
        """Count anew from here."""
        self._at, self._spent = time.monotonic(), time.thread_time()

    def wait(self) -> float:
        """Seconds from now until more may be shown; not above 0 where that is now."""
        cost = time.thread_time() - self._spent  # what the last time led to comes after it: layout, painting
        return min(LONGEST_S, cost / SHARE) - (time.monotonic() - self._at)
