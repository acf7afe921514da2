"""Which LoRA files are taken, and why the others are not."""

import shutil
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from medpocket.errors import AdapterError, MedpocketError
from medpocket.experts.adapter import Adapter, check_belongs, read_adapter
from medpocket.experts.matrices import Description, check_weights, read_matrices, write_adapter
from medpocket.models.gguf_check import check_model_file
from tests.conftest import DEMO
from tests.engine.random_adapters import INVOCATION, random_matrices, write_random_adapter

BASE = check_model_file(DEMO)
ZERO = {"blk.0.attn_v.weight": (np.ones((32, 384), np.float32), np.zeros((128, 32), np.float32))}


def described(**changes: object) -> Description:
    return replace(Description(architecture="llama", alpha=32.0, invocation=INVOCATION), **changes)  # type: ignore[arg-type]


def written(path: Path, matrices: object = None, kind: str = "q8_0", **changes: object) -> Path:
    write_adapter(path, described(**changes), matrices or random_matrices(1), kind)  # type: ignore[arg-type]
    return path


def raw(
    path: Path,
    *,
    alpha: float | None = 32.0,
    kind: str = "adapter",
    ids: tuple[int, ...] = (),
    ranks: tuple[int, ...] = (32,),
) -> Path:
    """A file as another program may write it: here without what ours always writes."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_type(kind)
    writer.add_string("adapter.type", "lora")
    if alpha is not None:
        writer.add_float32("adapter.lora.alpha", alpha)
    if ids:
        writer.add_array("adapter.alora.invocation_tokens", list(ids))  # INT32
    for layer, rank in enumerate(ranks):
        writer.add_tensor(f"blk.{layer}.attn_v.weight.lora_a", np.ones((rank, 384), np.float32))
        writer.add_tensor(f"blk.{layer}.attn_v.weight.lora_b", np.ones((128, rank), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def belongs(path: Path) -> Adapter:
    adapter = read_adapter(path)
    check_belongs(adapter, BASE)
    return adapter


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf", expert="cardiology", training_data="made up", licence="CC0", gain=0.5)
    adapter = belongs(path)
    assert (adapter.expert, adapter.training_data, adapter.licence, adapter.gain) == (
        "cardiology",
        "made up",
        "CC0",
        0.5,
    )
    assert (adapter.rank, adapter.alpha, adapter.invocation) == (32, 32.0, INVOCATION)
    assert adapter.targets == ("attn_v", "attn_output", "ffn_down")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("kind", "error"), [("f32", 0.0), ("f16", 1e-3), ("q8_0", 0.01), ("q5_0", 0.07), ("q4_0", 0.15)]
)
def test_every_quantization_holds_about_the_same_matrices(tmp_path: Path, kind: str, error: float) -> None:
    given = random_matrices(2)
    found = read_matrices(written(tmp_path / "a.gguf", given, kind))
    for weight, (a, b) in given.items():
        assert np.abs(found[weight][0] - a).max() <= error * np.abs(a).max() + 1e-9
        assert np.abs(found[weight][1] - b).max() <= error * np.abs(b).max() + 1e-9


def test_a_rank_that_cannot_be_quantized_is_padded_and_acts_as_before(tmp_path: Path) -> None:
    given = random_matrices(3, rank=8)
    path = written(tmp_path / "a.gguf", given, alpha=16.0)
    adapter = read_adapter(path)
    assert (adapter.rank, adapter.alpha / adapter.rank) == (32, 2.0)
    for weight, (a, b) in read_matrices(path).items():
        exact = given[weight][1] @ given[weight][0]
        assert np.abs(b @ a - exact).max() < 0.02 * np.abs(exact).max()


def refusals(folder: Path) -> dict[str, tuple[Path, str]]:
    other = {"blk.0.attn_v.weight": (np.ones((32, 100), np.float32), np.ones((128, 32), np.float32))}
    elsewhere = {"blk.9.attn_v.weight": (np.ones((32, 384), np.float32), np.ones((128, 32), np.float32))}
    return {
        "another base": (
            written(folder / "1.gguf", fingerprint="0" * 64, base_name="Other"),
            "another base model (Other)",
        ),
        "architecture": (written(folder / "2.gguf", architecture="qwen2"), "architecture qwen2, not llama"),
        "shape": (written(folder / "3.gguf", other, "f16"), "is 100 x 128, and this model's 384 x 128"),
        "no such layer": (written(folder / "4.gguf", elsewhere), "blk.9.attn_v.weight, which this model does not have"),
        "no alpha": (raw(folder / "5.gguf", alpha=None), "does not say its scale"),
        "zero scale": (raw(folder / "6.gguf", alpha=0.0), "no number above zero"),
        "no number as scale": (raw(folder / "7.gguf", alpha=float("nan")), "no number above zero"),
        "a model": (DEMO, "no LoRA adapter"),
        "not an adapter": (raw(folder / "8.gguf", kind="model"), "no LoRA adapter"),
        "signed tokens": (raw(folder / "9.gguf", ids=(4,)), "no list of numbers (UINT32)"),
        "unknown tokens": (written(folder / "10.gguf", invocation=(99_999,)), "vocabulary does not have"),
        "ranks": (raw(folder / "11.gguf", ranks=(16, 32)), "different ranks (16, 32)"),
    }


CASES = (
    *("another base", "architecture", "shape", "no such layer", "no alpha", "zero scale", "no number as scale"),
    *("a model", "not an adapter", "signed tokens", "unknown tokens", "ranks"),
)


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    path, reason = refusals(tmp_path)[case]
    with pytest.raises(AdapterError) as caught:
        belongs(path)
    assert reason in caught.value.message
    assert caught.value.hint


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    matrices = random_matrices(1)
    matrices["blk.2.attn_v.weight"][0][3, 3] = np.nan
    with pytest.raises(AdapterError, match=r"blk\.2\.attn_v\.weight holds values that are no numbers"):
        check_weights(written(tmp_path / "a.gguf", matrices, "f16"))


def test_matrices_that_change_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="would change nothing"):
        check_weights(written(tmp_path / "a.gguf", ZERO))


def test_a_file_that_is_cut_short_anywhere_is_refused_and_never_crashes(tmp_path: Path) -> None:
    whole = write_random_adapter(tmp_path / "whole.gguf", 1).read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in (0, 3, 20, 100, 500, 2000, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:length])
        with pytest.raises(MedpocketError):
            belongs(cut)


def test_nothing_half_written_is_left_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: gguf.GGUFWriter) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf.GGUFWriter, "write_tensors_to_file", full)
    with pytest.raises(OSError, match="space"):
        written(tmp_path / "a.gguf")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_has_the_same_hash(tmp_path: Path) -> None:
    first = write_random_adapter(tmp_path / "a.gguf", 1)
    second = Path(shutil.copy(first, tmp_path / "b.gguf"))
    assert read_adapter(first).sha256 == read_adapter(second).sha256
