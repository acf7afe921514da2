from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from medpocket.registry import load_registry
from medpocket.tui.screens.experts import ExpertsScreen
from tests.tui.scripted_app import scripted_app, until

pytestmark = pytest.mark.anyio


def table(pilot: Pilot[None]) -> DataTable[object]:
    return pilot.app.screen.query_one(DataTable)


def text_of(pilot: Pilot[None], selector: str) -> str:
    return str(pilot.app.screen.query_one(selector, Static).render())


async def open_experts(pilot: Pilot[None]) -> None:
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(pilot.app.screen, ExpertsScreen) and table(pilot).row_count)


async def test_the_experts_stand_in_a_table_with_what_their_adapters_are_worth() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_experts(pilot)
        rows = [[str(cell) for cell in table(pilot).get_row_at(place)] for place in range(table(pilot).row_count)]
        assert [row[0] for row in rows] == list(load_registry().experts)
        cardiology = next(row for row in rows if row[0] == "cardiology")
        assert "demonstration" in cardiology[1]
        assert cardiology[2].endswith("MB")
        assert cardiology[3].startswith("x 0.")


async def test_moving_through_the_experts_says_all_about_each() -> None:
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_experts(pilot)
        await pilot.press("down")
        pulmonology = load_registry().expert("pulmonology")
        await until(pilot, lambda: pulmonology.description in text_of(pilot, ".details .text"))
        assert pulmonology.system in text_of(pilot, ".details .text")
        assert "SHA-256" in text_of(pilot, ".details .text")


async def test_v_reads_the_adapters_of_an_expert_and_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medpocket.experts.library import Library
    from medpocket.tui.services import experts

    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await open_experts(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "good" in text_of(pilot, ".saying"))
        damaged = tmp_path / "shipped"
        damaged.mkdir()
        shipped = Library().shipped
        (damaged / "experts.json").write_bytes((shipped / "experts.json").read_bytes())
        content = bytearray((shipped / "cardiology.gguf").read_bytes())
        content[-5] ^= 1
        (damaged / "cardiology.gguf").write_bytes(content)
        monkeypatch.setattr(experts, "Library", lambda: Library(shipped=damaged))
        await pilot.press("v")
        await until(pilot, lambda: "not the file that was added" in text_of(pilot, ".saying"))


async def test_a_broken_record_is_told_and_the_way_back_works(home: Path) -> None:
    record = home / "data" / "experts" / "experts.json"
    record.parent.mkdir(parents=True)
    record.write_text("[red]not JSON")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f4")
        await until(pilot, lambda: "is damaged" in text_of(pilot, ".saying"))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is app.chat)
