"""From a reading to the numbers that the gate sees: what the lexicon and the nearest texts say for each expert, and a
few of the text's own.

`score` of an expert is the sum of what its terms weigh; a term of several experts counts for each.
"""

from typing import TYPE_CHECKING

from medpocket.router.nearest import Nearness
from medpocket.router.reading import KINDS, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCKS = 6  # of a number for each expert
LEADS = 5  # the block of the nearest texts
TEXT_FEATURES = 10 + len(KINDS)


def feature_count(experts: int) -> int:
    return BLOCKS * experts + TEXT_FEATURES


def term_scores(reading: Reading, weights: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """What each term counts for each expert, (terms, experts); `weights` are the lexicon's, (entries, experts)."""
    import numpy as np

    numbers = np.array([term.number for term in reading.terms], dtype=np.int64)
    counts = np.array([term.weight for term in reading.terms], dtype=np.float32)
    found: NDArray[np.float32] = weights[numbers] * counts[:, None]
    return found


def features(
    reading: Reading, scores: "NDArray[np.float32]", kinds: "NDArray[np.uint8]", nearness: Nearness
) -> "NDArray[np.float32]":
    """Return the features of one text; `scores` are its `term_scores`, `kinds` those of the lexicon's entries."""
    import numpy as np

    total = scores.sum(axis=0)
    start = reading.last_sentence
    end = reading.first_sentence
    last = scores[[term.start >= start for term in reading.terms]].sum(axis=0)
    first = scores[[term.start < end for term in reading.terms]].sum(axis=0)
    best = scores.max(axis=0) if len(scores) else total
    everything = float(total.sum())
    words = max(1, len(reading.words))
    counted = np.bincount([kinds[term.number] for term in reading.terms], minlength=len(KINDS))[: len(KINDS)]
    covered = sum(term.end - term.start for term in reading.terms)
    own = [
        np.log1p(words) / 5,
        reading.unknown / words,
        reading.everyday / words,
        covered / words,
        np.log1p(everything) / 3,
        float(not len(reading.terms)),
        float(reading.asks),
        float(start > 0),
        float(reading.counts.sum()) / words,
        nearness.closest,
    ]
    return np.concatenate(
        (
            np.log1p(total),
            total / (everything + 1.0),
            last / (float(last.sum()) + 1.0),
            first / (float(first.sum()) + 1.0),
            best / 3,
            nearness.leads,
            np.array(own, dtype=np.float32),
            np.log1p(counted) / 2,
        )
    ).astype(np.float32)
