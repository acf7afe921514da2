from dataclasses import replace

from medpocket.models.memory import MERGE_BYTES, PROGRAM_BYTES, TOKEN_BYTES, MemoryNeed, memory_need
from medpocket.models.shape import shape_of
from tests.models.simulated import GB, SEVEN_B, mistral_7b

NEED = MemoryNeed(weights=4_368_000_000, kv_per_token=131_072, context=8192)


def test_a_token_of_mistral_7b_takes_128_kib() -> None:
    need = memory_need(shape_of(mistral_7b()), 2048)
    assert need.kv_per_token == 128 * 1024
    assert need.kv == 2048 * 128 * 1024
    assert need.total == 4_368_000_000 + need.kv + need.computing + need.program


def test_keys_and_values_of_eight_bits_take_half_and_a_scale() -> None:
    half, full = (memory_need(SEVEN_B, 2048, kv_type=kind).kv for kind in ("Q8_0", "F16"))
    assert half == full * 34 // 64


def test_buffers_follow_the_batch_and_a_part_of_them_the_context() -> None:
    whole, part = memory_need(SEVEN_B, 4096), memory_need(SEVEN_B, 4096, batch=128)
    assert whole.computing == 4 * part.computing
    assert memory_need(SEVEN_B, 8192).computing - whole.computing == 4096 * 512 * 2
    assert memory_need(SEVEN_B, 256).buffers == whole.buffers // 2


def test_a_larger_vocabulary_takes_more_of_the_program() -> None:
    need = memory_need(replace(SEVEN_B, vocabulary=128_256, merges=280_147), 512)
    assert need.program == PROGRAM_BYTES + 128_256 * TOKEN_BYTES + 280_147 * MERGE_BYTES


def test_adapters_are_counted() -> None:
    without, with_one = memory_need(SEVEN_B, 512), memory_need(SEVEN_B, 512, adapter_bytes=84_000_000)
    assert with_one.total - without.total == 84_000_000


def test_a_context_is_rounded_up_as_llama_cpp_does() -> None:
    assert replace(NEED, context=1).kv == 256 * 131_072
    assert replace(NEED, context=257).kv == 512 * 131_072


def test_no_context_fits_where_the_weights_do_not() -> None:
    assert NEED.largest_context(4 * GB) == 0
    assert NEED.largest_context(100 * GB) == 8192
    assert replace(NEED, kv_per_token=0).largest_context(100 * GB) == 8192


def test_the_largest_context_fits_and_the_next_one_does_not() -> None:
    need = memory_need(SEVEN_B, 32_768)
    largest = need.largest_context(6 * GB)
    assert replace(need, context=largest).total <= 6 * GB < replace(need, context=largest + 256).total
