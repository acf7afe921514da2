from collections.abc import Callable
from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_check import check_model_file
from tests.models.gguf_editing import BOOL, F16_TENSOR, I32_TENSOR, STRING, U32, Parts, Tensor, parts_of, write
from tests.models.gguf_seeds import BUILDS, write_seed

NVFP4_TENSOR = 40


def refusal(path: Path) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        check_model_file(path)
    return caught.value


def refusal_of(folder: Path, change: Callable[[Parts], object], build: str = "llama") -> ModelFileError:
    parts = parts_of(build, folder)
    change(parts)
    return refusal(write(parts, folder))


@pytest.mark.parametrize("build", BUILDS)
def test_sound_models_are_accepted(tmp_path: Path, build: str) -> None:
    gguf = check_model_file(write_seed(tmp_path / "tiny.gguf", BUILDS[build]))
    assert gguf.architecture == BUILDS[build].architecture
    assert gguf.other_parts == ()


def test_a_real_small_model_is_accepted(shared: Path) -> None:
    gguf = check_model_file(shared / "models" / "stories260k-f32.gguf")
    assert (gguf.architecture, gguf.parameters, gguf.vocabulary_size) == ("llama", 292_800, 512)


def test_a_real_vocabulary_alone_is_refused(shared: Path) -> None:
    error = refusal(shared / "models" / "ggml-vocab-llama-spm.gguf")
    assert "only a vocabulary" in error.message


def test_a_vocabulary_alone_is_refused(tmp_path: Path) -> None:
    assert "only a vocabulary" in refusal_of(tmp_path, lambda parts: parts.tensors.clear()).message


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("general.type", "adapter", "an adapter (LoRA), not a model"),
        ("adapter.type", "lora", "an adapter (LoRA), not a model"),
        ("general.type", "mmproj", "an image encoder"),
        ("general.type", "imatrix", "an importance matrix"),
        ("general.type", "poem\n\x1b", "it calls itself poem??"),
        ("general.architecture", "clip", "an image encoder"),
        ("general.architecture", "nomic-bert", "an embedding model: it compares texts and writes none (nomic-bert)"),
        ("general.architecture", "t5", "an encoder-decoder model (t5)"),
        ("general.architecture", "whisper", "a speech recogniser (whisper)"),
        ("general.architecture", "dream", "a diffusion language model"),
        ("general.architecture", "eagle3", "a draft model"),
        ("general.architecture", "flux", "a model that makes pictures"),
        ("general.architecture", "llama\0", "an architecture that cannot be run: llama?"),
        ("general.architecture", "x" * 500, "cannot be run: xxx"),
    ],
)
def test_what_is_no_text_model_is_named(tmp_path: Path, key: str, value: str, what: str) -> None:
    error = refusal_of(tmp_path, lambda parts: parts.set(key, STRING, value))
    assert what in error.message
    assert len(error.message) < 160 and error.message.isprintable()


def test_a_file_without_an_architecture_is_refused(tmp_path: Path) -> None:
    assert "general.architecture" in refusal_of(tmp_path, lambda parts: parts.drop("general.architecture")).message


@pytest.mark.parametrize("key", ["attention.causal", "pooling_type"])
def test_an_embedding_model_of_a_decoder_build_is_named(tmp_path: Path, key: str) -> None:
    kind, value = (BOOL, 0) if key == "attention.causal" else (U32, 3)
    error = refusal_of(tmp_path, lambda parts: parts.set(f"qwen3.{key}", kind, value), "qwen3")
    assert "an embedding model" in error.message


@pytest.mark.parametrize(
    "name",
    [
        "token_embd.weight",
        "output_norm.weight",
        "blk.2.attn_norm.weight",
        "blk.0.attn_k.weight",
        "blk.1.ffn_down.weight",
    ],
)
def test_a_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    def drop(parts: Parts) -> None:
        parts.tensors.remove(parts.tensor(name))
        parts.layout()

    assert refusal_of(tmp_path, drop).message == f"model.gguf is damaged: tensor {name} is missing"


