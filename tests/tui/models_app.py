"""The app with its Models screen open, for tests: a registry with two small models, and what loads is recorded."""

from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from medpocket.errors import MedpocketError
from medpocket.tui.app import MedpocketApp
from medpocket.tui.screens.confirm import Confirm
from medpocket.tui.screens.models import ModelsScreen
from medpocket.tui.services.engine_thread import Loaded, LoadModel, Post
from medpocket.tui.widgets.transfer_lines import TransferLines
from tests.models.test_import import SEED_ROW
from tests.tui.scripted_app import Script, until

TINY = SEED_ROW + 'advisory = "Mind what it says."\n'
OTHER = SEED_ROW.replace("models.tiny", "models.other").replace("tiny-model", "other-model").replace("Tiny", "Other")


def add_rows(home: Path) -> None:
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "models.toml").write_text(TINY + OTHER)


def models_app(
    *answers: str, broken: str = "", hold_before: int | None = None
) -> tuple[MedpocketApp, list[str | None]]:
    """An app, and the names that it was asked to load; loading `broken` fails."""
    script, asked = Script(answers, hold_before), list[str | None]()

    def load(request: LoadModel, post: Post) -> Loaded:
        asked.append(request.name)
        if request.name == broken:
            raise MedpocketError("there is too little memory", "close other programs")
        loaded = script.load(request, post)
        name = request.name or "scripted"
        return replace(loaded, info=replace(loaded.info, id=name, name=name.title()))

    return MedpocketApp(load), asked


async def open_models(pilot: Pilot[None], row: str = "demo") -> ModelsScreen:
    """Press the key of the Models screen, and go to a row."""
    await pilot.press("f3")
    await until(pilot, lambda: isinstance(pilot.app.screen, ModelsScreen) and table(pilot).row_count)
    screen = pilot.app.screen
    assert isinstance(screen, ModelsScreen)
    await until(pilot, lambda: screen._in_use)
    await go_to(pilot, row)
    return screen


async def go_to(pilot: Pilot[None], row: str) -> None:
    keys = [key.value for key in table(pilot).rows]
    table(pilot).move_cursor(row=keys.index(row))
    await until(pilot, lambda: pilot.app.screen.highlighted == row)  # type: ignore[attr-defined]


def table(pilot: Pilot[None]) -> DataTable[object]:
    return pilot.app.screen.query_one(DataTable)


def cells(pilot: Pilot[None], row: str) -> list[str]:
    """The row as it is shown; empty while another screen is over it."""
    screen = pilot.app.screen
    found = screen.query(DataTable)
    if not found or row not in {key.value for key in found.first(DataTable).rows}:
        return [""] * 5
    return [str(cell) for cell in table(pilot).get_row(row)]


def state(pilot: Pilot[None], row: str) -> str:
    return cells(pilot, row)[4]


def said(pilot: Pilot[None]) -> str:
    """What stands above the keys."""
    return " ".join(str(one.render()) for one in pilot.app.screen.query(".saying").results(Static))


def going_on(pilot: Pilot[None]) -> str:
    return " ".join(str(one.render()) for one in pilot.app.screen.query(TransferLines))


def details(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one(".details .text", Static).render())


def told(pilot: Pilot[None]) -> str:
    """All toasts."""
    return "\n".join(f"{one.title} {one.message}" for one in pilot.app._notifications)


async def confirm(pilot: Pilot[None], key: str) -> str:
    """Answer the question that comes with a key; return its text."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    await pilot.pause()
    text = " ".join(str(one.render()) for one in pilot.app.screen.query(Static))
    await pilot.press(key)
    await until(pilot, lambda: not isinstance(pilot.app.screen, Confirm))
    return text


async def has_told(pilot: Pilot[None], words: str) -> None:
    """Wait for a toast with these words."""
    await until(pilot, lambda: words in told(pilot))
