"""What the context holds: the tokens whose keys and values it has, and under which adapters they were computed."""

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import llama_cpp

from medpocket.engine.prompt import Prompt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SEQUENCE = 0
_MOST_PARKED = 4  # states put aside; the oldest goes


@dataclass(frozen=True)
class StateKey:
    """What keys and values depend on beside the tokens; states of different keys are never mixed.

    `adapters` are those that acted on all of it, as (hash, scale): ordinary ones. What activated adapters computed is
    never kept, so it needs no key.
    """

    model: str
    template: str
    adapters: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class End:
    """The logits after the first `length` tokens."""

    length: int
    logits: "NDArray[np.float32]"


@dataclass
class Held:
    """Token ids in the context, after which of them a batch ended, and the end of the last prompt."""

    ids: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    prompt: End | None = None

    def add(self, tokens: Sequence[int]) -> None:
        """Take the tokens of one batch."""
        self.ids.extend(tokens)
        self.ends.append(len(self.ids))

    def cut(self, length: int) -> None:
        """Forget all after `length` tokens."""
        del self.ids[length:]
        while self.ends and self.ends[-1] > length:
            self.ends.pop()
        if self.prompt and self.prompt.length > length:
            self.prompt = None

    def usable(self, prompt: Prompt, end: int, batch: int) -> int:
        """How many of the first `end` tokens of `prompt` need not be read again: whole batches alone.

        The last token of `prompt` only where its logits were kept.
        """
        if self.prompt and self.prompt.length == len(prompt) == end and self.ids[:end] == list(prompt.ids):
            return end
        common = 0
        for held, wanted in zip(self.ids, prompt.ids[: min(end, len(prompt) - 1)], strict=False):
            if held != wanted:
                break
            common += 1
        resumable = prompt.resumable(end, batch)
        return next((end for end in reversed(self.ends) if end <= common and end in resumable), 0)


@dataclass(frozen=True)
class _Parked:
    held: Held
    state: bytes


class ContextMemory:
    """The one sequence of a context, and copies of it that were put aside under other keys.

    One sequence at a time: another one in the same context would shift the results (by up to 0.13 in the logits).
    """

    def __init__(self, context: int, key: StateKey, available_bytes: Callable[[], int]) -> None:
        self.held = Held()
        self.key = key
        self._context = context
        self._memory = llama_cpp.llama_get_memory(context)
        self._available_bytes = available_bytes
        self._parked: OrderedDict[StateKey, _Parked] = OrderedDict()

    def switch(self, key: StateKey) -> None:
        """Put what is held aside under its key, and take up what was put aside under `key`, if anything was."""
        if key == self.key:
            return
        self._park()
        self.cut(0)
        self.key = key
        parked = self._parked.pop(key, None)
        if parked and self._restore(parked.state):
            self.held = parked.held

    def cut(self, length: int) -> None:
        """Forget all after `length` tokens, and whatever an evaluation that failed left behind them."""
        # A recurrent model cannot forget a part of what it read: it forgets all.
        if not llama_cpp.llama_memory_seq_rm(self._memory, _SEQUENCE, length, -1):
            llama_cpp.llama_memory_clear(self._memory, True)
            length = 0
        self.held.cut(length)

    def _park(self) -> None:
        """Copy the state out, where memory allows it beside what is there; else it will be read again."""
        if not self.held.ids:
            return
        size = llama_cpp.llama_state_seq_get_size(self._context, _SEQUENCE)
        while len(self._parked) >= _MOST_PARKED or (self._parked and self._available_bytes() < 2 * size):
            self._parked.popitem(last=False)
        if self._available_bytes() < 2 * size:
            return
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, _SEQUENCE)
        if written:
            self._parked[self.key] = _Parked(self.held, bytes(memoryview(buffer)[:written]))
            self.held = Held()

    def _restore(self, state: bytes) -> bool:
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if llama_cpp.llama_state_seq_set_data(self._context, buffer, len(state), _SEQUENCE):
            return True
        self.cut(0)
        return False
