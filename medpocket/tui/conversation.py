"""A conversation as the app holds it: a tree of exchanges, and the branch of it that is shown."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count

from medpocket.errors import MedpocketError
from medpocket.types import GenerationStats, Route, Routed, StopReason, Turn

_numbers = count(1)


@dataclass(frozen=True)
class Choice:
    """Who is to answer: whoever the question is routed to, one expert, or the base model."""

    expert: str | None = None
    route: bool = True

    @property
    def experts(self) -> tuple[tuple[str, float], ...]:
        return ((self.expert, 1.0),) if self.expert else ()

    def __str__(self) -> str:
        return self.expert or ("routed" if self.route else "no expert")


@dataclass(eq=False, repr=False)
class Exchange:
    """A question and its answer as far as it has come.

    `number` is the app's own; `stored` is its number in the history, None where it is not kept. `foreign` ones come
    from the history: another window asks, or asked, them. `turns` are what a question after it goes on from; empty
    until the answer has ended.
    """

    question: str
    choice: Choice
    parent: "Exchange | None" = None
    number: int = field(default_factory=lambda: next(_numbers))
    stored: int | None = None
    foreign: bool = False
    model: str = ""
    demonstration: bool = False
    asked_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    text: str = ""
    pieces: int = 0
    routed: Routed | None = None
    route: Route | None = None
    notices: list[str] = field(default_factory=list)
    is_open: bool = True
    stop: StopReason | None = None
    stats: GenerationStats | None = None
    turns: tuple[Turn, ...] = ()
    error: MedpocketError | None = None
    rating: str = ""
    note: str = ""
    signed: str = ""  # who signed it, in words

    @property
    def before(self) -> tuple[Turn, ...]:
        """The turns that its question follows."""
        return self.parent.after if self.parent else ()

    @property
    def after(self) -> tuple[Turn, ...]:
        """The turns that a question after it follows; where it has no answer, those before it."""
        return self.turns or self.before


class Conversation:
    """All exchanges in the order in which they were asked; `leaf` is the last of the branch that is shown.

    `id` is the history's, None while nothing of it is kept. `beside` is another version of the leaf, shown next to it.
    """

    def __init__(self, exchanges: Iterable[Exchange] = (), id_: str | None = None) -> None:
        self.exchanges: list[Exchange] = list(exchanges)
        self.id = id_
        self.leaf: Exchange | None = self.exchanges[-1] if self.exchanges else None
        self.beside: Exchange | None = None

    @property
    def branch(self) -> list[Exchange]:
        """The exchanges that are shown, the oldest first."""
        return list(_up_from(self.leaf))[::-1]

    @property
    def open(self) -> list[Exchange]:
        """Those whose answer is still to come, or coming."""
        return [one for one in self.exchanges if one.is_open]

    def add(self, exchange: Exchange) -> None:
        """Take a new exchange, and show the branch that ends with it."""
        self.exchanges.append(exchange)
        self.leaf = exchange

    def find(self, number: int) -> Exchange | None:
        return next((one for one in reversed(self.exchanges) if one.number == number), None)

    def versions(self, exchange: Exchange) -> Sequence[Exchange]:
        """The exchanges that follow the same one as `exchange`, itself among them."""
        return [one for one in self.exchanges if one.parent is exchange.parent]

    def show(self, exchange: Exchange) -> None:
        """Show the branch through `exchange` that was last gone on with."""
        self.beside = None
        self.leaf = next(one for one in reversed(self.exchanges) if exchange in _up_from(one))


def _up_from(exchange: Exchange | None) -> Iterator[Exchange]:
    while exchange:
        yield exchange
        exchange = exchange.parent
