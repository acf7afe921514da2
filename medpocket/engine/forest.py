"""Prompts with their possible answers as one forest of tokens, in which what they share stands once.

A token's keys and values depend on the tokens before it and on the adapters under which all of them were computed, and
on nothing else. So tokens with equal ones are one node, whichever prompts and answers they belong to, and nothing is
read twice. A path from a root to a leaf is a sequence of llama.cpp's; the leaves below a node have successive numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Scaled
from medpocket.engine.stages import reading_stages


@dataclass(frozen=True)
class Choices:
    """A prompt, and answers any of which could follow it, as token ids; neither is empty."""

    prompt: Prompt
    answers: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Target:
    """A token whose probability is wanted: the next one of an answer."""

    item: int
    answer: int
    token: int


@dataclass(slots=True)
class Node:
    """A token at its place, and the number of the adapters under which it is read.

    `first` to `last` are the sequences that it belongs to.
    """

    token: int
    position: int
    stage: int
    acting: int
    targets: list[Target] = field(default_factory=list)
    children: "Level" = field(default_factory=dict)
    first: int = 0
    last: int = -1


Level = dict[tuple[int, int], Node]  # by token and adapters


class Forest:
    """All of `items` under `adapters`; `nodes` stand in an order in which each follows its parent.

    The last token of an answer is no node: nobody needs to know what would follow it. `acting` numbers the sets of
    adapters; forests that have it in common can be compared.
    """

    def __init__(
        self, items: Sequence[Choices], adapters: tuple[Scaled, ...], acting: list[tuple[Scaled, ...]]
    ) -> None:
        """Grow it. Raises AdapterError where an adapter does not belong to the prompts."""
        self.roots: Level = {}
        self._acting = acting
        for number, item in enumerate(items):
            self._insert(number, item, adapters)
        self.nodes = list(self._numbered())
        self.sequences = self.nodes[-1].last + 1

    def _insert(self, number: int, item: Choices, adapters: tuple[Scaled, ...]) -> None:
        level, position, stage, acting = self.roots, 0, 0, 0
        for stage, reading in enumerate(reading_stages(item.prompt, adapters)):
            acting = self._number(reading.adapters)
            for token in item.prompt.ids[position : reading.end]:
                node = _child(level, token, position, stage, acting)
                level, position = node.children, position + 1
        end = node
        for answer, ids in enumerate(item.answers):
            node = end
            for place, token in enumerate(ids):
                if place:
                    node = _child(node.children, ids[place - 1], position + place - 1, stage, acting)
                node.targets.append(Target(number, answer, token))

    def _number(self, adapters: tuple[Scaled, ...]) -> int:
        if adapters not in self._acting:
            self._acting.append(adapters)
        return self._acting.index(adapters)

    def _numbered(self) -> Iterator[Node]:
        """Walk it depth first, and number the leaves."""
        leaves = 0
        waiting = list(reversed(self.roots.values()))
        path: list[Node] = []
        while waiting:
            node = waiting.pop()
            del path[node.position :]
            path.append(node)
            node.first = leaves
            yield node
            if node.children:
                waiting += reversed(node.children.values())
                continue
            for one in path:
                one.last = leaves
            leaves += 1


def _child(level: Level, token: int, position: int, stage: int, acting: int) -> Node:
    node = level.get((token, acting))
    if node is None:
        node = level[token, acting] = Node(token, position, stage, acting)
    return node


@dataclass(frozen=True)
class Kept:
    """What stays of memory: the first `length` tokens of the sequence `source`; nothing where `length` is 0."""

    source: int
    length: int


def unread(forest: Forest, held: Forest | None) -> tuple[list[Node], list[Kept]]:
    """What of `forest` is to be read where `held` is in memory, and what each of its sequences begins with.

    What is in memory for a node serves one of `forest` where it does for the parent, and token and adapters are equal.
    """
    kept = [Kept(0, 0)] * forest.sequences
    new: list[Node] = []
    waiting = [(root, held.roots if held else {}) for root in reversed(forest.roots.values())]
    while waiting:
        node, level = waiting.pop()
        old = level.get((node.token, node.acting))
        if old:
            kept[node.first : node.last + 1] = [Kept(old.first, old.position + 1)] * (node.last + 1 - node.first)
        else:
            new.append(node)
        waiting += [(child, old.children if old else {}) for child in reversed(node.children.values())]
    return new, kept
