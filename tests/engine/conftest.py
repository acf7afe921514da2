from collections.abc import Iterator

import pytest

from medpocket.engine import load_engine
from medpocket.engine.llama import LlamaEngine
from tests.conftest import DEMO


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    """The demonstration model, loaded once a file."""
    loaded = load_engine(DEMO, context=512, threads=1)
    yield loaded
    loaded.close()
