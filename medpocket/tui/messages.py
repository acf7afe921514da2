"""What happens behind the screens, as messages to the app. They come from the engine's thread, and from transfers."""

from dataclasses import dataclass

from textual.message import Message

from medpocket.config import Settings
from medpocket.errors import MedpocketError
from medpocket.types import Finished, Notice, Routed


@dataclass(frozen=True)
class ModelInfo:
    """The model that answers. Lengths in tokens, size in bytes; `advisory` is what its users must be told;
    `adapters` are the experts that have one for it.
    """

    id: str
    name: str
    quantization: str
    context: int
    size_bytes: int
    gpu_layers: int
    demonstration: bool
    advisory: str
    adapters: frozenset[str] = frozenset()


@dataclass
class ModelLoading(Message):
    """A model is on its way into memory, so much of it is there (0 to 1)."""

    name: str
    share: float = 0.0

    def can_replace(self, message: Message) -> bool:
        """A later one says more."""
        return isinstance(message, ModelLoading)


@dataclass
class ModelLoaded(Message):
    """The model is in memory."""

    model: ModelInfo


@dataclass
class ModelFailed(Message):
    """There is no model: why, and what to do."""

    error: MedpocketError


@dataclass
class AnswerRouted(Message):
    """An expert was found for a question."""

    answer: int
    routed: Routed


@dataclass
class AnswerKept(Message):
    """A question is in the history, and its answer will be: its conversation, and its number there."""

    answer: int
    conversation: str
    number: int


@dataclass
class AnswerNoticed(Message):
    """Something the user should know about an answer."""

    answer: int
    notice: Notice


@dataclass
class AnswerProgress(Message):
    """So many tokens of the prompt are evaluated, of those that had to be, after so many seconds."""

    answer: int
    evaluated: int
    total: int
    seconds: float

    def can_replace(self, message: Message) -> bool:
        """A later progress of the same answer says more."""
        return isinstance(message, AnswerProgress) and message.answer == self.answer


@dataclass
class AnswerText(Message):
    """The next pieces of an answer, and the tokens that they took at least."""

    answer: int
    text: str
    pieces: int


@dataclass
class AnswerFinished(Message):
    """An answer is complete, or was stopped."""

    answer: int
    finished: Finished


@dataclass
class AnswerFailed(Message):
    """An answer could not be given, or not to its end."""

    answer: int
    error: MedpocketError


@dataclass
class TransferEnded(Message):
    """A model's files have come, or were read, or not: `text` says how it ended, or `error` why it could not go on."""

    model: str
    text: str = ""
    error: MedpocketError | None = None


@dataclass
class SettingChanged(Message):
    """The user changed a setting of this name; all of them as they are now."""

    name: str
    settings: Settings
