"""How sure a share is, whether two runs differ, and whether a model knows how sure it may be.

- Interval of a share: Wilson, Probable inference, the law of succession, and statistical inference (1927).
- Two runs on the same questions: McNemar, Note on the sampling error of the difference between correlated proportions
  or percentages (1947), as the exact binomial test.
- Calibration: the expected calibration error, the mean distance between confidence and accuracy over ten bins of equal
  width, weighted by what is in each (Guo et al., On Calibration of Modern Neural Networks, 2017).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Z = 1.959963984540054  # the normal distribution has 95 % within so many standard deviations
LEVEL = 0.05  # a difference as likely as this, or likelier, where there is none, is called noise
BINS = 10


@dataclass(frozen=True)
class Share:
    """So many of all, from 0 to 1, with its 95 % interval."""

    value: float
    low: float
    high: float
    of: int


def wilson(right: int, total: int) -> Share:
    """The share `right` of `total`, with Wilson's interval; NaN of none."""
    if not total:
        return Share(math.nan, math.nan, math.nan, 0)
    share, squared = right / total, Z * Z
    centre = (share + squared / (2 * total)) / (1 + squared / total)
    half = Z / (1 + squared / total) * math.sqrt(share * (1 - share) / total + squared / (4 * total * total))
    return Share(share, max(0.0, centre - half), min(1.0, centre + half), total)


def mean_share(shares: Sequence[Share]) -> Share:
    """The mean in which each set counts the same, with the interval of a mean of independent shares."""
    if not shares:
        return wilson(0, 0)
    mean = sum(one.value for one in shares) / len(shares)
    variance = sum(one.value * (1 - one.value) / one.of for one in shares) / len(shares) ** 2
    half = Z * math.sqrt(variance)
    return Share(mean, max(0.0, mean - half), min(1.0, mean + half), sum(one.of for one in shares))


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same questions: how many only the first answered rightly, and only the second.

    `p` is how often chance alone, with no difference between them, makes one at least so large.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float

    @property
    def questions(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """The second's share of right answers less the first's."""
        return (self.only_second - self.only_first) / self.questions if self.questions else math.nan

    @property
    def is_noise(self) -> bool:
        return self.p >= LEVEL


def mcnemar(pairs: Iterable[tuple[bool, bool]]) -> Comparison:
    """Compare two answers to each question, each right or not."""
    counts = {(first, second): 0 for first in (True, False) for second in (True, False)}
    for pair in pairs:
        counts[pair] += 1
    first, second = counts[True, False], counts[False, True]
    return Comparison(
        counts[True, True], first, second, counts[False, False], _two_sided(min(first, second), first + second)
    )


def _two_sided(fewer: int, total: int) -> float:
    """The probability that a fair coin falls on one of its sides at most `fewer` times of `total`."""
    if 2 * fewer >= total:
        return 1.0
    tail = sum(math.comb(total, count) for count in range(fewer + 1))
    return min(1.0, 2 * math.exp(math.log(tail) - total * math.log(2)))


def calibration_error(rows: Iterable[tuple[float, bool]]) -> float:
    """The expected calibration error of (confidence, right): from 0 to 1, NaN of none."""
    bins: list[list[float]] = [[] for _ in range(BINS)]
    for confidence, right in rows:
        bins[min(int(confidence * BINS), BINS - 1)].append(right - confidence)
    total = sum(map(len, bins))
    return sum(abs(sum(own)) for own in bins) / total if total else math.nan


def shares(log_likelihoods: Sequence[float]) -> list[float]:
    """The probabilities of options, as shares of them all (softmax)."""
    highest = max(log_likelihoods)
    weights = [math.exp(one - highest) for one in log_likelihoods]
    return [weight / sum(weights) for weight in weights]
