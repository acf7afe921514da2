"""Every key of the app by its id, and other keys for it."""

from textual import on, work
from textual.widgets import DataTable

from medpocket.errors import MedpocketError
from medpocket.tui.keys import SETTINGS, all_keys, bindings
from medpocket.tui.messages import SettingChanged
from medpocket.tui.screens.list_screen import Labelled, ListScreen
from medpocket.tui.services import settings
from medpocket.tui.services.in_thread import in_thread


class OwnKeysScreen(ListScreen[dict[str, str]]):
    """A table of the keys; one is changed by pressing another."""

    HEADING = "Keys"
    NOTE = "Enter, then the new key"
    BINDINGS = bindings(SETTINGS)
    COLUMNS = ("Id", "Keys", "What it does")

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, str] = {}  # by id: what the user's file says
        self._chosen: dict[str, str] = {}  # by id: what holds

    def fetch(self) -> dict[str, str]:
        """Read the files anew."""
        self._own = settings.own_keys()
        return dict(settings.chosen().keys)

    async def show(self, found: dict[str, str]) -> None:
        """A row a key."""
        self._chosen = found
        known = all_keys().values()
        self.set_rows([(key.id, (key.id, found.get(key.id, key.keys), key.tooltip)) for key in known])

    def details(self, key: str) -> Labelled:
        """Which keys it has, and which it had."""
        known = all_keys()[key]
        now = self._chosen.get(key, known.keys)
        lines = [(key, ""), ("", known.tooltip), ("", ""), ("now", now), ("built in", known.keys)]
        if key in self._own:
            lines.append(("", "It is yours: Unset takes it back."))
        return lines

    @on(DataTable.RowSelected)
    def action_change(self) -> None:
        """Have the new key pressed."""
        from medpocket.tui.screens.catch_key import CatchKey

        id_ = self.highlighted
        if id_ is None:
            return

        def caught(key: str | None) -> None:
            if key is not None:
                self.give(id_, key)

        self.app.push_screen(CatchKey(id_, self._chosen), caught)

    def action_unset(self) -> None:
        """Give the highlighted action its own keys again."""
        id_ = self.highlighted
        if id_ in self._own:
            self.give(id_, None)
        elif id_:
            self.say(f"{id_} has its own keys")

    @work(exclusive=True, group="change")
    async def give(self, id_: str, key: str | None) -> None:
        """Write the key, and have the app take it."""
        try:
            await in_thread(settings.set_key, id_, key, self._own.get(id_))
            await self.show(await in_thread(self.fetch))
            self.post_message(SettingChanged(settings.KEYS, await in_thread(settings.chosen)))
        except MedpocketError as error:
            self.say(f"{error.message}\n{error.hint}")
            return
        self.say(settings.written(settings.KEYS, f"{id_} is {key or all_keys()[id_].keys}"))
