"""What the assistant asks of an engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from medpocket.engine.prompt import Prompt
from medpocket.types import EngineEvent, Sampling, Turn

if TYPE_CHECKING:
    from medpocket.engine.cancel import Cancellation


@dataclass(frozen=True)
class LoadedModel:
    """The model that an engine holds. Lengths in tokens, size in bytes.

    `fingerprint` is equal for all quantizations of one model, and tells whether an adapter belongs to it.
    `gpu_layers` are computed by a graphics processor.
    """

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
    fingerprint: str = ""
    gpu_layers: int = 0


@dataclass(frozen=True)
class AdapterFile:
    """A LoRA file that was checked against the model.

    An activated adapter acts from its `invocation` tokens on, and what stands before is read without it. An ordinary
    one has none, and reads everything.
    """

    path: Path
    sha256: str
    size_bytes: int
    invocation: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scaled:
    """An adapter that acts, and how much it counts; 1 is as it was trained."""

    file: AdapterFile
    scale: float = 1.0


class Engine(Protocol):
    """One model in memory, with the keys and values of what it has read."""

    @property
    def model(self) -> LoadedModel: ...

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        """Return the token ids of a conversation that ends with a user's turn, up to where the answer begins."""
        ...

    def generate(
        self, prompt: Prompt, sampling: Sampling, cancel: "Cancellation", adapters: Sequence[Scaled] = ()
    ) -> Iterator[EngineEvent]:
        """Read `prompt`, reusing what is read already, and answer under `adapters`.

        Yields PromptProgress, then Delta for each piece of text, and Generated at the end, also when cancelled.
        """
        ...

    def read_answer(self, cancel: "Cancellation") -> int:
        """Read the last answer once more as the base reads it; return the tokens evaluated, 0 where that is done.

        For idle time: without it the next turn does so. `cancel` stops it at once, and nothing is lost.
        """
        ...

    def close(self) -> None:
        """Free the model; the engine cannot be used afterwards."""
        ...
