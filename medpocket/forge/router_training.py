"""Train the router's embedding and gate, in numpy: any of the accepted experts is right.

The loss of a text is -log of the sum of its accepted experts' scores, with some weight on an even spread over them
and none elsewhere (label smoothing, Szegedy et al. 2016). Adam for the gate (Kingma and Ba 2015), Adagrad for the
embedding's rows (Duchi et al. 2011).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medpocket.router.features import BLOCKS
from medpocket.router.gate import POOLING_PRIOR

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Report = Callable[[int, float], None]
EPSILON = 1e-8


@dataclass(frozen=True)
class Examples:
    """Many texts: `features` (texts, features); rows `starts[i]` to `starts[i + 1]` of `rows` and `counts` are one's.

    `accept` is (texts, experts), 1 for those that may answer; `weight` (texts) says how much each matters.
    """

    features: Floats
    rows: Ints
    counts: Floats
    starts: Ints
    accept: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Plan:
    """How it is trained."""

    width: int = 32
    hidden: int = 16
    epochs: int = 2
    batch: int = 256
    rate: float = 2e-3
    row_rate: float = 0.03
    decay: float = 3e-3
    row_decay: float = 2e-6
    word_dropout: float = 0.2
    lexicon_dropout: float = 0.05
    hidden_dropout: float = 0.3
    smoothing: float = 0.05
    seed: int = 1


@dataclass
class Trained:
    """The weights, as gate.py describes them, the embedding in full precision."""

    embedding: Floats
    direct: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    bias: Floats
    moments: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)

    def pooled(self, examples: Examples, chosen: Ints, keep: Floats | None = None) -> "_Pooled":
        lengths = examples.starts[chosen + 1] - examples.starts[chosen]
        offsets = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        owner = np.repeat(np.arange(len(chosen)), lengths)
        places = np.arange(int(lengths.sum())) - offsets[owner] + examples.starts[chosen][owner]
        rows, counts = examples.rows[places], examples.counts[places]
        if keep is not None:
            counts = counts * keep[rows]
        norm = np.sqrt(np.bincount(owner, counts, len(chosen)) + POOLING_PRIOR).astype(np.float32)
        share = counts / norm[owner]
        sums = np.zeros((len(chosen), self.embedding.shape[1]), np.float32)
        filled = lengths > 0
        if len(rows):
            sums[filled] = np.add.reduceat(self.embedding[rows] * share[:, None], offsets[filled], axis=0)
        return _Pooled(rows, share, owner, sums)

    def logits(self, examples: Examples, size: int = 2048) -> Floats:
        """Logits of all examples: (texts, experts)."""
        found = []
        for start in range(0, len(examples), size):
            chosen = np.arange(start, min(start + size, len(examples)))
            inputs = np.concatenate((examples.features[chosen], self.pooled(examples, chosen).sums), axis=1)
            hidden = np.maximum(inputs @ self.inner + self.inner_bias, 0)
            found.append(inputs @ self.direct + hidden @ self.outer + self.bias)
        return np.concatenate(found)


@dataclass(frozen=True)
class _Pooled:
    rows: Ints
    share: Floats
    owner: Ints
    sums: Floats


def start_from(embedding: Floats, feature_count: int, experts: int, plan: Plan) -> Trained:
    """Weights to begin with: every expert's lexicon features speak for it, and for no other."""
    dice = np.random.default_rng(plan.seed)
    inputs = feature_count + plan.width
    direct = np.zeros((inputs, experts), np.float32)
    for block in range(BLOCKS):
        direct[np.arange(experts) + block * experts, np.arange(experts)] = 1.0
    return Trained(
        embedding=embedding.astype(np.float32),
        direct=direct,
        inner=dice.normal(0, np.sqrt(2 / inputs), (inputs, plan.hidden)).astype(np.float32),
        inner_bias=np.zeros(plan.hidden, np.float32),
        outer=dice.normal(0, 0.3 / np.sqrt(plan.hidden), (plan.hidden, experts)).astype(np.float32),
        bias=np.zeros(experts, np.float32),
    )


def softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return found


def targets(scores: Floats, accept: Floats, smoothing: float) -> Floats:
    """Where the scores should move: the accepted experts in the shares that they have, smoothed."""
    own = scores * accept
    own /= np.maximum(own.sum(axis=1, keepdims=True), EPSILON)
    even = accept / np.maximum(accept.sum(axis=1, keepdims=True), 1)
    spread = (0.5 * even + 0.5 / accept.shape[1]).astype(np.float32)
    found: Floats = (1 - smoothing) * own + smoothing * spread
    return found


