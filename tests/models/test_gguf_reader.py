import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_file import ArrayInfo, GgufFile
from medpocket.models.gguf_reader import MAX_KEYS, MAX_STRINGS, read_gguf, read_with_tokens
from tests.models.gguf_editing import ARRAY, F32, STRING, U32, packed, parts_of, scalar_bytes, text_bytes, write
from tests.models.gguf_seeds import (
    BUILDS,
    CONTEXT,
    EMBEDDING,
    HEAD,
    HEADS,
    KV_HEADS,
    LAYERS,
    sentencepiece_tokens,
    write_seed,
)


def refusal(path: Path) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        read_gguf(path)
    return caught.value


def least_cpu_s(path: Path, times: int = 7) -> float:
    """Seconds of processor time: what else runs on the machine does not count."""
    durations = []
    for _ in range(times):
        start = time.process_time()
        read_gguf(path)
        durations.append(time.process_time() - start)
    return min(durations)


def header_only(path: Path, pairs: list[tuple[str, int, bytes]]) -> Path:
    """A file of nothing but these values."""
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs))
    path.write_bytes(
        data + b"".join(text_bytes(key.encode()) + packed("I", kind) + value for key, kind, value in pairs)
    )
    return path


def string_array(count: int, texts: bytes) -> bytes:
    return struct.pack("<IQ", STRING, count) + texts


@pytest.fixture
def gguf(tmp_path: Path) -> GgufFile:
    return read_gguf(write_seed(tmp_path / "tiny.gguf"))


def test_the_numbers_of_a_model_are_read(gguf: GgufFile) -> None:
    tokens = sentencepiece_tokens()[0]
    assert (gguf.architecture, gguf.name, gguf.kind, gguf.version) == ("llama", "tiny model", "model", 3)
    assert (gguf.trained_context, gguf.block_count, gguf.embedding_length) == (CONTEXT, LAYERS, EMBEDDING)
    assert gguf.head_counts == (HEADS,) * LAYERS
    assert gguf.kv_head_counts == (KV_HEADS,) * LAYERS
    assert (gguf.key_length, gguf.value_length) == (HEAD, HEAD)
    assert (gguf.vocabulary_size, gguf.tokenizer_model, gguf.file_type) == (len(tokens), "llama", "F32")
    assert gguf.chat_template is not None and "[INST]" in gguf.chat_template
    assert (gguf.expert_count, gguf.adapter_type) == (0, None)
    assert gguf.value_types["llama.block_count"] == "u32"
    assert gguf.value_types["tokenizer.ggml.scores"] == "arr[f32]"


