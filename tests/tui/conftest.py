from pathlib import Path

import pytest

from medpocket.tui.first_run import tour_was_seen


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def seen_tour(home: Path) -> None:
    """Every app begins as one that was open before, those in a terminal of their own too."""
    tour_was_seen()
