"""A conversation as the app holds it: the exchanges that are shown, and what the next question goes on from."""

from dataclasses import dataclass, field

from medpocket.errors import MedpocketError
from medpocket.types import Finished, Routed, Turn


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


@dataclass
class Exchange:
    """A question, its answer as far as it has come, and the turns before it."""

    number: int
    question: str
    choice: Choice
    before: tuple[Turn, ...]
    model: str = ""
    text: str = ""
    pieces: int = 0
    routed: Routed | None = None
    notices: list[str] = field(default_factory=list)
    finished: Finished | None = None
    error: MedpocketError | None = None

    @property
    def is_open(self) -> bool:
        """Whether its answer is still to come, or coming."""
        return self.finished is None and self.error is None


class Conversation:
    """The exchanges of the current branch, the oldest first."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    @property
    def last(self) -> Exchange | None:
        return self.exchanges[-1] if self.exchanges else None

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What the next question goes on from: the turns behind the last answer."""
        for exchange in reversed(self.exchanges):
            if exchange.finished and exchange.finished.turns:
                return exchange.finished.turns
        return ()

    def find(self, number: int) -> Exchange | None:
        return next((one for one in reversed(self.exchanges) if one.number == number), None)