def test_the_tensor_table_covers_the_file_to_its_end(gguf: GgufFile) -> None:
    first, last = gguf.tensors[0], gguf.tensors[-1]
    assert (first.name, first.shape, first.type, first.offset) == ("token_embd.weight", (EMBEDDING, 383), "F32", 0)
    assert first.bytes == EMBEDDING * 383 * 4
    assert gguf.data_offset % gguf.alignment == 0
    assert -(-last.bytes // 32) * 32 + last.offset + gguf.data_offset == gguf.size
    assert gguf.parameters * 4 == gguf.tensor_bytes == sum(tensor.bytes for tensor in gguf.tensors)


def test_a_quantized_row_is_measured_in_blocks(tmp_path: Path) -> None:
    gguf = read_gguf(write_seed(tmp_path / "q8.gguf", BUILDS["llama-q8"]))
    query = next(tensor for tensor in gguf.tensors if tensor.name == "blk.0.attn_q.weight")
    assert (query.type, query.bytes) == ("Q8_0", EMBEDDING * EMBEDDING // 32 * 34)
    assert gguf.file_type == "Q8_0"


def test_the_package_reads_the_same(tmp_path: Path) -> None:
    from gguf import GGUFReader

    path = write_seed(tmp_path / "tiny.gguf", BUILDS["llama-experts"])
    ours, theirs = read_gguf(path), GGUFReader(path)
    assert len(ours.tensors) == len(theirs.tensors)
    for mine, other in zip(ours.tensors, theirs.tensors, strict=True):
        assert (mine.name, mine.shape, mine.bytes) == (other.name, tuple(other.shape.tolist()), other.n_bytes)
        assert ours.data_offset + mine.offset == other.data_offset
    assert set(ours.metadata) == {key for key in theirs.fields if not key.startswith("GGUF.")}


def test_version_2_reads_like_version_3(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.version = 2
    second = read_gguf(write(parts, tmp_path))
    assert second.version == 2
    assert second.tensors == read_gguf(tmp_path / "seed.gguf").tensors


def test_heads_of_a_layer_are_read_from_a_list_too(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("llama.attention.head_count_kv", U32, [4, 0, 8])
    assert read_gguf(write(parts, tmp_path)).kv_head_counts == (4, 0, 8)


def test_what_a_file_does_not_say_is_none(tmp_path: Path) -> None:
    gguf = read_gguf(header_only(tmp_path / "bare.gguf", [("a.key", U32, packed("I", 7))]))
    assert gguf.metadata == {"a.key": 7}
    assert (gguf.architecture, gguf.block_count, gguf.key_length, gguf.chat_template, gguf.file_type) == (None,) * 5
    assert (gguf.head_counts, gguf.vocabulary_size, gguf.parameters) == ((), None, 0)


def test_long_arrays_and_texts_are_counted_and_not_kept(tmp_path: Path) -> None:
    pairs = [
        ("short", ARRAY, struct.pack("<IQ", F32, 2) + struct.pack("<2f", 0.5, 1.5)),
        ("long", ARRAY, struct.pack("<IQ", F32, 600) + bytes(2400)),
        ("words", ARRAY, string_array(2, text_bytes(b"one") + text_bytes(b"two"))),
        ("merges", ARRAY, string_array(600, text_bytes(b"a b") * 600)),
        ("text", STRING, scalar_bytes(STRING, b"x" * (2 << 20))),
    ]
    gguf = read_gguf(header_only(tmp_path / "arrays.gguf", pairs))
    assert gguf.metadata == {
        "short": (0.5, 1.5),
        "long": ArrayInfo("f32", 600),
        "words": ("one", "two"),
        "merges": ArrayInfo("str", 600),
        "text": ArrayInfo("text", 2 << 20),
    }


def test_text_that_is_no_utf8_is_kept_readable(tmp_path: Path) -> None:
    gguf = read_gguf(header_only(tmp_path / "bytes.gguf", [("general.name", STRING, text_bytes(b"a\xff"))]))
    assert gguf.name == "a\\xff"


def test_tokens_come_as_their_bytes(tmp_path: Path) -> None:
    _, tokens = read_with_tokens(write_seed(tmp_path / "tiny.gguf"))
    assert tokens == sentencepiece_tokens()[0]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    data = write_seed(tmp_path / "tiny.gguf").read_bytes()
    needed = len(data)
    cut = tmp_path / "cut.gguf"
    for length in [*range(1, 200, 3), *range(200, needed, 4999), needed - 33, needed - 1]:
        cut.write_bytes(data[:length])
        assert "cut.gguf" in refusal(cut).message
    cut.write_bytes(data[: needed - 1])
    assert refusal(cut).message == f"cut.gguf is not complete: {needed - 1:,} of {needed:,} bytes are there"


def test_padding_after_the_last_tensor_may_be_missing(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    last = parts.tensor("output_norm.weight")
    parts.tensors.remove(last)
    parts.tensors.append(last)
    last.shape, last.data = [3], b""
    parts.layout()
    gguf = read_gguf(write(parts, tmp_path))
    assert gguf.size == gguf.data_offset + gguf.tensors[-1].offset + 12


@pytest.mark.parametrize("version", [0, 1, 4, 0x7FFFFFFF])
def test_other_versions_are_refused_by_number(tmp_path: Path, version: int) -> None:
    parts = parts_of("llama", tmp_path)
    parts.version = version
    assert f"is GGUF version {version}" in refusal(write(parts, tmp_path)).message


def test_another_byte_order_is_named(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.version = 0x03000000
    assert "big-endian" in refusal(write(parts, tmp_path)).message


@pytest.mark.parametrize("counts", [(1 << 63, 20), (30, 1 << 63), (30, 1 << 20), (40_000, 20), (31, 20), (30, 99)])
def test_counts_that_lie_cost_nothing(tmp_path: Path, counts: tuple[int, int]) -> None:
    parts = parts_of("llama", tmp_path)
    parts.counts = counts
    path = write(parts, tmp_path)
    start = time.perf_counter()
    refusal(path)
    assert time.perf_counter() - start < 1


def test_arrays_that_lie_about_their_length_are_not_allocated(tmp_path: Path) -> None:
    for value in (struct.pack("<IQ", F32, 1 << 60), string_array(1 << 40, b""), string_array(3, text_bytes(b"a"))):
        assert "ends inside its header" in refusal(header_only(tmp_path / "lie.gguf", [("a", ARRAY, value)])).message
    too_many = string_array(MAX_STRINGS + 1, bytes(8 * (MAX_STRINGS + 1)))
    assert "3,000,001 entries" in refusal(header_only(tmp_path / "many.gguf", [("a", ARRAY, too_many)])).message


def test_a_vocabulary_of_one_enormous_token_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "huge.gguf"
    header_only(path, [("tokenizer.ggml.tokens", ARRAY, string_array(1, packed("Q", 1 << 32)))])
    with path.open("r+b") as file:
        file.truncate(1 << 33)  # sparse: takes no space
    assert "vocabulary is too large" in refusal(path).message


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("", U32, bytes(4))], "name 1 of its header"),
        ([("k" * 600, U32, bytes(4))], "name 1 of its header"),
        ([("a", U32, bytes(4)), ("a", U32, bytes(4))], "a is there twice"),
        ([("a", 13, bytes(4))], "unknown type 13"),
        ([("a", ARRAY, struct.pack("<IQ", ARRAY, 1))], "unknown type 9"),
        ([("general.alignment", U32, packed("I", 0))], "alignment is 0"),
        ([("general.alignment", U32, packed("I", 33))], "alignment is 33"),
        ([("general.alignment", U32, packed("I", 1 << 31))], "alignment is 2147483648"),
        ([("general.alignment", F32, bytes(4))], "alignment is not a number"),
        ([(f"k{n}", U32, bytes(4)) for n in range(MAX_KEYS + 1)], "4,097 entries"),
    ],
)
def test_damaged_values_are_refused(tmp_path: Path, pairs: list[tuple[str, int, bytes]], words: str) -> None:
    assert words in refusal(header_only(tmp_path / "bad.gguf", pairs)).message


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("shape", [64, 0], "is empty"),
        ("shape", [], "0 dimensions"),
        ("shape", [1] * 5, "5 dimensions"),
        ("shape", [1 << 40, 1 << 40], "larger than any file"),
        ("kind", 31, "has type 31, which this llama.cpp does not know"),
        ("kind", 14, "rows of 64 do not fit"),
        ("offset", 1, "not where it should be"),
        ("offset", 1 << 63, "not where it should be"),
        ("name", b"output_norm.weight", "is there twice"),
        ("name", b"n" * 64, "name of tensor 1"),
        ("name", b"", "name of tensor 1"),
        ("name", b"a\0b", "name of tensor 1"),
    ],
)
def test_a_damaged_tensor_table_is_refused(tmp_path: Path, field: str, value: object, words: str) -> None:
    parts = parts_of("llama", tmp_path)
    setattr(parts.tensors[0], field, value)
    assert words in refusal(write(parts, tmp_path)).message


