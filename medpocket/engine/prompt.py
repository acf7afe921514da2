"""A conversation as token ids, and the parts in which it is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONG = 512  # tokens of a question; one that is longer is never read again for another line


@dataclass(frozen=True)
class Prompt:
    """Token ids of a conversation up to where the answer begins.

    `parts` are the ends of its parts, in ascending order, the last one `len(ids)`. No batch crosses the end of a part,
    so that what is computed for a part depends on what stands before it and not on how much of it happened to be there
    already. Every batch costs the processor a pass over all weights, so parts are few: a user's turn with its expert's
    line is one, the marker before an answer that was given is one with the answer. The line is a part of its own where
    others answer the same question, or where the question is LONG.
    `marker` is where the marker before the answer begins: no end of a part, unless an adapter acts from there on.
    `answers` tells where past answers stand, as (start, end).
    """

    ids: tuple[int, ...]
    parts: tuple[int, ...]
    marker: int = 0
    answers: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def answered(self, answer: Sequence[int]) -> "Prompt":
        """The conversation with the answer behind it, as a later turn reads it."""
        end = len(self.ids) + len(answer)
        return Prompt((*self.ids, *answer), (*self.parts[:-1], end), self.marker, self.answers)

    def find_last(self, wanted: Sequence[int]) -> int | None:
        """Where `wanted` last stands, None where it does not."""
        for start in range(len(self.ids) - len(wanted), -1, -1):
            if self.ids[start : start + len(wanted)] == tuple(wanted):
                return start
        return None

    def batches(self, start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
        """The batches, as (start, end), in which the tokens from `start` to `end` are read, at most `size` at once."""
        for part in self.parts:
            stop = min(part, end)
            while start < stop:
                yield start, min(start + size, stop)
                start = min(start + size, stop)

    def resumable(self, end: int, size: int) -> frozenset[int]:
        """Where reading up to `end` may go on after what is held: where batches begin, and anywhere in a past answer.

        An answer of the base model was evaluated a token at a time, so it may break off anywhere.
        """
        starts = {start for start, _ in self.batches(0, end, size)}
        return frozenset(starts.union({end}, *(range(first, last + 1) for first, last in self.answers)))
