import math
from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_check import check_model_file
from tests.models.gguf_editing import BOOL, F32, I32, STRING, U16, U32, Parts, parts_of, write

HUGE = (1 << 32) - 1


def refusal(folder: Path, parts: Parts) -> str:
    with pytest.raises(ModelFileError) as caught:
        check_model_file(write(parts, folder))
    return caught.value.message


@pytest.mark.parametrize("value", [0, HUGE])
@pytest.mark.parametrize(
    "name",
    [
        *("context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count"),
        *("attention.head_count_kv", "attention.key_length", "attention.value_length", "rope.dimension_count"),
    ],
)
def test_sizes_of_nothing_and_of_everything_are_refused(tmp_path: Path, name: str, value: int) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set(f"llama.{name}", U32, value)
    assert "is damaged: " in refusal(tmp_path, parts)


@pytest.mark.parametrize("name", ["context_length", "embedding_length", "block_count", "attention.head_count"])
def test_a_missing_number_is_named(tmp_path: Path, name: str) -> None:
    parts = parts_of("llama", tmp_path)
    parts.drop(f"llama.{name}")
    assert f"llama.{name} is missing" in refusal(tmp_path, parts)


@pytest.mark.parametrize("kind", [U16, I32, F32, BOOL, STRING])
def test_a_number_of_another_type_is_refused(tmp_path: Path, kind: int) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("llama.block_count", kind, "3" if kind == STRING else 1)
    assert "llama.block_count has the wrong type" in refusal(tmp_path, parts)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"attention.head_count_kv": 3}, "8 heads cannot share 3"),
        ({"attention.head_count_kv": [4, 4, 2]}, "differs between layers"),
        ({"attention.head_count_kv": [4, 4]}, "wrong type or length"),
        ({"block_count": 513}, "block_count is 513"),
        ({"nextn_predict_layers": 3}, "nextn_predict_layers is 3"),
        ({"attention.value_length": 16}, "keys of 8 and values of 16 do not fit"),
        ({"rope.dimension_count": 4}, "it rotates 4 of a head's 8 elements"),
        ({"rope.dimension_count": 7}, "it rotates 7 of a head's 8 elements"),
        ({"attention.key_length": 7, "attention.value_length": 7, "rope.dimension_count": 7}, "it rotates 7"),
        ({"expert_count": 4}, "it uses 0 of 4 experts"),
        ({"expert_count": 2000}, "expert_count is 2000"),
        ({"expert_used_count": 2}, "it uses 2 of 0 experts"),
        ({"expert_group_count": 1}, "its 0 experts form 1 groups"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(tmp_path: Path, values: dict[str, object], words: str) -> None:
    parts = parts_of("llama", tmp_path)
    for name, value in values.items():
        parts.set(f"llama.{name}", U32, value)
    assert words in refusal(tmp_path, parts)


@pytest.mark.parametrize(("groups", "used"), [(3, 1), (4, 1), (2, 0), (2, 2)])
def test_groups_of_experts_that_do_not_come_out_are_refused(tmp_path: Path, groups: int, used: int) -> None:
    parts = parts_of("llama-experts", tmp_path)
    parts.set("llama.expert_group_count", U32, groups)
    parts.set("llama.expert_group_used_count", U32, used)
    message = refusal(tmp_path, parts)
    assert f"{groups} groups" in message


def test_groups_of_experts_that_come_out_are_accepted(tmp_path: Path) -> None:
    parts = parts_of("llama-experts", tmp_path)
    parts.set("llama.expert_group_count", U32, 2)
    parts.set("llama.expert_group_used_count", U32, 1)
    assert check_model_file(write(parts, tmp_path)).expert_count == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attention.layer_norm_rms_epsilon", -1.0),
        ("attention.layer_norm_rms_epsilon", math.nan),
        ("rope.freq_base", 0.0),
        ("rope.freq_base", -1.0),
        ("rope.freq_base", math.inf),
        ("rope.scaling.factor", -4.0),
        ("attention.scale", math.nan),
    ],
)
def test_floats_that_only_make_nonsense_are_refused(tmp_path: Path, name: str, value: float) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set(f"llama.{name}", F32, value)
    assert f"llama.{name} is {value}" in refusal(tmp_path, parts)


def test_the_norms_epsilon_is_needed(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.drop("llama.attention.layer_norm_rms_epsilon")
    assert "layer_norm_rms_epsilon is missing" in refusal(tmp_path, parts)


def test_an_unknown_scaling_of_positions_is_refused(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("llama.rope.scaling.type", STRING, "magic")
    assert "llama.rope.scaling.type is magic" in refusal(tmp_path, parts)
    parts.set("llama.rope.scaling.type", STRING, "yarn")
    assert check_model_file(write(parts, tmp_path)).block_count == 3


def test_heads_that_do_not_fill_the_embedding_are_refused_where_they_must(tmp_path: Path) -> None:
    parts = parts_of("qwen2", tmp_path)
    parts.set("qwen2.attention.head_count", U32, 4)
    assert "its heads together are 32 long, an embedding 64" in refusal(tmp_path, parts)


def test_experts_of_a_family_without_them_are_refused(tmp_path: Path) -> None:
    parts = parts_of("qwen2", tmp_path)
    parts.set("qwen2.expert_count", U32, 4)
    parts.set("qwen2.expert_used_count", U32, 2)
    assert "qwen2.expert_count is 4" in refusal(tmp_path, parts)


@pytest.mark.parametrize(
    ("build", "name", "value", "words"),
    [
        ("gemma2", "attention.sliding_window", 0, "sliding_window is 0"),
        ("gemma3", "attention.sliding_window", HUGE, "sliding_window is 4294967295"),
        ("gemma2", "attention.sliding_window_pattern", 1, "leaves no layer with a window"),
        ("gemma3", "attention.sliding_window_pattern", [0, 0, 0], "leaves no layer with a window"),
        ("gemma3", "attention.key_length_swa", 16, "attention.key_length differs between layers"),
        ("gemma3", "rope.dimension_count_swa", 3, "it rotates 3 of a head's 8 elements"),
    ],
)
def test_windows_that_llama_cpp_asserts_on_are_refused(
    tmp_path: Path, build: str, name: str, value: object, words: str
) -> None:
    parts = parts_of(build, tmp_path)
    parts.set(f"{build}.{name}", U32, value)
    assert words in refusal(tmp_path, parts)


def test_gemma_3_without_windows_is_accepted(tmp_path: Path) -> None:
    parts = parts_of("gemma3", tmp_path)
    parts.set("gemma3.attention.sliding_window", U32, 0)
    assert check_model_file(write(parts, tmp_path)).architecture == "gemma3"


@pytest.mark.parametrize("sections", [[0, 0, 0, 0], [9, 0, 0, 0], [-1, 2, 2, 0], []])
def test_sections_of_a_head_that_do_not_fit_are_refused(tmp_path: Path, sections: list[int]) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("llama.rope.dimension_sections", I32, sections)
    assert "llama.rope.dimension_sections is" in refusal(tmp_path, parts)
