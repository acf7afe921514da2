from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.models.gguf_file import TensorInfo
from medpocket.models.gguf_reader import read_gguf
from medpocket.models.known_shapes import known_shape
from medpocket.models.shape import shape_of, type_bytes
from medpocket.registry import load_registry
from tests.conftest import DEMO
from tests.models.gguf_editing import U32, parts_of, write
from tests.models.gguf_seeds import HEAD, HEADS, KV_HEADS, LAYERS, write_seed
from tests.models.simulated import mistral_7b


def test_all_tensors_of_a_file_are_somewhere(tmp_path: Path) -> None:
    gguf = read_gguf(write_seed(tmp_path / "tiny.gguf"))
    shape = shape_of(gguf)
    assert shape.weights == gguf.tensor_bytes < gguf.size
    assert len(shape.layers) == LAYERS and all(layer.weights for layer in shape.layers)
    assert shape.kv_elements == LAYERS * KV_HEADS * 2 * HEAD
    assert shape.layers[0].head_elements == HEADS * 2 * HEAD
    assert shape.state == 0


def test_the_demonstration_models_matrices_are_its_parameters_but_norms_and_embeddings() -> None:
    gguf = read_gguf(DEMO)
    shape = shape_of(gguf)
    norms = sum(tensor.elements for tensor in gguf.tensors if len(tensor.shape) == 1)
    embeddings = 0 if shape.tied else next(one.elements for one in gguf.tensors if one.name == "token_embd.weight")
    assert sum(shape.matrices.values()) == gguf.parameters - norms - embeddings
    assert set(shape.matrices) == {"Q8_0"}


def test_each_layer_counts_its_own_heads(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("llama.attention.head_count_kv", U32, [4, 0, 1])
    layers = shape_of(read_gguf(write(parts, tmp_path))).layers
    assert [layer.kv_elements for layer in layers] == [4 * 2 * HEAD, 0, 2 * HEAD]


def test_what_recurrent_layers_remember_does_not_grow() -> None:
    numbers = {"block_count": 2, "embedding_length": 64, "ssm.inner_size": 128, "ssm.state_size": 16}
    metadata = {"general.architecture": "mamba", **{f"mamba.{name}": value for name, value in numbers.items()}}
    metadata["mamba.ssm.conv_kernel"] = 4
    shape = shape_of(replace(mistral_7b(), metadata=metadata))
    assert shape.state == 2 * (3 * 128 + 128 * 16) * 4
    assert shape.kv_elements == 0


def test_a_token_uses_its_share_of_a_mixture_of_experts() -> None:
    gguf = mistral_7b()
    numbers = {"llama.expert_count": 8, "llama.expert_used_count": 2, "llama.block_count": 1}
    tensors = (TensorInfo("blk.0.ffn_up_exps.weight", (64, 128, 8), "F16", 0, 131_072),)
    shape = shape_of(replace(gguf, metadata={**gguf.metadata, **numbers}, tensors=tensors))
    assert shape.layers[0].weights == 131_072
    assert shape.layers[0].matrices == {"F16": 64 * 128 * 2}


def test_bytes_of_a_type_are_whole_blocks() -> None:
    assert type_bytes("Q4_K", 4096) == 16 * 144
    assert type_bytes("Q8_0", 33) == 68
    assert type_bytes("F16", 5) == 10


def test_the_known_shape_of_the_default_model_is_as_large_as_its_file() -> None:
    shape = known_shape(load_registry().models["biomistral-7b-q4"])
    assert shape and shape.estimated
    assert abs(shape.weights / 4.368e9 - 1) < 0.002
    assert shape.kv_elements * 2 == 128 * 1024


@pytest.mark.parametrize("name", [spec.id for spec in load_registry().models.values() if spec.size_gb_estimate])
def test_known_shapes_are_as_large_as_the_registry_says(name: str) -> None:
    spec = load_registry().models[name]
    shape = known_shape(spec)
    assert shape and spec.size_gb_estimate
    assert abs(shape.weights / spec.size_gb_estimate / 1e9 - 1) < 0.07


def test_what_is_not_known_has_no_shape() -> None:
    registry = load_registry()
    assert known_shape(registry.models["qcammel-13-awq"]) is None
    assert known_shape(replace(registry.models["biomistral-7b-q4"], architecture="Unheard-of")) is None
    assert known_shape(replace(registry.models["biomistral-7b-q4"], shape={})) is None
