"""Log likelihoods of many answers at once: several prompts in one decode, each read once for all of its answers."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import llama_cpp

from medpocket.engine.adapters import Adapters
from medpocket.engine.calls import ABORTED, DECODED, log_normalisers
from medpocket.engine.forest import Choices, Forest, Kept, Node, unread
from medpocket.engine.logs import LlamaLog, reason
from medpocket.engine.protocol import Scaled
from medpocket.errors import EngineError

# Half of LLAMA_MAX_SEQ, which is fixed when llama.cpp is compiled: what one column holds is the beginning of the next
# one's, and both have numbers of their own meanwhile.
MOST_SEQUENCES = 128


@dataclass(frozen=True)
class Scores:
    """The ln p of each answer to each prompt, and how many tokens were evaluated for them."""

    log_likelihoods: list[list[float]]
    evaluated: int


@dataclass(frozen=True)
class Size:
    """What a forest takes: tokens of the context, and sequences."""

    tokens: int
    sequences: int


def size_of(items: Sequence[Choices], adapters: Sequence[Scaled] = ()) -> Size:
    """Return what `items` take together. Raises AdapterError."""
    forest = Forest(items, tuple(adapters), [])
    return Size(len(forest.nodes), forest.sequences)


class OptionScorer:
    """Scores in a context that has room for several sequences; what it held before is forgotten."""

    def __init__(self, context: int, adapters: Adapters, log: LlamaLog, vocabulary_size: int, batch: int) -> None:
        self._context, self._adapters, self._log = context, adapters, log
        self._memory = llama_cpp.llama_get_memory(context)
        self._vocabulary_size, self._batch = vocabulary_size, batch
        numbers = (ctypes.c_int32 * (2 * MOST_SEQUENCES))(*range(2 * MOST_SEQUENCES))
        self._numbers = numbers  # kept alive: llama.cpp reads it
        start = ctypes.addressof(numbers)
        # From each number on, so that a node's sequences are a place in the array and how many of them there are.
        self._from = [
            ctypes.cast(start + ctypes.sizeof(ctypes.c_int32) * number, ctypes.POINTER(ctypes.c_int32))
            for number in range(2 * MOST_SEQUENCES)
        ]
        self._first = 0  # sequence of llama.cpp's that is number 0 of the forest in memory

    def score(self, columns: Sequence[tuple[Sequence[Choices], tuple[Scaled, ...]]]) -> Iterator[Scores]:
        """Score each column, prompts and the adapters that act on them; what the next one shares is not read again.

        Ends early where it was cancelled. Raises EngineError, AdapterError and MemoryShortError.
        """
        acting: list[tuple[Scaled, ...]] = []
        held: Forest | None = None
        self._forget()
        try:
            for items, adapters in columns:
                self._adapters.load(tuple(one.file for one in adapters))
                forest = Forest(items, adapters, acting)
                new, kept = unread(forest, held)
                self._keep(kept, held.sequences if held else 0)
                held = forest
                found = [[0.0] * len(item.answers) for item in items]
                for nodes in self._batches(new):
                    self._adapters.activate(acting[nodes[0].acting])
                    if not self._read(nodes, found):
                        return
                yield Scores(found, len(new))
        finally:
            self._forget()

    def _forget(self) -> None:
        self._first = 0
        llama_cpp.llama_memory_clear(self._memory, False)

    def _keep(self, kept: Sequence[Kept], held: int) -> None:
        """Have new sequences begin as `kept` says, under the numbers of the other half, and forget those `held`."""
        before, self._first = self._first, MOST_SEQUENCES - self._first
        for number, one in enumerate(kept):
            if one.length:
                llama_cpp.llama_memory_seq_cp(self._memory, before + one.source, self._first + number, 0, one.length)
        for number in range(before, before + held):
            llama_cpp.llama_memory_seq_rm(self._memory, number, -1, -1)

    def _batches(self, nodes: Sequence[Node]) -> Iterator[list[Node]]:
        """Nodes that are read in one decode: under the same adapters, those of earlier stages first."""
        by_adapters = sorted(nodes, key=lambda node: (node.stage, node.acting))  # stable: each still follows its parent
        for _, group in groupby(by_adapters, key=lambda node: (node.stage, node.acting)):
            same = list(group)
            for start in range(0, len(same), self._batch):
                yield same[start : start + self._batch]

    def _read(self, nodes: Sequence[Node], found: list[list[float]]) -> bool:
        """Evaluate `nodes` and add what they say of their targets to `found`; tell whether that was done."""
        import numpy as np

        count = len(nodes)
        whole = ctypes.c_int32 * count
        arrays = (
            whole(*(node.token for node in nodes)),
            whole(*(node.position for node in nodes)),
            whole(*(node.last + 1 - node.first for node in nodes)),
            (ctypes.POINTER(ctypes.c_int32) * count)(*(self._from[self._first + node.first] for node in nodes)),
            (ctypes.c_int8 * count)(*(bool(node.targets) for node in nodes)),
        )
        tokens, positions, counts, sequences, outputs = arrays
        result = llama_cpp.llama_decode(
            self._context, llama_cpp.llama_batch(count, tokens, None, positions, counts, sequences, outputs)
        )
        if result == ABORTED:
            return False
        if result != DECODED:
            raise EngineError(
                f"llama.cpp could not evaluate the questions (result {result}{reason(self._log)})",
                "run `medpocket doctor`; where memory is short, close other programs",
            )
        asked = [node for node in nodes if node.targets]
        if not asked:
            return True
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits(self._context), (len(asked), self._vocabulary_size))
        for row, node, normaliser in zip(logits, asked, log_normalisers(logits), strict=True):
            for target in node.targets:
                found[target.item][target.answer] += float(row[target.token]) - normaliser
        return True