def test_reading_imports_neither_numpy_nor_gguf() -> None:
    code = (
        "import sys; import medpocket.models.gguf_check, medpocket.models.memory, medpocket.models.hardware; "
        "print([name for name in ('numpy', 'gguf', 'psutil', 'llama_cpp') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_vocabulary_of_32_000_tokens_is_read_in_25_ms(tmp_path: Path) -> None:
    tokens = b"".join(text_bytes(b"token%d" % number) for number in range(32_000))
    scores = struct.pack("<IQ", F32, 32_000) + bytes(4 * 32_000)
    pairs = [
        ("tokenizer.ggml.tokens", ARRAY, string_array(32_000, tokens)),
        ("tokenizer.ggml.scores", ARRAY, scores),
    ]
    path = header_only(tmp_path / "vocabulary.gguf", pairs)
    assert read_gguf(path).vocabulary_size == 32_000
    assert least_cpu_s(path) < 0.025


def test_a_vocabulary_as_large_as_llama_3s_is_read_in_150_ms(tmp_path: Path) -> None:
    tokens = b"".join(text_bytes(b"token%d" % number) for number in range(128_256))
    merges = b"".join(text_bytes(b"left right%d" % number) for number in range(280_147))
    pairs = [
        ("tokenizer.ggml.tokens", ARRAY, string_array(128_256, tokens)),
        ("tokenizer.ggml.merges", ARRAY, string_array(280_147, merges)),
    ]
    path = header_only(tmp_path / "vocabulary.gguf", pairs)
    assert read_gguf(path).metadata["tokenizer.ggml.merges"] == ArrayInfo("str", 280_147)
    assert least_cpu_s(path) < 0.15
