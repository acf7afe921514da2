from dataclasses import replace
from pathlib import Path

from medpocket.models.gguf_file import GgufFile, TensorInfo
from medpocket.models.gguf_reader import read_gguf
from medpocket.models.memory import OVERHEAD_BYTES, MemoryNeed, memory_need, memory_short
from tests.models.gguf_editing import U32, parts_of, write
from tests.models.gguf_seeds import HEAD, KV_HEADS, LAYERS, write_seed

GB = 10**9
SEVEN_B = MemoryNeed(weights=4_368_000_000, kv_per_token=131_072, context=8192)


def mistral_7b() -> GgufFile:
    """Mistral-7B's numbers, with one tensor in the place of all."""
    numbers = {"block_count": 32, "embedding_length": 4096, "attention.head_count": 32, "attention.head_count_kv": 8}
    metadata = {"general.architecture": "llama", **{f"llama.{name}": value for name, value in numbers.items()}}
    tensors = (TensorInfo("all", (4_368_000_000,), "I8", 0, 4_368_000_000),)
    return GgufFile(Path("m.gguf"), 4_369_000_000, 3, metadata, {}, tensors, 32, 1_000_000)


def test_a_token_of_mistral_7b_takes_128_kib() -> None:
    need = memory_need(mistral_7b(), 2048)
    assert need.kv_per_token == 128 * 1024
    assert need.kv == 2048 * 128 * 1024
    assert need.total == 4_368_000_000 + need.kv + OVERHEAD_BYTES


def test_a_need_counts_tensors_and_not_the_header(tmp_path: Path) -> None:
    gguf = read_gguf(write_seed(tmp_path / "tiny.gguf"))
    need = memory_need(gguf, 256)
    assert need.weights == gguf.tensor_bytes < gguf.size
    assert need.kv_per_token == LAYERS * KV_HEADS * 2 * HEAD * 2
    assert need.state == 0


def test_each_layer_counts_its_own_heads(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("llama.attention.head_count_kv", U32, [4, 0, 1])
    assert memory_need(read_gguf(write(parts, tmp_path)), 256).kv_per_token == 5 * 2 * HEAD * 2


def test_a_context_is_rounded_up_as_llama_cpp_does() -> None:
    assert replace(SEVEN_B, context=1).kv == 256 * 131_072
    assert replace(SEVEN_B, context=257).kv == 512 * 131_072


def test_what_recurrent_layers_remember_does_not_grow() -> None:
    numbers = {"block_count": 2, "embedding_length": 64, "ssm.inner_size": 128, "ssm.state_size": 16}
    metadata = {"general.architecture": "mamba", **{f"mamba.{name}": value for name, value in numbers.items()}}
    metadata["mamba.ssm.conv_kernel"] = 4
    mamba = replace(mistral_7b(), metadata=metadata)
    assert memory_need(mamba, 256).state == memory_need(mamba, 4096).state == 2 * (3 * 128 + 128 * 16) * 4
    assert memory_need(mamba, 4096).kv == 0


def test_a_refusal_has_the_numbers() -> None:
    error = memory_short(SEVEN_B, 3 * GB)
    assert error.message == (
        "the model needs 5.6 GB of memory (4.4 GB weights, 1.1 GB for 8,192 tokens of context) and 3.0 GB is free"
    )
    assert error.hint == "close other programs, or choose a smaller model"


def test_a_refusal_names_the_context_that_would_fit() -> None:
    assert "-o context 3584" in memory_short(SEVEN_B, 5 * GB, "use -m demo").hint
    assert replace(SEVEN_B, context=3584).total <= 5 * GB < replace(SEVEN_B, context=3584 + 256).total


def test_a_refusal_names_the_smaller_choice_where_no_context_fits() -> None:
    assert memory_short(SEVEN_B, 3 * GB, "use -m demo").hint == "use -m demo"
    assert memory_short(SEVEN_B, 3 * GB, "use\x1b[2J").hint == "use?[2J"


def test_no_context_fits_where_the_weights_do_not() -> None:
    assert SEVEN_B.largest_context(4 * GB) == 0
    assert SEVEN_B.largest_context(100 * GB) == 8192
    assert replace(SEVEN_B, kv_per_token=0).largest_context(100 * GB) == 8192
