"""A conversation as token ids, and the parts in which it is read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Prompt:
    """Token ids of a conversation up to where the answer begins.

    `parts` are the ends of its parts, in ascending order, the last one `len(ids)`: a user's words, their expert's line,
    the marker before an answer and an answer are a part each. No batch crosses the end of a part, so that what is
    computed for a part depends on what stands before it and not on how much of it happened to be there already.
    `answers` tells where past answers stand, as (start, end).
    """

    ids: tuple[int, ...]
    parts: tuple[int, ...]
    answers: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def marker(self) -> int:
        """Where the marker before the answer begins."""
        return self.parts[-2] if len(self.parts) > 1 else 0

    def answered(self, answer: Sequence[int]) -> "Prompt":
        """The conversation with the answer behind it."""
        end = len(self.ids) + len(answer)
        return Prompt((*self.ids, *answer), (*self.parts, end) if answer else self.parts, self.answers)

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

    def resumable(self, size: int) -> frozenset[int]:
        """Where reading may go on after what is held: where batches begin, and anywhere inside a past answer.

        An answer of the base model was evaluated a token at a time, so it may break off anywhere.
        """
        starts = {start for start, _ in self.batches(0, len(self.ids), size)}
        return frozenset(starts.union(*(range(first, last + 1) for first, last in self.answers)))
