"""Which adapters act on which tokens of a prompt."""

from dataclasses import dataclass

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Scaled
from medpocket.errors import AdapterError
from medpocket.text import printable


@dataclass(frozen=True)
class Stage:
    """Up to token `end` these adapters act."""

    end: int
    adapters: tuple[Scaled, ...]


def reading_stages(prompt: Prompt, adapters: tuple[Scaled, ...]) -> list[Stage]:
    """Ordinary adapters act from the first token on, activated ones from where their invocation last stands.

    The first stage is what is kept for later turns. Raises AdapterError where an invocation does not stand in the
    marker before the answer.
    """
    starts = [_start(prompt, one) for one in adapters]
    ends = sorted({start for start in starts if start} | {len(prompt)})
    stages, begin = [], 0
    for end in ends:
        stages.append(Stage(end, tuple(one for one, start in zip(adapters, starts, strict=True) if start <= begin)))
        begin = end
    return stages


def _start(prompt: Prompt, one: Scaled) -> int:
    if not one.file.invocation:
        return 0
    start = prompt.find_last(one.file.invocation)
    if start is None or start < prompt.marker:
        raise AdapterError(
            f"the adapter {printable(one.file.path.name)} is switched on by tokens that this model's prompt has not",
            "it was trained with another prompt format: train it again on this model",
        )
    return start
