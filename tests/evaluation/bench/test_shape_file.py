from dataclasses import replace
from pathlib import Path

import pytest

from medpocket.engine import load_engine
from medpocket.errors import DiskShortError, MedpocketError
from medpocket.evaluation.bench import shape_file
from medpocket.evaluation.bench.engine_process import some_tokens
from medpocket.evaluation.bench.shape_file import SHAPES, tensors_of, write_shape_file
from medpocket.models.gguf_check import check_model_file
from medpocket.models.known_shapes import known_shape
from medpocket.models.shape import shape_of, type_bytes
from medpocket.registry import ModelSpec, load_registry

LENGTHS = {"layers": 9, "embedding": 256, "feed_forward": 512, "heads": 4, "kv_heads": 2}


@pytest.fixture(scope="module")
def small() -> ModelSpec:
    """The default model, of which every length is smaller."""
    return replace(load_registry().model(SHAPES["7b"]), shape=LENGTHS)


@pytest.fixture(scope="module")
def written(small: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shape") / "small.gguf"
    write_shape_file(small, path)
    return path


def test_the_file_has_the_shape_that_is_known_of_the_model(small: ModelSpec, written: Path) -> None:
    file = check_model_file(written)
    assert replace(shape_of(file), estimated=True) == known_shape(small)
    assert file.file_type == "Q4_K_M"
    assert [one.name for one in written.parent.iterdir()] == ["small.gguf"]


def test_the_file_of_the_default_model_has_its_size() -> None:
    spec = load_registry().model(load_registry().default_model)
    size = sum(rows * type_bytes(kind, row) for _, rows, row, kind in tensors_of(spec.shape))
    assert spec.id == SHAPES["7b"]
    assert spec.size_gb_estimate == pytest.approx(size / 1e9, abs=0.005)


def test_it_runs_and_is_marked_as_no_clinical_model(written: Path) -> None:
    engine = load_engine(written, context=256, threads=1)
    try:
        assert engine.model.demonstration
        assert len(some_tokens(engine, 100)) == 100
        assert all(number < 0 for number in engine.score(some_tokens(engine, 20), [5, 31_999]))
    finally:
        engine.close()


def test_a_file_that_is_there_is_not_overwritten(small: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"mine")
    with pytest.raises(MedpocketError, match="already"):
        write_shape_file(small, path)
    assert path.read_bytes() == b"mine"


def test_a_disk_without_room_is_noticed_before(
    small: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_file, "free_disk_bytes", lambda _folder: 10**6)
    with pytest.raises(DiskShortError, match="free"):
        write_shape_file(small, tmp_path / "small.gguf")
    assert not list(tmp_path.iterdir())


def test_nothing_stays_behind_where_writing_ends_early(small: ModelSpec, tmp_path: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shape_file(small, tmp_path / "small.gguf", written=interrupt)
    assert not list(tmp_path.iterdir())
