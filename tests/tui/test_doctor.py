from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from medpocket.tui.screens.doctor import DoctorScreen
from tests.tui.scripted_app import scripted_app, until

pytestmark = pytest.mark.anyio


def text_of(pilot: Pilot[None]) -> str:
    screen = pilot.app.screen
    return str(screen.query_one(".text", Static).render()) if isinstance(screen, DoctorScreen) else ""


async def test_the_doctor_says_what_is_wrong_and_what_mends_it_and_looks_again(home: Path) -> None:
    config = home / "config" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('theme = "pink"\n')
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f8")
        await until(pilot, lambda: "This machine" in text_of(pilot))
        assert "theme: must be" in text_of(pilot)
        assert "mend it, or delete the line" in text_of(pilot)
        config.unlink()
        await pilot.press("r")
        await until(pilot, lambda: "theme: must be" not in text_of(pilot))
        assert "demo" in text_of(pilot)


async def test_the_doctor_measures_nothing_while_the_app_is_open(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from medpocket.engine import probe

    def measured(*_: object, **__: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(probe, "measure_rates", measured)
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f8")
        await until(pilot, lambda: "This machine" in text_of(pilot))
        assert "fits: needs" in text_of(pilot)
        assert "tokens a second" not in text_of(pilot)