def train(weights: Trained, examples: Examples, plan: Plan, report: Report = lambda _epoch, _loss: None) -> None:
    """Train in place; `report` is given each epoch's number and mean loss."""
    dice = np.random.default_rng(plan.seed + 1)
    squares = np.full(len(weights.embedding), 1e-6, np.float32)
    steps = plan.epochs * -(-len(examples) // plan.batch)
    step = 0
    for epoch in range(plan.epochs):
        losses = []
        for chosen in _batches(len(examples), plan.batch, dice):
            step += 1
            pace = 0.5 * (1 + np.cos(np.pi * step / (steps + 1))) * min(1.0, step / 200)
            losses.append(_step(weights, examples, chosen, plan, step, float(pace), squares, dice))
        report(epoch + 1, float(np.mean(losses)))


def joined(members: Sequence[Trained]) -> Trained:
    """One gate whose logits are the mean of those of all members: side by side, each with its embedding."""
    count = len(members)
    features = len(members[0].direct) - members[0].embedding.shape[1]
    hidden = members[0].inner.shape[1]
    width = members[0].embedding.shape[1]
    inner = np.zeros((features + count * width, count * hidden), np.float32)
    for number, member in enumerate(members):
        columns = slice(number * hidden, (number + 1) * hidden)
        inner[:features, columns] = member.inner[:features]
        inner[features + number * width : features + (number + 1) * width, columns] = member.inner[features:]
    shared = np.mean([member.direct[:features] for member in members], axis=0)
    apart = [member.direct[features:] / np.float32(count) for member in members]
    return Trained(
        embedding=np.concatenate([member.embedding for member in members], axis=1),
        direct=np.concatenate((shared, *apart)),
        inner=inner,
        inner_bias=np.concatenate([member.inner_bias for member in members]),
        outer=np.concatenate([member.outer / np.float32(count) for member in members]),
        bias=np.mean([member.bias for member in members], axis=0),
    )


def _batches(count: int, size: int, dice: np.random.Generator) -> Iterator[Ints]:
    order = dice.permutation(count)
    for start in range(0, count, size):
        yield np.sort(order[start : start + size])


def _step(
    weights: Trained,
    examples: Examples,
    chosen: Ints,
    plan: Plan,
    step: int,
    pace: float,
    squares: Floats,
    dice: np.random.Generator,
) -> float:
    count = len(chosen)
    keep = (dice.random(len(weights.embedding), dtype=np.float32) >= plan.word_dropout).astype(np.float32)
    pooled = weights.pooled(examples, chosen, keep / np.float32(1 - plan.word_dropout))
    features = examples.features[chosen].copy()
    features[dice.random(count) < plan.lexicon_dropout] = 0
    inputs = np.concatenate((features, pooled.sums), axis=1)
    raw = inputs @ weights.inner + weights.inner_bias
    mask = (dice.random(raw.shape) >= plan.hidden_dropout).astype(np.float32) / np.float32(1 - plan.hidden_dropout)
    hidden = np.maximum(raw, 0) * mask
    scores = softmax(inputs @ weights.direct + hidden @ weights.outer + weights.bias)
    accept, weight = examples.accept[chosen], examples.weight[chosen]
    right = (scores * accept).sum(axis=1)
    slope = (scores - targets(scores, accept, plan.smoothing)) * (weight / weight.sum())[:, None]

    back_hidden = (slope @ weights.outer.T) * mask * (raw > 0)
    back_inputs = slope @ weights.direct.T + back_hidden @ weights.inner.T
    gradients = {
        "direct": inputs.T @ slope,
        "inner": inputs.T @ back_hidden,
        "inner_bias": back_hidden.sum(axis=0),
        "outer": hidden.T @ slope,
        "bias": slope.sum(axis=0),
    }
    for name, gradient in gradients.items():
        _adam(weights, name, gradient, plan.rate * pace, plan.decay, step)
    back_pooled = back_inputs[:, features.shape[1] :]
    _adagrad(weights.embedding, squares, pooled, back_pooled, plan, pace)
    return float(-(np.log(right + EPSILON) * weight).sum() / weight.sum())


def _adam(weights: Trained, name: str, gradient: Floats, rate: float, decay: float, step: int) -> None:
    value: Floats = getattr(weights, name)
    if name not in weights.moments:
        weights.moments[name] = (np.zeros_like(value), np.zeros_like(value))
    first, second = weights.moments[name]
    first += 0.1 * (gradient - first)
    second += 0.001 * (gradient * gradient - second)
    value -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + EPSILON)
    if value.ndim > 1:
        value *= 1 - rate * decay * 10


def _adagrad(embedding: Floats, squares: Floats, pooled: _Pooled, back: Floats, plan: Plan, pace: float) -> None:
    order = np.argsort(pooled.rows, kind="stable")
    rows = pooled.rows[order]
    if not len(rows):
        return
    first = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    gradient = np.add.reduceat(back[pooled.owner[order]] * pooled.share[order][:, None], first, axis=0)
    touched = rows[first]
    squares[touched] += (gradient * gradient).mean(axis=1)
    embedding[touched] -= plan.row_rate * pace * gradient / np.sqrt(squares[touched])[:, None]
    embedding[touched] *= 1 - plan.row_decay * pace


def mean_vectors(pieces: Sequence[Sequence[int]], vectors: Floats, buckets: int, rounds: int = 12) -> Floats:
    """Vectors of pieces whose mean over a word's pieces comes near the word's own vector; by gradient descent.

    `pieces` are the buckets of each word, `vectors` (words, width).
    """
    owner = np.repeat(np.arange(len(pieces)), [len(own) for own in pieces])
    flat = np.array([bucket for own in pieces for bucket in own], dtype=np.int64)
    share = (1 / np.array([len(own) for own in pieces], np.float32))[owner]
    order = np.argsort(flat, kind="stable")
    first = np.flatnonzero(np.concatenate(([True], np.diff(flat[order]) > 0)))
    touched = flat[order][first]
    often = np.add.reduceat(share[order], first) + 1.0
    found = np.zeros((buckets, vectors.shape[1]), np.float32)
    starts = np.concatenate(([0], np.cumsum([len(own) for own in pieces])[:-1]))
    for _ in range(rounds):
        wrong = vectors - np.add.reduceat(found[flat] * share[:, None], starts, axis=0)
        found[touched] += np.add.reduceat(wrong[owner[order]], first, axis=0) / (often[:, None] * 4)
    return found
