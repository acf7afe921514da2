"""The router: reads a text and says which expert it belongs to, how surely, and which words decided."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from medpocket import paths
from medpocket.router.evidence import evidence_for
from medpocket.router.features import features, term_scores
from medpocket.router.gate import as_gate, pool
from medpocket.router.language import is_foreign
from medpocket.router.nearest import as_memory
from medpocket.router.reading import as_vocabulary, read
from medpocket.router.weights import read_weights
from medpocket.types import Evidence, Route

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "router.bin"
GENERAL = "general"
MOST_CHARACTERS = 40_000  # of a longer text, so many are read: half at its beginning, half at its end

NOTHING_TO_READ = "there are no words in it"
NOT_ALL_READ = f"only the first and the last {MOST_CHARACTERS // 2:,} characters of it were read"
NOT_ENGLISH = "it is not in English, the one language that the router reads"


class Router:
    """The weights in memory; `route` changes nothing."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.experts: tuple[str, ...] = tuple(content["experts"].split("\n"))
        self._vocabulary = as_vocabulary(content)
        self._term_weights = content["term_weights"].astype("float32")
        self._kinds = content["term_kinds"]
        self._memory = as_memory(content, len(self.experts))
        self._gate = as_gate(content)

    def route(self, text: str, *, explain: bool = True) -> Route:
        """Route `text`; evidence is looked for where `explain` is set and an expert was found."""
        import numpy as np

        note = ""
        if len(text) > MOST_CHARACTERS:
            note = NOT_ALL_READ
            text = f"{text[: MOST_CHARACTERS // 2]}\n{text[-MOST_CHARACTERS // 2 :]}"
        if not any(map(str.isalpha, text)):
            return self._none(NOTHING_TO_READ)
        if is_foreign(text):
            return self._none(NOT_ENGLISH)
        reading = read(text, self._vocabulary)
        scores = term_scores(reading, self._term_weights)
        vectors = self._gate.vectors(reading.rows, reading.counts)
        overlap = self._memory.overlap(reading.rows, reading.counts)
        nearness = self._memory.nearest(overlap)
        inputs = np.concatenate((features(reading, scores, self._kinds, nearness), pool(vectors, reading.counts)))
        shares = self._gate.probabilities(self._gate.logits(inputs[None]))[0]
        best = int(shares.argmax())
        found: tuple[Evidence, ...] = ()
        if explain and self.experts[best] != GENERAL:
            near = np.zeros(len(vectors), np.float32)
            near[overlap.first] = self._memory.parts(overlap, nearness, best)
            found = evidence_for(self._gate, reading, scores, near, vectors, inputs, best)
        by_expert = dict(zip(self.experts, map(float, shares), strict=True))
        return Route(self.experts[best], float(shares[best]), by_expert, found, note)

    def _none(self, note: str) -> Route:
        return Route(GENERAL, 1.0, {name: float(name == GENERAL) for name in self.experts}, note=note)


def load_router(path: "Path | None" = None) -> Router:
    """Load the weights that ship, or those in `path`. Raises RouterError."""
    return _load(path or paths.assets_folder() / FILE_NAME)


@lru_cache(maxsize=2)
def _load(path: "Path") -> Router:
    return Router(read_weights(path))
