"""Models whose file is split: `name-00001-of-00003.gguf` and its fellows in the same folder.

llama.cpp is given the first and finds the others by their names.
"""

import re
from dataclasses import replace
from pathlib import Path

from medpocket.errors import ModelFileError
from medpocket.models.gguf_file import GgufFile, TensorInfo
from medpocket.models.gguf_kinds import damaged, shown
from medpocket.models.gguf_reader import read_gguf

MAX_PARTS = 1000
NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


def with_other_parts(first: GgufFile) -> GgufFile:
    """Add the tensors of a split model's other parts; a whole model is given back as it is. Raises ModelFileError."""
    count = _split_number(first, "split.count", default=1)
    if count <= 1:
        return first
    if count > MAX_PARTS:
        raise damaged(first.path, f"it is one of {count:,} parts")
    number = _split_number(first, "split.no")
    matched = NAME.fullmatch(first.path.name)
    if number != 0:
        hint = f"give the first part, {_part_name(matched['stem'], 0, count)}" if matched else "give the first part"
        raise ModelFileError(f"{shown(first.path.name)} is part {number + 1} of {count} of a model", hint)
    if not matched or first.path.name != _part_name(matched["stem"], 0, count):
        raise ModelFileError(
            f"{shown(first.path.name)} is part 1 of {count} of a model, but its name does not say so",
            f"rename it so that it ends in -00001-of-{count:05}.gguf, and the others likewise",
        )
    parts = [_read_part(first, matched["stem"], one, count) for one in range(1, count)]
    tensors = _joined([first, *parts])
    announced = first.number("split.tensors.count")
    if announced != len(tensors) or first.value_types["split.tensors.count"] != "i32":
        raise damaged(first.path, f"its parts hold {len(tensors)} tensors, and it announces {announced}")
    size = sum(part.size for part in (first, *parts))
    return replace(first, tensors=tensors, size=size, other_parts=tuple(part.path for part in parts))


def _split_number(gguf: GgufFile, key: str, default: int | None = None) -> int:
    value = gguf.number(key)
    if key not in gguf.metadata and default is not None:
        return default
    # Read without a check of its type by llama.cpp, which aborts on another one.
    if value is None or gguf.value_types[key] != "u16":
        raise damaged(gguf.path, f"it does not say which part of the model it is ({key})")
    return value


def _part_name(stem: str, number: int, count: int) -> str:
    return f"{stem}-{number + 1:05}-of-{count:05}.gguf"


def _read_part(first: GgufFile, stem: str, number: int, count: int) -> GgufFile:
    path = first.path.with_name(_part_name(stem, number, count))
    if not path.exists():
        raise ModelFileError(
            f"part {number + 1} of {count} of the model is missing: {shown(path.name)}", "put all parts in one folder"
        )
    part = read_gguf(path)
    if _split_number(part, "split.no") != number:
        raise damaged(path, f"it is not part {number + 1}, as its name says")
    if part.alignment != first.alignment:
        raise damaged(path, "it is aligned in another way than the first part")
    return part


def _joined(parts: list[GgufFile]) -> tuple[TensorInfo, ...]:
    tensors = tuple(tensor for part in parts for tensor in part.tensors)
    names: set[str] = set()
    for tensor in tensors:
        if tensor.name in names:
            raise damaged(Path(parts[0].path), f"tensor {shown(tensor.name)} is in two of its parts")
        names.add(tensor.name)
    return tensors
