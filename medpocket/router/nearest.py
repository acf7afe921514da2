"""The written texts that are the most like a question, and whose they are: words together say more than one by one.

The likeness of two texts is the cosine of their words, each weighed by how rare it is among the texts (tf-idf with
binary counts; Salton and Buckley 1988). An expert's share is that of the nearest texts' likenesses, cubed, which are
its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAREST = 30  # texts that are heard
POWER = 3  # of a likeness: the nearest are heard most
FLOOR = 0.02  # added to a share before its logarithm
ALSO = 0.5  # how far a text is that of an expert who is right besides the best one


@dataclass(frozen=True)
class Nearness:
    """The nearest texts' numbers, their likenesses from 0 to 1, and the share of each expert."""

    texts: "NDArray[np.int64]"
    likeness: "NDArray[np.float32]"
    shares: "NDArray[np.float32]"

    @property
    def leads(self) -> "NDArray[np.float32]":
        """For each expert the logarithm of its share over an even one."""
        import numpy as np

        found: NDArray[np.float32] = np.log((self.shares + FLOOR) / (1 / len(self.shares) + FLOOR))
        return found

    @property
    def closest(self) -> float:
        """The likeness of the nearest text."""
        return float(self.likeness.max(initial=0.0))


@dataclass(frozen=True)
class Overlap:
    """What a text has in common with the memory.

    `first` are the places among its rows where each of its words stands first, `shared` what a text that has the word
    shares with it, `length` that of its vector; `texts` are those that have the words, word after word, and `owner` the
    place in `first` of the word that each of these has.
    """

    first: "NDArray[np.int64]"
    shared: "NDArray[np.float32]"
    length: float
    texts: "NDArray[np.uint16]"
    owner: "NDArray[np.int64]"


@dataclass(frozen=True)
class Memory:
    """The texts by their words: those that have word `w` are `texts[starts[w] : starts[w + 1]]`.

    `rarity` (words) is the logarithm of all texts over those that have the word, 0 where none has; `lengths` (texts)
    are those of the texts' vectors; `owners` (texts, experts) says whose each is.
    """

    starts: "NDArray[np.int64]"
    texts: "NDArray[np.uint16]"
    rarity: "NDArray[np.float32]"
    lengths: "NDArray[np.float32]"
    owners: "NDArray[np.float32]"

    def overlap(self, rows: "NDArray[np.int64]", counts: "NDArray[np.float32]") -> Overlap:
        """Look up a text's rows of the embedding, each counting so much; pieces of words are in no text."""
        import numpy as np

        _, first = np.unique(rows, return_index=True)
        first = first[rows[first] < len(self.rarity)]
        words = rows[first]
        having = [self.texts[start:end] for start, end in zip(self.starts[words], self.starts[words + 1], strict=True)]
        texts = np.concatenate((self.texts[:0], *having))
        owner = np.repeat(np.arange(len(words)), [len(one) for one in having])
        weights = np.minimum(counts[first], 1) * self.rarity[words]
        length = float(np.sqrt(weights @ weights)) or 1.0
        return Overlap(first, weights * self.rarity[words], length, texts, owner)

    def nearest(self, overlap: Overlap, left_out: int | None = None) -> Nearness:
        """Find the texts that are the most like the one with this overlap; `left_out` is none of them."""
        import numpy as np

        likeness = np.bincount(overlap.texts, overlap.shared[overlap.owner], len(self.lengths)) / self.lengths
        likeness = likeness.astype(np.float32)
        if left_out is not None:
            likeness[left_out] = 0
        nearest = np.argpartition(-likeness, min(NEAREST, len(likeness) - 1))[:NEAREST]
        likeness = likeness[nearest] / np.float32(overlap.length)
        heard = likeness**POWER @ self.owners[nearest]
        total = float(heard.sum())
        even = np.full(self.owners.shape[1], 1 / self.owners.shape[1], np.float32)
        return Nearness(nearest, likeness, heard / total if total > 0 else even)

    def parts(self, overlap: Overlap, nearness: Nearness, expert: int) -> "NDArray[np.float32]":
        """What each word of the overlap adds to the likeness of this expert's texts, as shares of it."""
        import numpy as np

        heard = np.zeros(len(self.lengths), np.float32)
        own = self.owners[nearness.texts, expert] * nearness.likeness ** (POWER - 1)
        heard[nearness.texts] = own / self.lengths[nearness.texts]
        parts = np.bincount(overlap.owner, heard[overlap.texts], len(overlap.first)) * overlap.shared
        return (parts / max(float(parts.sum()), 1e-9)).astype(np.float32)


def as_memory(content: Mapping[str, Any], experts: int) -> Memory:
    """The memory in a file of weights.

    `holders` (words) is how many texts have each word, `holding` their numbers, word after word; `owner` (texts) is
    each one's best expert, `accepted` (texts) has a bit for each that is right.
    """
    import numpy as np

    holders, texts, owner = content["holders"].astype(np.int64), content["holding"], content["owner"]
    starts = np.concatenate(([0], np.cumsum(holders)))
    rarity = np.where(holders > 0, np.log(len(owner) / np.maximum(holders, 1)), 0).astype(np.float32)
    lengths = np.sqrt(np.bincount(texts, np.repeat(rarity * rarity, holders), len(owner))).astype(np.float32)
    owners = ALSO * ((content["accepted"][:, None] >> np.arange(experts, dtype=np.uint32)) & 1).astype(np.float32)
    owners[np.arange(len(owner)), owner] = 1
    owners /= np.sqrt(np.maximum(owners.sum(axis=0), 1))
    return Memory(starts, texts, rarity, np.maximum(lengths, np.float32(1e-6)), owners)
