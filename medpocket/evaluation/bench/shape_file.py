"""A GGUF file with the shapes and tensor types of a model of the registry, and random weights.

It costs what that model costs to load, read and decode, and says nothing: so speed can be measured without the model.
Its first tokens are the demonstration model's vocabulary, the others stand for nothing.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medpocket import paths
from medpocket.errors import DiskShortError, MedpocketError
from medpocket.models.gguf_file import DEMONSTRATION_KEY
from medpocket.models.gguf_kinds import shown
from medpocket.models.known_shapes import gets_more_bits, known_shape
from medpocket.models.memory import gigabytes
from medpocket.models.shape import type_bytes
from medpocket.models.surroundings import free_disk_bytes
from medpocket.registry import ModelSpec

if TYPE_CHECKING:
    import numpy as np

SHAPES = {"7b": "biomistral-7b-q4"}  # what the command calls it, and the row of the registry
_MARGIN_BYTES = 64 << 20  # beside the tensors: the vocabulary, and room for others
_NORMAL_TOKEN = 1
_Q4_K_M = 15  # general.file_type
# Scales of the blocks, with which weights are about as large as a real model's: a block's `d`, and Q4_K's `dmin`.
_Q4_K_SCALES = (1e-4, 7e-4)
_Q6_K_SCALE = 2e-5

Tensor = tuple[str, int, int, str]  # name, rows, elements of a row, type


def write_shape_file(
    spec: ModelSpec, path: Path, *, layers: int | None = None, written: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Write the file, whole or not at all; `written` is told bytes done and bytes in all.

    `layers` makes a file of fewer layers. Raises DiskShortError, and MedpocketError where there is a file already.
    """
    lengths = {**spec.shape, **({"layers": layers} if layers else {})}
    tensors = list(tensors_of(lengths))
    if path.exists():
        raise MedpocketError(f"there is a file {shown(path.name)} already", "it is not overwritten: name another one")
    need = sum(rows * type_bytes(kind, row) for _, rows, row, kind in tensors) + _MARGIN_BYTES
    free = free_disk_bytes(path.parent)
    if free is not None and free < need:
        raise DiskShortError(
            f"the file takes {gigabytes(need)}, and {gigabytes(free)} are free where it is to go",
            "name a place on a larger disk with --out FILE",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write(part, spec, lengths, tensors, lambda done: written(done, need))
        part.rename(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskShortError(
                "the disk is full: the file was not written", "free some space and try again"
            ) from None
        raise
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def tensors_of(lengths: Mapping[str, int], vocabulary: int = 32_000) -> Iterator[Tensor]:
    """The tensors of a model of Llama's architecture in Q4_K_M, as llama.cpp lays it out."""
    width, inner, count = lengths["embedding"], lengths["feed_forward"], lengths["layers"]
    kv = lengths["kv_heads"] * (width // lengths["heads"])
    yield "token_embd.weight", vocabulary, width, "Q4_K"
    for number in range(count):
        values = "Q6_K" if gets_more_bits(number, count) else "Q4_K"
        for name, rows, row, kind in (
            ("attn_norm", 1, width, "F32"),
            ("ffn_norm", 1, width, "F32"),
            ("attn_q", width, width, "Q4_K"),
            ("attn_k", kv, width, "Q4_K"),
            ("attn_v", kv, width, values),
            ("attn_output", width, width, "Q4_K"),
            ("ffn_gate", inner, width, "Q4_K"),
            ("ffn_up", inner, width, "Q4_K"),
            ("ffn_down", width, inner, values),
        ):
            yield f"blk.{number}.{name}.weight", rows, row, kind
    yield "output_norm.weight", 1, width, "F32"
    yield "output.weight", vocabulary, width, "Q6_K"


def _write(
    path: Path, spec: ModelSpec, lengths: Mapping[str, int], tensors: list[Tensor], written: Callable[[int], None]
) -> None:
    import gguf
    import numpy as np

    random, done = np.random.default_rng(7), 0
    writer = gguf.GGUFWriter(path, "llama")
    try:
        _describe(writer, spec, lengths)
        for name, rows, row, kind in tensors:
            shape = (row,) if kind == "F32" else (rows, type_bytes(kind, row))
            kind_of = np.dtype(np.float32 if kind == "F32" else np.uint8)
            size = rows * type_bytes(kind, row)
            writer.add_tensor_info(name, shape, kind_of, size, raw_dtype=gguf.GGMLQuantizationType[kind])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for _, rows, row, kind in tensors:
            writer.write_tensor_data(_weights(kind, rows, row, random))
            done += rows * type_bytes(kind, row)
            written(done)
    finally:
        writer.close()


def _describe(writer: Any, spec: ModelSpec, lengths: Mapping[str, int]) -> None:
    writer.add_name(f"random weights in the shape of {spec.title}")
    writer.add_bool(DEMONSTRATION_KEY, True)
    writer.add_context_length(spec.trained_context)
    writer.add_embedding_length(lengths["embedding"])
    writer.add_block_count(lengths["layers"])
    writer.add_feed_forward_length(lengths["feed_forward"])
    writer.add_head_count(lengths["heads"])
    writer.add_head_count_kv(lengths["kv_heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(lengths["embedding"] // lengths["heads"])
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(_Q4_K_M)
    shape = known_shape(spec)
    _add_vocabulary(writer, shape.vocabulary if shape else 32_000)


def _add_vocabulary(writer: Any, count: int) -> None:
    """The demonstration model's tokens and template, and as many more as are missing."""
    import gguf

    fields = gguf.GGUFReader(paths.assets_folder() / "demo.gguf").fields

    def of(key: str) -> Any:
        return fields[f"tokenizer.ggml.{key}"].contents()

    tokens, scores, types = list(of("tokens")), list(of("scores")), list(of("token_type"))
    missing = range(len(tokens), count)
    writer.add_vocab_size(count)
    writer.add_tokenizer_model(of("model"))
    writer.add_tokenizer_pre(of("pre"))
    writer.add_token_list([*tokens, *(f"\u2581random{number}" for number in missing)])
    writer.add_token_scores([*scores, *(-1e6 - number for number in missing)])
    writer.add_token_types([*types, *(_NORMAL_TOKEN for _ in missing)])
    for name in ("bos", "eos", "unknown"):
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", int(of(f"{name}_token_id")))
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(fields["tokenizer.chat_template"].contents())


def _weights(kind: str, rows: int, row: int, random: "np.random.Generator") -> "np.ndarray[Any, Any]":
    """Random blocks with fixed scales, so that no weight is infinite or no number; norms of ones."""
    import numpy as np

    if kind == "F32":
        return np.ones(row, np.float32)
    size = type_bytes(kind, 256)
    blocks = random.integers(0, 256, (rows * row // 256, size), dtype=np.uint8)
    if kind == "Q4_K":  # block_q4_K of ggml-common.h begins with d and dmin
        blocks[:, :4] = np.array(_Q4_K_SCALES, np.float16).view(np.uint8)
    else:  # block_q6_K ends with d
        blocks[:, -2:] = np.array([_Q6_K_SCALE], np.float16).view(np.uint8)
    return blocks.reshape(rows, -1)
