"""Documents as token sequences of one length: whole documents, first fit, the rest padded."""

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from medpocket.forge.corpus import Corpus
from medpocket.forge.dialogue import PLAIN, Conversation, Mixture, epoch
from medpocket.forge.tokenizer import BEGIN, END, Tokenizer

IGNORED = -100  # label of a token that is read and not learnt
OPEN_BINS = 64
Sequence = tuple[list[int], list[int]]  # ids and labels


def document(tokenizer: Tokenizer, text: Conversation | str) -> Sequence:
    """Ids and labels of one document. Questions are read, answers and plain texts are learnt."""
    ids, labels = [BEGIN], [IGNORED]
    if isinstance(text, str):
        learnt = [*tokenizer.encode(text), END]
        return ids + learnt, labels + learnt
    for exchange in text:
        asked = tokenizer.prompt_ids(exchange.question)
        learnt = [*tokenizer.encode(exchange.answer), END][: None if exchange.whole else -1]
        ids += asked + learnt
        labels += [IGNORED] * len(asked) + learnt
    return ids, labels


def pack(documents: Iterable[Sequence], length: int) -> Iterator[Sequence]:
    """Fill sequences of `length` tokens with whole documents; longer documents are cut."""
    bins: list[Sequence] = []
    for document in documents:
        ids, labels = document[0][:length], document[1][:length]
        place = next((bin for bin in bins if len(bin[0]) + len(ids) <= length), None)
        if place is None:
            place = ([], [])
            bins.append(place)
        place[0].extend(ids)
        place[1].extend(labels)
        if len(bins) > OPEN_BINS:
            fullest = max(range(len(bins)), key=lambda i: len(bins[i][0]))
            yield _padded(bins.pop(fullest), length)
    for sequence in bins:
        yield _padded(sequence, length)


def _padded(sequence: Sequence, length: int) -> Sequence:
    ids, labels = sequence
    missing = length - len(ids)
    return ids + [END] * missing, labels + [IGNORED] * missing


class Batches:
    """Batch number `step` of the endless training stream: a function of the arguments and the step alone."""

    def __init__(
        self, corpus: Corpus, tokenizer: Tokenizer, seed: int, size: int, length: int, mixture: Mixture = PLAIN
    ) -> None:
        self._corpus, self._tokenizer, self._mixture = corpus, tokenizer, mixture
        self._seed, self._size, self._length = seed, size, length
        self._starts = [0]  # the first sequence of each epoch
        self._current: tuple[int, list[Sequence]] = (-1, [])

    def __getitem__(self, step: int) -> list[Sequence]:
        return [self._sequence(number) for number in range(step * self._size, (step + 1) * self._size)]

    def _sequence(self, number: int) -> Sequence:
        while number >= self._starts[-1]:
            self._load(len(self._starts) - 1)
        wanted = bisect_right(self._starts, number) - 1
        self._load(wanted)
        return self._current[1][number - self._starts[wanted]]

    def _load(self, number: int) -> None:
        if self._current[0] == number:
            return
        texts = epoch(self._corpus, self._seed, number, self._mixture)
        documents = (document(self._tokenizer, text) for text in texts)
        sequences = list(pack(documents, self._length))
        random.Random(f"{self._seed}/{number}/order").shuffle(sequences)
        self._current = (number, sequences)
        if number == len(self._starts) - 1:
            self._starts.append(self._starts[-1] + len(sequences))
