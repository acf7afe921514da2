"""What is to be deleted, and when."""

from medpocket.store.history import History
from medpocket.tui.services.deletions import HELD_S, Deletions
from tests.store.making import keep


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_due_goes_and_the_rest_waits() -> None:
    history, clock = History.open(), Clock()
    assert history
    first, second = (keep(history, question).conversation for question in ("One?", "Two?"))
    held = Deletions(clock)
    held.hold(first)
    clock.now = 4
    held.hold(second)
    assert held.seconds_left() == HELD_S - 4
    clock.now = HELD_S + 1
    assert held.carry_out(history, due_only=True).ids == (first,)
    assert history.ids() == [second]
    assert second in held and first not in held
    assert held.carry_out(history).ids == (second,)
    assert history.ids() == []
    history.close()


def test_the_last_one_is_taken_back_first_and_none_twice() -> None:
    held = Deletions(Clock())
    held.hold("one")
    held.hold("two")
    assert held.keep() and "two" not in held and "one" in held
    assert held.keep("one")
    assert not held.keep() and not held.keep("one")


def test_what_was_deleted_elsewhere_meanwhile_is_no_error() -> None:
    history, held = History.open(), Deletions(Clock())
    assert history
    held.hold("gone2345")
    assert held.carry_out(history).ids == ("gone2345",)
    history.close()
