"""The gate: one hidden layer over the lexicon's features and the mean embedding, beside a direct linear path.

pooled  = sum(counts * embedding[rows]) / sqrt(sum(counts) + 4)
inputs  = (features, pooled)
logits  = direct @ inputs + outer @ relu(inner @ inputs + inner_bias) + bias
scores  = softmax(logits / temperature)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POOLING_PRIOR = 4.0


@dataclass(frozen=True)
class Gate:
    """Weights; `embedding` is (rows, width) in 8 bits with a scale for each row, `temperature` a scalar."""

    embedding: "NDArray[np.int8]"
    scales: "NDArray[np.float32]"
    direct: "NDArray[np.float32]"
    inner: "NDArray[np.float32]"
    inner_bias: "NDArray[np.float32]"
    outer: "NDArray[np.float32]"
    bias: "NDArray[np.float32]"
    temperature: float

    def vectors(self, rows: "NDArray[np.int64]", counts: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The embedding of each row, times what it counts: (rows, width)."""
        found: NDArray[np.float32] = self.embedding[rows] * (self.scales[rows] * counts)[:, None]
        return found

    def logits(self, inputs: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """The logits of many texts at once, from (texts, features and pooled) to (texts, experts)."""
        import numpy as np

        hidden = np.maximum(inputs @ self.inner + self.inner_bias, 0)
        found: NDArray[np.float32] = inputs @ self.direct + hidden @ self.outer + self.bias
        return found

    def lead_gradient(self, inputs: "NDArray[np.float32]", best: int) -> "NDArray[np.float32]":
        """How one text's `inputs` move the lead of the expert `best`: its logit less the mean of all."""
        direct = self.direct[:, best] - self.direct.mean(axis=1)
        outer = self.outer[:, best] - self.outer.mean(axis=1)
        active = (inputs @ self.inner + self.inner_bias) > 0
        found: NDArray[np.float32] = direct + self.inner @ (outer * active)
        return found

    def probabilities(self, logits: "NDArray[np.float32]") -> "NDArray[np.float32]":
        import numpy as np

        scaled = logits / self.temperature
        raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        found: NDArray[np.float32] = raised / raised.sum(axis=-1, keepdims=True)
        return found


def pool(vectors: "NDArray[np.float32]", counts: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """One text's vectors as one."""
    import numpy as np

    found: NDArray[np.float32] = (vectors.sum(axis=0) / np.sqrt(float(counts.sum()) + POOLING_PRIOR)).astype(np.float32)
    return found


def as_gate(content: Mapping[str, Any]) -> Gate:
    names = ("embedding", "scales", "direct", "inner", "inner_bias", "outer", "bias")
    return Gate(**{name: content[name] for name in names}, temperature=float(content["temperature"][0]))
