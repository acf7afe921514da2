"""Which model of the registry a GGUF file is: by its shape, its quantization and the name that it bears."""

from collections.abc import Iterator
from pathlib import Path

from medpocket.models.gguf_file import GgufFile
from medpocket.registry import ModelSpec, Registry

# Where a conversion writes what the model is called.
_NAME_KEYS = ("general.name", "general.basename", "general.base_model.0.name", "general.base_model.0.repo_url")
_SHORTEST_NAME = 5
_CONVERSIONS = ("gguf", "awq", "gptq")


def recognise(gguf: GgufFile, registry: Registry) -> ModelSpec | None:
    """Return the row of a checked file whose shape, quantization and name agree with it; None where none does."""
    called = [_plain(text) for text in _names_of(gguf)]
    for spec in registry.models.values():
        if fits(gguf, spec) and any(known in text for known in _known_names(spec) for text in called):
            return spec
    return None


def fits(gguf: GgufFile, spec: ModelSpec) -> bool:
    """Tell whether the file has the shape and the quantization of this row, whatever its name is."""
    return (
        bool(spec.shape) and spec.runs_here and _shape(gguf) == dict(spec.shape) and gguf.file_type == spec.quantization
    )


def _shape(gguf: GgufFile) -> dict[str, int]:
    feed_forward = gguf.per_layer("feed_forward_length")
    return {
        "layers": gguf.block_count or 0,
        "embedding": gguf.embedding_length or 0,
        "feed_forward": max(feed_forward, default=0),
        "heads": max(gguf.head_counts, default=0),
        "kv_heads": max(gguf.kv_head_counts, default=0),
    }


def _names_of(gguf: GgufFile) -> Iterator[str]:
    yield gguf.path.stem
    for key in _NAME_KEYS:
        text = gguf.text(key)
        if text:
            yield text


def _known_names(spec: ModelSpec) -> set[str]:
    """What this model is called, in small letters and digits alone: from its repositories and its file."""
    names = {repository.rpartition("/")[2] for repository in (spec.original, spec.repository) if repository}
    plain = {_without_conversion(_plain(name)) for name in names}
    if spec.file:
        plain.add(_plain(Path(spec.file).stem))
    return {name for name in plain if len(name) >= _SHORTEST_NAME}


def _without_conversion(name: str) -> str:
    for ending in _CONVERSIONS:
        name = name.removesuffix(ending)
    return name


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
