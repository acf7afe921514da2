"""Ask for a key by having it pressed."""

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from medpocket.tui.keys import SCREEN, all_keys, bindings, clashing, is_typed_there


class CatchKey(ModalScreen["str | None"]):
    """Gives the name of the key that was pressed; None where Escape was."""

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    CatchKey {
        align: center middle;
        #box { width: 64; max-width: 95%; height: auto; background: $surface; padding: 1 2; }
        .heading { text-style: bold; }
        .wrong { color: $text-warning; margin-top: 1; height: auto; }
        .hint { color: $text-muted; margin-top: 1; }
    }
    """

    def __init__(self, id_: str, chosen: Mapping[str, str]) -> None:
        super().__init__()
        self._of, self._chosen = id_, chosen
        self._asked_twice = ""

    def compose(self) -> ComposeResult:
        """What the key is for, and what stands against the one that was pressed."""
        with Vertical(id="box"):
            yield Static(Content(f"Press the key for {self._of}"), classes="heading")
            yield Static(Content(all_keys()[self._of].tooltip))
            yield Static(classes="wrong")
            yield Static(Content("Escape changes nothing."), classes="hint")

    def on_key(self, event: events.Key) -> None:
        """Take the key, unless something stands against it; one that is taken already, when it is pressed again."""
        key = event.key
        bound = self.active_bindings.get(key)
        if bound and bound.binding.id == "screen.close":
            return
        event.stop()
        event.prevent_default()
        other = clashing(self._of, key, self._chosen)
        if event.is_printable and is_typed_there(self._of):
            self._say(f"{key} is needed to type: take one with Ctrl, or a function key")
        elif other and key != self._asked_twice:
            self._asked_twice = key
            self._say(f"{key} is {other.id} ({other.label}); press it again to take it all the same")
        else:
            self.dismiss(key)

    def _say(self, text: str) -> None:
        self.query_one(".wrong", Static).update(Content(text))

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)
