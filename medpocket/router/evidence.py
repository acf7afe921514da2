"""Which terms and words decided: what each adds to the winner's lead over the other experts, to first order.

The lead is the winner's logit less the mean of all; a word adds its part of the embedding's sum times the lead's
gradient there, a term moreover what it adds to the lexicon's scores, times the gradient of the features they are in.
What the nearest texts add to the lead is shared out among the words that make the winner's texts like this one.
"""

from typing import TYPE_CHECKING

from medpocket.router.features import LEADS
from medpocket.router.gate import POOLING_PRIOR, Gate
from medpocket.router.language import ENGLISH
from medpocket.router.normalise import AGES, word_set
from medpocket.router.reading import Reading, shown
from medpocket.types import Evidence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 8
CONSIDERED = 24  # of the terms, and of the words outside them, the strongest
SMALL_WORDS = (
    ENGLISH
    | word_set("new both other all more most such one two every each also just get got")
    | {AGES["ageadult"], AGES["ageold"]}
)
LEAST_SHARE = 0.05  # of the strongest piece's weight


def evidence_for(
    gate: Gate,
    reading: Reading,
    scores: "NDArray[np.float32]",
    near: "NDArray[np.float32]",
    vectors: "NDArray[np.float32]",
    inputs: "NDArray[np.float32]",
    best: int,
) -> tuple[Evidence, ...]:
    """The strongest pieces first, at most `MOST`.

    `scores` are the terms', `near` the rows' parts of the likeness to the winner's texts, `vectors` the rows' and
    `inputs` the gate's.
    """
    import numpy as np

    gradient = gate.lead_gradient(inputs, best)
    by_row = vectors @ gradient[-vectors.shape[1] :] / np.sqrt(float(reading.counts.sum()) + POOLING_PRIOR)
    leads = slice(LEADS * scores.shape[1], (LEADS + 1) * scores.shape[1])
    by_row += near * max(float(gradient[leads] @ inputs[leads]), 0.0)
    by_word = np.bincount(reading.places, by_row, len(reading.words))
    inside = np.zeros(len(reading.words), bool)
    for term in reading.terms:
        inside[term.start : term.end] = True
    added = _by_term(scores, gradient)
    strongest = np.argsort(-added)[:CONSIDERED].tolist()
    outside = np.argsort(-np.where(inside, -np.inf, by_word))[:CONSIDERED].tolist()
    added, by_word = added.tolist(), by_word.tolist()
    weights: dict[str, float] = {}
    for number in strongest:
        term = reading.terms[number]
        name = shown(reading.words[term.start : term.end])
        weights[name] = weights.get(name, 0.0) + added[number] + sum(by_word[term.start : term.end])
    for place in outside:
        if by_word[place] <= 0 or inside[place]:
            break
        name = shown(reading.words[place : place + 1])
        if name not in SMALL_WORDS:
            weights[name] = weights.get(name, 0.0) + by_word[place]
    ranked = sorted(weights.items(), key=lambda item: -item[1])[:MOST]
    least = max(ranked[0][1] * LEAST_SHARE, 0.0) if ranked else 0.0
    return tuple(Evidence(name, round(weight, 2)) for name, weight in ranked if weight > least)


def _by_term(scores: "NDArray[np.float32]", gradient: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """What each term adds through the first two blocks of features: log(1 + total), and the share of all."""
    import numpy as np

    experts = scores.shape[1]
    total = scores.sum(axis=0)
    logarithmic, share = gradient[:experts], gradient[experts : 2 * experts]
    everything = float(total.sum()) + 1.0
    by_share = (share - float(share @ total) / everything) / everything
    found: NDArray[np.float32] = scores @ (logarithmic * np.log1p(total) / np.maximum(total, 1e-6) + by_share)
    return found
