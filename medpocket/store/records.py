"""What the history keeps: conversations, and their turns.

A turn is one question with its answer. A conversation is a tree of turns: each names the turn that it follows
(`parent`), so that a question asked anew in another way begins a branch, and nothing is overwritten.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum

from medpocket.types import ActiveAdapter, Evidence, GenerationStats, Sampling, StopReason, Turn

_ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is mistaken for another
_ID_LENGTH = 8
TITLE_LENGTH = 80


class State(str, Enum):
    """How far a turn came."""

    STREAMING = "streaming"  # the answer is being written, by a process that lives
    COMPLETE = "complete"
    STOPPED = "stopped"  # by the user, or because the process ended before the answer did
    FAILED = "failed"


class Rating(str, Enum):
    """What the clinician thought of an answer."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class AnsweredBy:
    """The model of an answer. `fingerprint` is equal for all quantizations of a model; `sha256` is of the file.

    `sha256` is empty where the file could not be read to hash it, and in turns of before that was done.
    """

    name: str
    quantization: str = ""
    fingerprint: str = ""
    sha256: str = ""
    demonstration: bool = False


@dataclass(frozen=True)
class Asked:
    """What is known of a turn when its answer begins. `line` is what its expert added to the question.

    `score`, `scores` and `evidence` are the router's; empty where it was not asked.
    """

    question: str
    model: AnsweredBy
    expert: str
    title: str = ""
    why: str = ""
    line: str = ""
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict, hash=False)
    evidence: tuple[Evidence, ...] = ()
    adapters: tuple[ActiveAdapter, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredTurn:
    """A question and its answer, as they are kept.

    `number` counts the turns of a conversation from 1 in the order in which they were asked, and is never given
    twice. `parent` is the number of the turn that this one follows, None for a first one. `row` is where it stands in
    the file: it means nothing outside, and an import gives new ones.
    `stop` and `stats` are None until the answer ends, and where the process ended before it.
    """

    conversation: str
    number: int
    parent: int | None
    state: State
    asked: Asked
    answer: str
    asked_at: datetime
    finished_at: datetime | None = None
    stop: StopReason | None = None
    stats: GenerationStats | None = None
    rating: Rating | None = None
    note: str = ""
    row: int = 0

    @property
    def id(self) -> str:
        """What a user types: the conversation's id and the turn's number."""
        return f"{self.conversation}.{self.number}"


@dataclass(frozen=True)
class Conversation:
    """What a list of conversations shows. `experts` are those that answered, each once, in order.

    `updated_at` orders the list; it never goes back, also where the clock does.
    """

    id: str
    title: str
    created_at: datetime
    updated_at: datetime
    turns: int
    expert: str = ""  # of the last turn
    demonstration: bool = False  # whether a demonstration model answered any turn
    signed: bool = False  # whether there is a signature, valid or void
    named: bool = False  # whether the title was given by the user


@dataclass(frozen=True)
class Signature:
    """That `signer` stood for the turn whose content had the hash `digest`, at that time."""

    conversation: str
    number: int
    signer: str
    signed_at: datetime
    digest: str


@dataclass(frozen=True)
class Found:
    """A turn that a search found. `snippet` is text around the matches, each between MARK_START and MARK_END."""

    turn: StoredTurn
    title: str
    snippet: str


@dataclass(frozen=True)
class Whole:
    """A conversation with all that belongs to it: what is exported, imported, deleted and brought back."""

    conversation: Conversation
    turns: Sequence[StoredTurn]
    signatures: Sequence[Signature] = ()


# Noncharacters, which Unicode keeps for use inside programs.
MARK_START, MARK_END = "\ufdd0", "\ufdd1"


def as_turns(branch: Sequence[StoredTurn]) -> tuple[Turn, ...]:
    """Return what an engine reads of earlier turns; a question that got no answer is left out."""
    return tuple(
        side
        for turn in branch
        if turn.answer
        for side in (
            Turn("user", turn.asked.question, line=turn.asked.line, expert=turn.asked.expert),
            Turn("assistant", turn.answer),
        )
    )


def new_id() -> str:
    """Return an id for a conversation: 8 letters and digits by chance, 40 bits."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))


def title_of(question: str) -> str:
    """Return the title of a conversation that begins with `question`: its first line, cut at a word."""
    line = " ".join(question.strip().split("\n", 1)[0].split())
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: TITLE_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def now() -> datetime:
    """Return the time of the clock, to the millisecond, in UTC."""
    return from_ms(int(datetime.now(timezone.utc).timestamp() * 1000))


def to_ms(time: datetime) -> int:
    """Return milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Return the time that `to_ms` made a number of."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
