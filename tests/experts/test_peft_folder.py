"""A PEFT folder becomes a GGUF adapter that does the same."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from medpocket.errors import AdapterError
from medpocket.experts.peft_folder import CONFIG, WEIGHTS, permuted, read_peft_folder
from medpocket.models.gguf_check import check_model_file
from tests.conftest import DEMO

BASE = check_model_file(DEMO)
PREFIX = "base_model.model.model.layers."
SHAPES = {"self_attn.q_proj": (384, 384), "self_attn.k_proj": (128, 384), "mlp.down_proj": (384, 896)}


def tensors(rank: int = 8, layer: int = 0, modules: tuple[str, ...] = tuple(SHAPES)) -> dict[str, np.ndarray]:
    dice = np.random.default_rng(1)
    found = {}
    for module in modules:
        n_out, n_in = SHAPES[module]
        found[f"{PREFIX}{layer}.{module}.lora_A.weight"] = dice.standard_normal((rank, n_in)).astype(np.float32)
        found[f"{PREFIX}{layer}.{module}.lora_B.weight"] = dice.standard_normal((n_out, rank)).astype(np.float32)
    return found


def folder_with(path: Path, found: dict[str, np.ndarray] | None = None, **config: object) -> Path:
    path.mkdir(exist_ok=True)
    (path / CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": 8, "lora_alpha": 16, **config}))
    save_file(tensors() if found is None else found, path / WEIGHTS)
    return path


def change(path: Path, weight: str) -> np.ndarray:
    """What the adapter adds to the weight."""
    description, matrices = read_peft_folder(path, BASE)
    a, b = matrices[weight]
    return description.alpha / a.shape[0] * (b @ a)


def expected(module: str, scale: float, layer: int = 0) -> np.ndarray:
    given = tensors(layer=layer)
    return scale * given[f"{PREFIX}{layer}.{module}.lora_B.weight"] @ given[f"{PREFIX}{layer}.{module}.lora_A.weight"]


def test_the_scale_is_alpha_over_the_rank(tmp_path: Path) -> None:
    assert np.allclose(
        change(folder_with(tmp_path), "blk.0.ffn_down.weight"), expected("mlp.down_proj", 2.0), atol=1e-4
    )


def test_a_rank_stabilized_scale_is_alpha_over_its_root(tmp_path: Path) -> None:
    found = change(folder_with(tmp_path, use_rslora=True), "blk.0.ffn_down.weight")
    assert np.allclose(found, expected("mlp.down_proj", 16 / math.sqrt(8)), atol=1e-4)


def test_a_modules_own_alpha_counts(tmp_path: Path) -> None:
    found = change(folder_with(tmp_path, alpha_pattern={"down_proj": 4}), "blk.0.ffn_down.weight")
    assert np.allclose(found, expected("mlp.down_proj", 0.5), atol=1e-4)


@pytest.mark.parametrize(
    ("module", "name", "heads"), [("self_attn.q_proj", "attn_q", 6), ("self_attn.k_proj", "attn_k", 2)]
)
def test_rows_of_queries_and_keys_are_in_the_order_of_gguf(tmp_path: Path, module: str, name: str, heads: int) -> None:
    found = change(folder_with(tmp_path), f"blk.0.{name}.weight")
    assert np.allclose(found, permuted(expected(module, 2.0), heads), atol=1e-4)
    assert not np.allclose(found, expected(module, 2.0), atol=1e-4)


def test_different_ranks_become_one(tmp_path: Path) -> None:
    both = {**tensors(4, 1, ("mlp.down_proj",)), **tensors(8, 0, ("mlp.down_proj",))}
    _, matrices = read_peft_folder(folder_with(tmp_path, both), BASE)
    assert {a.shape[0] for a, _ in matrices.values()} == {8}
    assert np.allclose(change(tmp_path, "blk.0.ffn_down.weight"), 2 * both[f"{PREFIX}0.mlp.down_proj.lora_B.weight"]
                       @ both[f"{PREFIX}0.mlp.down_proj.lora_A.weight"], atol=1e-4)  # fmt: skip


def test_an_activated_adapter_keeps_its_tokens(tmp_path: Path) -> None:
    description, _ = read_peft_folder(folder_with(tmp_path, alora_invocation_tokens=[4]), BASE)
    assert description.invocation == (4,)


def test_unsupported_modules_are_named(tmp_path: Path) -> None:
    found = tensors()
    found["base_model.model.model.embed_tokens.lora_embedding_A"] = np.ones((8, 6144), np.float32)
    with pytest.raises(AdapterError, match=r"model\.embed_tokens\.lora_embedding_A"):
        read_peft_folder(folder_with(tmp_path, found), BASE)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"modules_to_save": ["lm_head"]}, "lm_head"),
        ({"lora_alpha": None}, "no lora_alpha"),
        ({"lora_alpha": 0}, "no lora_alpha"),
    ],
)
def test_what_llama_cpp_cannot_run_is_refused(tmp_path: Path, config: dict[str, object], reason: str) -> None:
    with pytest.raises(AdapterError, match=reason):
        read_peft_folder(folder_with(tmp_path, **config), BASE)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_config_is_refused(tmp_path: Path, content: bytes) -> None:
    folder_with(tmp_path)
    (tmp_path / CONFIG).write_bytes(content)
    with pytest.raises(AdapterError):
        read_peft_folder(tmp_path, BASE)


@pytest.mark.parametrize("length", [0, 7, 100, 5000])
def test_weights_cut_short_are_refused(tmp_path: Path, length: int) -> None:
    path = folder_with(tmp_path) / WEIGHTS
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(AdapterError, match="damaged"):
        read_peft_folder(tmp_path, BASE)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder_with(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(AdapterError, match=WEIGHTS):
        read_peft_folder(tmp_path, BASE)
