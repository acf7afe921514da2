from pathlib import Path

import numpy as np
import pytest

from medpocket import paths
from medpocket.errors import RouterError
from medpocket.router.route import FILE_NAME, load_router
from medpocket.router.weights import read_weights, write_weights


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "router.bin"
    write_weights(path, {"names": "a\nä", "table": np.arange(6, dtype=np.int8).reshape(2, 3)})
    return path


def test_what_was_written_is_read(written: Path) -> None:
    content = read_weights(written)
    assert content["names"] == "a\nä"
    table = content["table"]
    assert isinstance(table, np.ndarray)
    assert table.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_any_changed_byte_is_refused_with_the_command_that_repairs(written: Path) -> None:
    good = written.read_bytes()
    for place in range(len(good)):
        written.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(RouterError) as caught:
            read_weights(written)
        assert "git restore assets/router.bin" in caught.value.hint
        assert "pip install --force-reinstall" in caught.value.hint


@pytest.mark.parametrize("length", [0, 5, 31, 40])
def test_a_cut_file_is_refused(written: Path, length: int) -> None:
    written.write_bytes(written.read_bytes()[:length])
    with pytest.raises(RouterError):
        read_weights(written)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RouterError):
        load_router(tmp_path / "none.bin")


def test_the_shipped_weights_are_at_most_6_mb() -> None:
    assert (paths.assets_folder() / FILE_NAME).stat().st_size <= 6_000_000
