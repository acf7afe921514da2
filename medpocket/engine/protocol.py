"""What the assistant asks of an engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from medpocket.types import EngineEvent, Sampling, Turn

if TYPE_CHECKING:
    from medpocket.engine.cancel import Cancellation


@dataclass(frozen=True)
class LoadedModel:
    """The model that an engine holds. Lengths in tokens, size in bytes."""

    name: str
    architecture: str
    quantization: str
    parameters: int
    size_bytes: int
    context: int
    trained_context: int
    threads: int
    has_template: bool
    demonstration: bool


class Engine(Protocol):
    """One model in memory, with the keys and values of what it has read."""

    @property
    def model(self) -> LoadedModel: ...

    def encode(self, turns: Sequence[Turn]) -> list[int]:
        """Return the token ids of a conversation that ends with a user's turn, up to where the answer begins."""
        ...

    def generate(self, prompt: Sequence[int], sampling: Sampling, cancel: "Cancellation") -> Iterator[EngineEvent]:
        """Read `prompt`, reusing what is read already, and answer.

        Yields PromptProgress, then Delta for each piece of text, and Generated at the end, also when cancelled.
        """
        ...

    def close(self) -> None:
        """Free the model; the engine cannot be used afterwards."""
        ...
