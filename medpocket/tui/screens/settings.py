"""The settings: what each does, what it is now and where that comes from, and another value for it."""

from functools import partial

from textual import on, work
from textual.widgets import DataTable

from medpocket.errors import MedpocketError
from medpocket.tui.keys import SETTINGS, bindings
from medpocket.tui.messages import SettingChanged
from medpocket.tui.screens.list_screen import Labelled, ListScreen
from medpocket.tui.services import settings
from medpocket.tui.services.in_thread import in_thread


class SettingsScreen(ListScreen[list[settings.SettingRow]]):
    """A table of the settings, and all about the one that is highlighted."""

    HEADING = "Settings"
    NOTE = "Enter changes one"
    BINDINGS = bindings(SETTINGS)
    COLUMNS = ("Setting", "Now", "From")

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, settings.SettingRow] = {}

    def fetch(self) -> list[settings.SettingRow]:
        """Read the files anew."""
        return settings.rows()

    async def show(self, found: list[settings.SettingRow]) -> None:
        """A row a setting."""
        self._rows = {row.name: row for row in found}
        self.set_rows([(row.name, (row.name, row.value, row.source)) for row in found])

    def details(self, key: str) -> Labelled:
        """What it does, and all that is known of its value."""
        return settings.details(key)

    @on(DataTable.RowSelected)
    def action_change(self) -> None:
        """Ask for another value of the highlighted setting."""
        row = self._rows.get(self.highlighted or "")
        if row is None:
            return
        if row.decided:
            self.say(f"{row.name} is decided for this machine: who looks after it can change it")
        elif row.name == settings.KEYS:
            from medpocket.tui.screens.own_keys import OwnKeysScreen

            def back(_: None) -> None:
                self.reload()

            self.app.push_screen(OwnKeysScreen(), back)
        else:
            self._edit(row)

    def _edit(self, row: settings.SettingRow) -> None:
        from medpocket.tui.screens.edit_setting import EditSetting

        def taken(text: str | None) -> None:
            if text is not None:
                self.changed(row.name, f"{row.name} is {text.strip()}")

        take = partial(_take, row)
        value = row.value if row.choices or row.own is not None else ""
        self.app.push_screen(EditSetting(row.name, settings.must_be(row.name), value, row.choices, take), taken)

    @work(exclusive=True, group="change")
    async def action_unset(self) -> None:
        """Leave the highlighted setting to MedPocket, or to the machine's file."""
        row = self._rows.get(self.highlighted or "")
        if row is None:
            return
        if row.own is None:
            self.say(f"{row.name} is not in your file")
            return
        try:
            await in_thread(settings.unset, row.name, row.own)
        except MedpocketError as error:
            self.say(f"{error.message}\n{error.hint}")
            return
        self.changed(row.name, f"{row.name} is as it was before you set it")

    @work(exclusive=True, group="change")
    async def changed(self, name: str, what: str) -> None:
        """Show a setting as it is now, and have the app take it."""
        try:
            await self.show(await in_thread(self.fetch))
            self.post_message(SettingChanged(name, await in_thread(settings.chosen)))
        except MedpocketError as error:  # another line of the file is wrong
            self.say(f"{error.message}\n{error.hint}")
            return
        self.say(settings.written(name, what))


def _take(row: settings.SettingRow, text: str) -> None:
    settings.set_to(row.name, text, row.own)
