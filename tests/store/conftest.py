from collections.abc import Iterator
from pathlib import Path

import pytest

from medpocket.store import key
from medpocket.store.history import History


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.fixture
def history(folder: Path) -> Iterator[History]:
    opened = History.open(folder)
    assert opened
    with opened:
        yield opened


@pytest.fixture
def cheap_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that costs next to nothing: for tests of what is done with it."""
    monkeypatch.setattr(key, "_COST", 2**4)


def opened(folder: Path, passphrase: str | None = None) -> History:
    """The history in `folder`, opened as another process would."""
    found = History.open(folder, lambda: passphrase)
    assert found
    return found
