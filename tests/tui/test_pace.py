"""How long the screen waits with an answer, counted by a clock that the test moves."""

import pytest

from medpocket.tui.widgets.pace import LONGEST_S, SHARE, Pace


class Clocks:
    """The time of day, and what the thread has spent of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.spent = 1000.0, 5.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("time.thread_time", lambda: self.spent)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


def test_the_first_words_are_shown_at_once(clocks: Clocks) -> None:
    assert Pace().wait() <= 0
    assert clocks.spent == 5.0


def test_what_showing_cost_is_waited_for_in_proportion(clocks: Clocks) -> None:
    pace = Pace()
    pace.shown()
    clocks.spent += 0.006
    assert pace.wait() == pytest.approx(0.006 / SHARE)
    clocks.now += 0.1
    assert pace.wait() == pytest.approx(0.006 / SHARE - 0.1)
    clocks.now += 1
    assert pace.wait() <= 0


def test_nothing_waits_longer_than_the_longest(clocks: Clocks) -> None:
    pace = Pace()
    pace.shown()
    clocks.spent += 3
    assert pace.wait() == LONGEST_S
