"""What the rooms hand to each other: frozen values and the events of one answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

Role = Literal["user", "assistant"]
StopReason = Literal["end", "length", "context", "cancelled"]


@dataclass(frozen=True)
class Turn:
    """One side's words in a conversation.

    `line` is what its expert adds to a user's turn; it is read right after `text`, and with `apart` in a batch of its
    own, so that other experts can answer the same question without reading it again.
    `ids` are the token ids as they were generated, by the model with the fingerprint `model`; a turn that has them is
    never tokenized again for that model. `expert` is who was asked, on a user's turn.
    """

    role: Role
    text: str
    ids: tuple[int, ...] | None = None
    line: str = ""
    expert: str = ""
    apart: bool = False
    model: str = ""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; the names are llama.cpp's."""

    temperature: float = 0.2
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_last_n: int = 256
    max_tokens: int = 512
    seed: int | None = None


@dataclass(frozen=True)
class GenerationStats:
    """What one answer cost. Times in seconds, rates in tokens per second, memory in bytes.

    `adapter_switches` counts how often the set of active adapters was changed for it.
    """

    prompt_tokens: int
    cached_tokens: int
    evaluated_tokens: int
    answer_tokens: int
    prefill_s: float
    decode_s: float
    time_to_first_token_s: float
    peak_memory_bytes: int
    seed: int
    adapter_switches: int = 0

    @property
    def prefill_rate(self) -> float:
        return self.evaluated_tokens / self.prefill_s if self.prefill_s > 0 else 0.0

    @property
    def decode_rate(self) -> float:
        """Tokens after the first, over the time that they took."""
        return (self.answer_tokens - 1) / self.decode_s if self.decode_s > 0 and self.answer_tokens > 1 else 0.0


@dataclass(frozen=True)
class ActiveAdapter:
    """A LoRA that answers: its expert, the hash of its file, and how much it counts."""

    expert: str
    sha256: str
    scale: float


@dataclass(frozen=True)
class Evidence:
    """A term that spoke for an expert, and by how much, in logits."""

    term: str
    weight: float


@dataclass(frozen=True)
class Route:
    """Where a text belongs: `expert` is "general" where no specialty fits.

    `scores` are every expert's share of the certainty, their sum is 1; `score` is that of `expert`. `note` says why
    the text was not read, or not all of it.
    """

    expert: str
    score: float
    scores: Mapping[str, float] = field(hash=False)
    evidence: tuple[Evidence, ...] = ()
    note: str = ""

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Experts and scores, the best first."""
        return sorted(self.scores.items(), key=lambda item: -item[1])


@dataclass(frozen=True)
class Routed:
    """Which expert answers, and why. `score` is the router's, None where it was not asked.

    `adapters` is empty where the expert is its line alone. `route` is all that the router said.
    """

    expert: str
    title: str
    why: str
    score: float | None = None
    adapters: tuple[ActiveAdapter, ...] = ()
    route: Route | None = None

    @property
    def has_adapter(self) -> bool:
        return bool(self.adapters)


@dataclass(frozen=True)
class Notice:
    """Something the user should know about this answer."""

    text: str


@dataclass(frozen=True)
class Kept:
    """The question is in the history, and its answer will be: the id of its conversation, and its number there."""

    conversation: str
    number: int


@dataclass(frozen=True)
class PromptProgress:
    """Tokens of the prompt evaluated so far, of those that had to be."""

    evaluated: int
    total: int


@dataclass(frozen=True)
class Delta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True)
class Generated:
    """The engine is done: the whole answer as text and as token ids."""

    text: str
    ids: tuple[int, ...]
    stop: StopReason
    stats: GenerationStats


@dataclass(frozen=True)
class Finished:
    """The answer is complete, or was stopped; `turns` is the conversation to go on from."""

    answer: str
    stop: StopReason
    stats: GenerationStats
    turns: tuple[Turn, ...] = field(repr=False)


EngineEvent = Union[PromptProgress, Delta, Generated]
Event = Union[Routed, Notice, Kept, PromptProgress, Delta, Finished]
