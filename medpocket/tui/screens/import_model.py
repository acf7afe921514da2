"""Ask where a model lies that is to be taken over."""

import os
from dataclasses import dataclass
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from medpocket.errors import MedpocketError
from medpocket.text import is_control
from medpocket.tui.keys import SCREEN, bindings
from medpocket.tui.services.in_thread import in_thread
from medpocket.tui.widgets.yes_or_no import YesOrNo

_HINT = """\
The path is that of a GGUF file, or of a folder with one: a stick, a share, another MedPocket's models. \
Right takes what is suggested, Tab goes to the next field, Enter goes on, Escape changes nothing."""
_MOST_LOOKED_AT = 2_000  # names of a folder


@dataclass(frozen=True)
class Wanted:
    """What is to be taken over: its path, a name for it or '', and whether the file stays where it is."""

    path: str
    name: str
    link: bool


class ImportModel(ModalScreen[Wanted | None]):
    """A path, a name, and whether the file stays where it is."""

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    ImportModel {
        align: center middle;
        #box { width: 76; max-width: 95%; height: auto; background: $surface; padding: 1 2; }
        .heading { text-style: bold; }
        .hint { color: $text-muted; margin: 1 0 0 0; }
        Input { margin: 1 0 0 0; }
        YesOrNo { margin: 1 0 0 0; background: $surface; }
    }
    """

    def compose(self) -> ComposeResult:
        """Heading, path, the choice, what to do."""
        with Vertical(id="box"):
            yield Static(Content("Import a model"), classes="heading")
            yield Input(placeholder="path, such as /media/stick", compact=True, suggester=_Paths(), id="path")
            yield Input(placeholder="name to keep it under; may stay empty", compact=True, id="name")
            yield YesOrNo("Use it where it lies: nothing is copied, and it must stay there", compact=True)
            yield Static(Content(_HINT), classes="hint")

    @on(Input.Submitted)
    def take(self) -> None:
        """Close with what was typed."""
        path, name = (self.query_one(id_, Input).value.strip() for id_ in ("#path", "#name"))
        self.dismiss(Wanted(path, name, self.query_one(YesOrNo).value))

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)


class _Paths(Suggester):
    """Suggests the first path that begins with what was typed: a folder, or a GGUF file."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Look, in a thread: a share may take its time."""
        try:
            return await in_thread(_first_path, value)
        except MedpocketError:
            return None


def _first_path(typed: str) -> str | None:
    folder, slash, begun = typed.rpartition("/")
    if not slash:
        return None
    names = []
    with os.scandir(Path(f"{folder}/").expanduser()) as entries:
        for entry, _ in zip(entries, range(_MOST_LOOKED_AT), strict=False):
            wanted = entry.is_dir() or entry.name.lower().endswith(".gguf")
            if wanted and entry.name.startswith(begun) and (begun or not entry.name.startswith(".")):
                names.append(f"{entry.name}/" if entry.is_dir() else entry.name)
    found = min(names, default="")
    return f"{folder}/{found}" if found and not any(map(is_control, found)) else None