@pytest.mark.parametrize(
    ("build", "name"),
    [
        ("gemma2", "blk.0.post_ffw_norm.weight"),
        ("gemma3", "blk.0.attn_k_norm.weight"),
        ("qwen3", "blk.1.attn_q_norm.weight"),
        ("llama-experts", "blk.0.ffn_up_exps.weight"),
        ("phi3", "blk.0.ffn_up.weight"),
    ],
)
def test_a_familys_own_tensors_are_needed(tmp_path: Path, build: str, name: str) -> None:
    def drop(parts: Parts) -> None:
        parts.tensors.remove(parts.tensor(name))
        parts.layout()

    assert f"tensor {name} is missing" in refusal_of(tmp_path, drop, build).message


def test_a_model_without_any_queries_is_refused(tmp_path: Path) -> None:
    """Phi-3 without its joined matrix: llama.cpp reads a null pointer."""

    def drop(parts: Parts) -> None:
        parts.tensors = [tensor for tensor in parts.tensors if b"attn_qkv" not in tensor.name]
        parts.layout()

    assert "blk.0.attn_q.weight is missing" in refusal_of(tmp_path, drop, "phi3").message


def test_a_wrong_shape_is_named_with_the_right_one(tmp_path: Path) -> None:
    def widen(parts: Parts) -> None:
        parts.tensor("blk.0.attn_k.weight").shape = [64, 64]
        parts.layout()

    assert refusal_of(tmp_path, widen).message == (
        "model.gguf is damaged: tensor blk.0.attn_k.weight is 64 x 64, not 64 x 32"
    )


def test_a_vocabulary_that_does_not_fit_the_embeddings_is_refused(tmp_path: Path) -> None:
    def shorten(parts: Parts) -> None:
        parts.tensor("token_embd.weight").shape = [64, 200]
        parts.layout()

    assert "token_embd.weight is 64 x 200, not 64 x 383" in refusal_of(tmp_path, shorten).message


@pytest.mark.parametrize(
    ("name", "kind"),
    [("blk.0.attn_norm.weight", F16_TENSOR), ("blk.0.attn_q.weight", I32_TENSOR), ("blk.0.attn_q.weight", 9)],
)
def test_types_that_llama_cpp_aborts_on_are_refused(tmp_path: Path, name: str, kind: int) -> None:
    def retype(parts: Parts) -> None:
        parts.tensor(name).kind = kind
        parts.layout()

    assert f"tensor {name} has a type it cannot have" in refusal_of(tmp_path, retype).message


def test_scales_where_llama_cpp_asserts_that_none_are_are_refused(tmp_path: Path) -> None:
    def add(parts: Parts, *names: str) -> None:
        parts.tensors += [Tensor(name.encode(), [64], 0, 0) for name in names]
        parts.layout()

    def both(parts: Parts) -> None:
        parts.tensor("blk.0.ffn_down.weight").shape = [64, 64]
        parts.set("llama.feed_forward_length", U32, 64)
        for tensor in parts.tensors:
            if b"ffn_" in tensor.name and len(tensor.shape) == 2:
                tensor.kind, tensor.shape = NVFP4_TENSOR, [64, 64]
        add(parts, "blk.0.ffn_down.bias", "blk.0.ffn_down.scale")

    def tied(parts: Parts) -> None:
        parts.tensors.remove(parts.tensor("output.weight"))
        parts.tensor("token_embd.weight").kind = NVFP4_TENSOR
        add(parts, "output.scale")

    assert "both a scale and a bias" in refusal_of(tmp_path, both).message
    assert "a scale and no weights" in refusal_of(tmp_path, tied).message


def test_tensors_that_memory_mapping_would_misalign_are_refused(tmp_path: Path) -> None:
    def align(parts: Parts) -> None:
        parts.set("general.alignment", U32, 8)
        parts.alignment = 8
        parts.layout()

    assert "aligned to 8 bytes, not to 32" in refusal_of(tmp_path, align).message


def test_a_wider_alignment_is_accepted(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("general.alignment", U32, 128)
    parts.alignment = 128
    parts.layout()
    assert check_model_file(write(parts, tmp_path)).alignment == 128


def test_other_decoders_are_accepted_by_what_all_have_in_common(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.pairs = [(key.replace(b"llama.", b"granite."), kind, value) for key, kind, value in parts.pairs]
    parts.set("general.architecture", STRING, "granite")
    assert check_model_file(write(parts, tmp_path)).architecture == "granite"
