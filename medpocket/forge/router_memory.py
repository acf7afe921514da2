"""The texts that the router remembers word by word, to find those that are like a question (router/nearest.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medpocket.forge.router_texts import Sample
from medpocket.router.nearest import Memory, as_memory
from medpocket.router.reading import Vocabulary, read

COMMON = 0.1  # a word that a greater share of the texts has says nothing, and takes time


@dataclass(frozen=True)
class Remembered:
    """The memory, as it is and as a file of weights holds it, and the number of each text in it."""

    memory: Memory
    content: Mapping[str, Any]
    numbers: Mapping[str, int]


def remember(samples: Sequence[Sample], vocabulary: Vocabulary, experts: Sequence[str]) -> Remembered:
    """Remember these samples, at most 65,536, by the words of theirs that the vocabulary has and few others have."""
    words, texts = [], []
    for number, sample in enumerate(samples):
        rows = read(sample.text, vocabulary).rows
        own = np.unique(rows[rows < vocabulary.first_piece])
        words.append(own)
        texts.append(np.full(len(own), number, np.uint16))
    every_word, every_text = np.concatenate(words), np.concatenate(texts)
    rare = np.bincount(every_word, minlength=vocabulary.first_piece) <= COMMON * len(samples)
    every_word, every_text = every_word[rare[every_word]], every_text[rare[every_word]]
    order = np.argsort(every_word, kind="stable")
    bits = [sum(1 << experts.index(name) for name in sample.accept) for sample in samples]
    content = {
        "holders": np.bincount(every_word, minlength=vocabulary.first_piece).astype(np.uint16),
        "holding": every_text[order],
        "owner": np.array([experts.index(sample.accept[0]) for sample in samples], np.uint8),
        "accepted": np.array(bits, np.uint32),
    }
    numbers = {sample.text: number for number, sample in enumerate(samples)}
    return Remembered(as_memory(content, len(experts)), content, numbers)
