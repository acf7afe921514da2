import math
from pathlib import Path
from typing import Any

import pytest

from medpocket.forge.corpus import Corpus
from medpocket.forge.gguf_export import export_model, permuted, tensor_name
from medpocket.forge.tokenizer import CLOSE, OPEN, Tokenizer, train_tokenizer

np = pytest.importorskip("numpy", reason="needs numpy (the extra `train`)")


def rotated_halves(x: Any, angle: Any) -> Any:
    """RoPE as transformers writes it: dimension i turns with dimension i + size/2."""
    first, second = np.split(x, 2)
    return np.concatenate(
        (first * np.cos(angle) - second * np.sin(angle), second * np.cos(angle) + first * np.sin(angle))
    )


def rotated_pairs(x: Any, angle: Any) -> Any:
    """RoPE as ggml writes it: dimension 2i turns with dimension 2i + 1."""
    even, odd = x[0::2], x[1::2]
    turned = np.empty_like(x)
    turned[0::2], turned[1::2] = even * np.cos(angle) - odd * np.sin(angle), odd * np.cos(angle) + even * np.sin(angle)
    return turned


def test_permuted_rows_give_the_same_attention_under_the_other_rotation() -> None:
    dice = np.random.default_rng(0)
    query, key, x, y = dice.normal(size=(8, 5)), dice.normal(size=(8, 5)), dice.normal(size=5), dice.normal(size=5)
    angles = np.array([0.3, 1.1])
    for head in (slice(0, 4), slice(4, 8)):
        halves = rotated_halves((query @ x)[head], 7 * angles) @ rotated_halves((key @ y)[head], 3 * angles)
        pairs = rotated_pairs((permuted(query, 2) @ x)[head], 7 * angles) @ rotated_pairs(
            (permuted(key, 2) @ y)[head], 3 * angles
        )
        assert math.isclose(halves, pairs, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.embed_tokens.weight", "token_embd.weight"),
        ("model.norm.weight", "output_norm.weight"),
        ("model.layers.11.self_attn.o_proj.weight", "blk.11.attn_output.weight"),
        ("model.layers.0.post_attention_layernorm.weight", "blk.0.ffn_norm.weight"),
        ("model.layers.3.mlp.down_proj.weight", "blk.3.ffn_down.weight"),
    ],
)
def test_tensors_have_llama_names(name: str, expected: str) -> None:
    assert tensor_name(name) == expected


def test_unknown_parameter_is_refused() -> None:
    with pytest.raises(KeyError):
        tensor_name("model.layers.0.self_attn.rotary.weight")


def tiny(corpus: Corpus) -> tuple[Any, Tokenizer]:
    pytest.importorskip("torch", reason="needs torch (the extra `train`)")
    pytest.importorskip("sentencepiece", reason="needs sentencepiece (the extra `train`)")
    from medpocket.forge.architecture import new_model

    tokenizer = Tokenizer.load(train_tokenizer([entry.answer for entry in corpus.train], pieces=384))
    return new_model(tokenizer.size, seed=0, layers=2, hidden=128, intermediate=160), tokenizer


@pytest.mark.prove
def test_file_says_what_it_is_and_holds_every_tensor(corpus: Corpus, tmp_path: Path) -> None:
    import gguf

    model, tokenizer = tiny(corpus)
    path = tmp_path / "tiny.gguf"
    export_model(model, tokenizer, path)
    reader = gguf.GGUFReader(path)
    fields = {key: field.contents() for key, field in reader.fields.items()}
    assert fields["general.architecture"] == "llama"
    assert fields["medpocket.demonstration"] is True
    assert "no clinical model" in fields["general.description"]
    assert "CC BY 4.0" in fields["medpocket.training_data"]
    kinds = fields["tokenizer.ggml.token_type"]
    assert [kinds[i] for i in (0, 1, 2, OPEN, CLOSE)] == [2, 3, 3, 3, 3]
    assert kinds.count(int(gguf.TokenType.BYTE)) == 256
    assert len(reader.tensors) == 2 * 9 + 2
    assert {tensor.tensor_type.name for tensor in reader.tensors} == {"Q8_0", "F32"}
    assert list(tmp_path.iterdir()) == [tmp_path / "data", path] or not list(tmp_path.glob("*.partial"))


@pytest.mark.prove
def test_failed_export_leaves_the_old_file(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gguf

    model, tokenizer = tiny(corpus)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf.GGUFWriter, "write_tensors_to_file", full)
    with pytest.raises(OSError, match="No space"):
        export_model(model, tokenizer, path)
    assert path.read_bytes() == b"old"
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.prove
@pytest.mark.parametrize(("matrices", "tolerance"), [("F32", 1e-2), ("Q8_0", 0.2)])
def test_llama_cpp_computes_what_torch_computes(
    corpus: Corpus, tmp_path: Path, matrices: str, tolerance: float
) -> None:
    import torch

    from tests.forge.llama_logits import logits_of

    model, tokenizer = tiny(corpus)
    with torch.no_grad():  # larger weights than a fresh model's, so that a wrong rotation shows
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4)
    path = tmp_path / "tiny.gguf"
    export_model(model, tokenizer, path, matrices)
    ids = [1, *tokenizer.prompt_ids("What is gout?"), *tokenizer.encode(corpus.train[0].answer)]
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([ids])).logits[0].float().numpy()
    found = logits_of(path, ids)
    assert found.shape == expected.shape
    assert np.abs(expected).max() > 5 * tolerance
    assert np.abs(found - expected).max() < tolerance
