"""A LoRA file: what it says about itself, and whether it belongs to a model.

The keys of GGUF's own are llama.cpp's (src/llama-adapter.cpp); those that begin with `medpocket.` are this project's.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medpocket.engine.protocol import AdapterFile
from medpocket.errors import AdapterError
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_file import GgufFile, TensorInfo
from medpocket.models.gguf_kinds import shown
from medpocket.models.gguf_reader import read_gguf
from medpocket.models.hashing import sha256_of

ALPHA_KEY = "adapter.lora.alpha"
INVOCATION_KEY = "adapter.alora.invocation_tokens"
FINGERPRINT_KEY = "medpocket.base_fingerprint"
BASE_NAME_KEY = "medpocket.base_name"
EXPERT_KEY = "medpocket.expert"
TRAINING_DATA_KEY = "medpocket.training_data"
GAIN_KEY = "medpocket.perplexity_ratio"
LICENCE_KEY = "general.license"

SIDES = re.compile(r"(?P<weight>.+\.weight)\.lora_(?P<side>[ab])")
TYPES = frozenset({"F32", "F16", "BF16", "Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1"})
AGAIN = "get the file again, or take another adapter"


@dataclass(frozen=True)
class Adapter:
    """A LoRA file and what it says about itself.

    `gain` is the perplexity on held-out text of its specialty over that of the base model alone; below 1 is better.
    `targets` are the modules that it changes, such as "attn_q".
    """

    path: Path
    sha256: str
    size_bytes: int
    architecture: str
    alpha: float
    rank: int
    quantization: str
    targets: tuple[str, ...]
    invocation: tuple[int, ...] = ()
    expert: str | None = None
    fingerprint: str | None = None
    base_name: str | None = None
    training_data: str | None = None
    licence: str | None = None
    gain: float | None = None

    @property
    def file(self) -> AdapterFile:
        """What the engine needs of it."""
        return AdapterFile(self.path, self.sha256, self.size_bytes, self.invocation)


def read_adapter(path: Path) -> Adapter:
    """Read and check a LoRA file, all but what its weights hold. Raises AdapterError and ModelFileError."""
    gguf = read_gguf(path)
    _check_kind(gguf)
    pairs = dict(_pairs(gguf))
    if not pairs:
        raise _refused(path, "it changes no tensor")
    ranks = {a.shape[1] for a, _ in pairs.values()}
    if len(ranks) > 1:
        raise _refused(path, f"its matrices have different ranks ({', '.join(map(str, sorted(ranks)))})")
    types = {tensor.type for pair in pairs.values() for tensor in pair}
    if unknown := types - TYPES:
        raise _refused(path, f"its matrices are {', '.join(sorted(unknown))}, which llama.cpp does not add to a model")
    gain = gguf.metadata.get(GAIN_KEY)
    return Adapter(
        path=path,
        sha256=sha256_of(path),
        size_bytes=gguf.size,
        architecture=gguf.architecture or "",
        alpha=_alpha(gguf),
        rank=ranks.pop(),
        quantization="+".join(sorted(types)),
        targets=tuple(dict.fromkeys(name.removesuffix(".weight").split(".")[-1] for name in pairs)),
        invocation=_invocation(gguf),
        expert=gguf.text(EXPERT_KEY),
        fingerprint=gguf.text(FINGERPRINT_KEY),
        base_name=gguf.text(BASE_NAME_KEY),
        training_data=gguf.text(TRAINING_DATA_KEY),
        licence=gguf.text(LICENCE_KEY),
        gain=gain if isinstance(gain, float) and math.isfinite(gain) else None,
    )


def check_belongs(adapter: Adapter, base: GgufFile) -> None:
    """Raise AdapterError where the adapter is for another model than `base`, a checked file."""
    if adapter.architecture != base.architecture:
        raise _refused(
            adapter.path,
            f"it is for the architecture {shown(adapter.architecture)}, not {shown(base.architecture or '')}",
        )
    weights: Mapping[str, TensorInfo] = {tensor.name: tensor for tensor in base.tensors}
    for name, (a, b) in _pairs(read_gguf(adapter.path)):
        if name not in weights:
            raise _refused(adapter.path, f"it changes {shown(name)}, which this model does not have")
        wanted, changes = weights[name].shape, (a.shape[0], b.shape[1])
        if wanted != changes:
            raise _refused(
                adapter.path,
                f"its {shown(name)} is {changes[0]} x {changes[1]}, and this model's {' x '.join(map(str, wanted))}",
            )
    size = base.vocabulary_size or 0
    if any(token >= size for token in adapter.invocation):
        raise _refused(adapter.path, "it is switched on by tokens that this model's vocabulary does not have")
    if adapter.fingerprint and adapter.fingerprint != base_fingerprint(base):
        name = f" ({shown(adapter.base_name)})" if adapter.base_name else ""
        raise _refused(
            adapter.path, f"it was trained on another base model{name}", "give the model that it belongs to: -m"
        )


def _check_kind(gguf: GgufFile) -> None:
    if gguf.kind != "adapter" or gguf.adapter_type != "lora":
        raise _refused(gguf.path, "it is no LoRA adapter", "give a GGUF adapter, or the folder of a PEFT adapter")
    if gguf.architecture is None:
        raise _refused(gguf.path, "it does not say for which architecture it is")


def _pairs(gguf: GgufFile) -> Iterator[tuple[str, tuple[TensorInfo, TensorInfo]]]:
    """The two matrices of each weight that is changed: A (n_in, rank), B (rank, n_out). Raises AdapterError."""
    sides: dict[str, dict[str, TensorInfo]] = {}
    for tensor in gguf.tensors:
        matched = SIDES.fullmatch(tensor.name)
        if not matched or len(tensor.shape) != 2:
            raise _refused(gguf.path, f"its tensor {shown(tensor.name)} is no matrix of a LoRA")
        sides.setdefault(matched["weight"], {})[matched["side"]] = tensor
    for name, pair in sides.items():
        if len(pair) < 2:
            raise _refused(gguf.path, f"it has only one of the two matrices of {shown(name)}")
        if pair["a"].shape[1] != pair["b"].shape[0]:
            raise _refused(gguf.path, f"the two matrices of {shown(name)} do not fit together")
        yield name, (pair["a"], pair["b"])


def _alpha(gguf: GgufFile) -> float:
    alpha = gguf.metadata.get(ALPHA_KEY)
    if alpha is None:
        raise _refused(gguf.path, f"it does not say its scale ({ALPHA_KEY}), and would act with a wrong one")
    if gguf.value_types[ALPHA_KEY] != "f32" or not isinstance(alpha, float) or not math.isfinite(alpha) or alpha <= 0:
        raise _refused(gguf.path, f"its scale ({ALPHA_KEY}) is no number above zero")
    return alpha


def _invocation(gguf: GgufFile) -> tuple[int, ...]:
    if INVOCATION_KEY not in gguf.metadata:
        return ()
    tokens = gguf.metadata[INVOCATION_KEY]
    if gguf.value_types[INVOCATION_KEY] != "arr[u32]" or not isinstance(tokens, tuple) or not tokens:
        raise _refused(gguf.path, f"the tokens that switch it on ({INVOCATION_KEY}) are no list of numbers (UINT32)")
    return tuple(int(token) for token in tokens)


def _refused(path: Path, reason: str, hint: str = AGAIN) -> AdapterError:
    return AdapterError(f"{shown(path.name)} cannot be used: {reason}", hint)
