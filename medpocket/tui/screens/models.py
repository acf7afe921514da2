"""The models: what is here, what can be got, what runs on this machine, and all that is done with their files."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual import work

from medpocket.errors import MedpocketError
from medpocket.tui.keys import MODELS, RELOAD, bindings
from medpocket.tui.screens.confirm import Confirm
from medpocket.tui.screens.import_model import ImportModel
from medpocket.tui.screens.list_screen import Labelled, ListScreen
from medpocket.tui.services import getting_models, models
from medpocket.tui.services.in_thread import in_thread
from medpocket.tui.widgets.transfer_lines import TransferLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from medpocket.tui.app import MedpocketApp

_LOOK_S = 0.25  # between two looks at what is going on


class ModelsScreen(ListScreen[list[models.ModelRow]]):
    """A table of the models, and all about the one that is highlighted; work on files goes on when it is closed."""

    HEADING = "Models"
    BINDINGS = bindings((*MODELS, *RELOAD))
    COLUMNS = ("Model", "Weights", "Size", "Fits in memory", "State")
    NOTE = "fits in memory: with what it needs here"

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, models.ModelRow] = {}
        self._going_on: dict[str, str] = {}  # by model, as the table has it
        self._in_use: str | None = None
        self._ended = 0  # transfers, when the models were read

    @property
    def medpocket(self) -> "MedpocketApp":
        return cast("MedpocketApp", self.app)

    def compose_body(self) -> "ComposeResult":
        """The table and the details, and what is going on below them."""
        yield from super().compose_body()
        yield TransferLines()

    def on_mount(self) -> None:
        """Look at what is going on, from now on."""
        self._ended = self.medpocket.transfers.ended
        self._look()
        self.set_interval(_LOOK_S, self._look)

    def fetch(self) -> list[models.ModelRow]:
        """Read the registry, the records and the files' headers."""
        return models.rows()

    async def show(self, found: list[models.ModelRow]) -> None:
        """A row a model."""
        self._rows = {row.id: row for row in found}
        self._draw_rows()

    def details(self, key: str) -> Labelled:
        """Its row of the registry, its record, its file, and how it would run here."""
        return models.details(key)

    # What is going on

    @property
    def _answering(self) -> str | None:
        """The id of the model that answers."""
        model = self.medpocket.chat.status.model
        return model.id if model else None

    def _look(self) -> None:
        """Show how far everything is; read the models anew where something ended."""
        running, status = self.medpocket.transfers.running(), self.medpocket.chat.status
        self.query_one(TransferLines).show(running, "" if status.model else status.saying)
        going_on = {one.model: one.doing for one in running}
        if (going_on, self._answering) != (self._going_on, self._in_use):
            self._going_on, self._in_use = going_on, self._answering
            self._draw_rows()
        ended = self.medpocket.transfers.ended
        if ended != self._ended:  # one may begin and end between two looks
            self._ended = ended
            self.look_anew()

    @work(exclusive=True, group="rows")
    async def look_anew(self) -> None:
        """Read the models anew, and leave what is said in its place."""
        try:
            await self.show(await in_thread(self.fetch))
        except MedpocketError as error:
            self.complain(error)
            return
        self.show_details()

    def _draw_rows(self) -> None:
        self.set_rows(
            [(row.id, (row.id, row.quantization, row.size, row.fit, self._state(row))) for row in self._rows.values()]
        )

    def _state(self, row: models.ModelRow) -> str:
        if row.id in self._going_on:
            return self._going_on[row.id]
        if row.id == self._in_use:
            return "answers now" if row.is_here else f"answers now, {row.state}"
        return row.state

    # What the user does

    @work(exclusive=True, group="use")
    async def action_use(self) -> None:
        """Have the highlighted model answer; the one that answers stays until its file is found to be good."""
        row = self._row()
        if row is None:
            return
        if not row.is_here:
            self.say(f"{row.title}: {row.state}. Download gets it, Import takes it from a stick")
            return
        self.say(f"Looking at the file of {row.title}")
        if await self._tried(models.check_loadable, row.id):
            waits = bool(self.medpocket.chat.conversation.open)
            self.medpocket.engine.load(row.id)
            self.say(f"{row.title} is loaded when the answer that is coming has ended" if waits else "")

    @work(exclusive=True, group="download")
    async def action_download(self) -> None:
        """Ask the hub for the highlighted model, then the user; fetch it."""
        row = self._row()
        if row is None:
            return
        self.say(f"Asking the hub about {row.title}")
        try:
            offer = await in_thread(getting_models.ask_hub, self.medpocket.transfers, row.id)
        except MedpocketError as error:
            self.complain(error)
            return
        self.say("")
        ask = Confirm(f"Download {row.title}?", offer.text, yes="Accept the licence, and download", no="Not now")
        if offer.is_accepted or await self.app.push_screen_wait(ask):
            await self._tried(getting_models.download, self.medpocket.transfers, offer)
            self._look()

    def action_stop_transfer(self) -> None:
        """Stop what is going on with the highlighted model, or all there is where that is something else."""
        running = [one.model for one in self.medpocket.transfers.running()]
        if not running:
            self.say("Nothing is going on that could be stopped")
        elif self.highlighted in running:
            self.medpocket.transfers.stop(self.highlighted)
        elif len(running) == 1:
            self.medpocket.transfers.stop(running[0])
        else:
            self.say(f"Go to one of them first: {', '.join(running)}")

    @work(exclusive=True, group="import")
    async def action_import_model(self) -> None:
        """Ask for a path, say what lies there, and take it over."""
        wanted = await self.app.push_screen_wait(ImportModel())
        if wanted is None:
            return
        self.say("Looking at what lies there")
        try:
            brought = await in_thread(getting_models.look_at, wanted.path, wanted.name)
        except MedpocketError as error:
            self.complain(error)
            return
        self.say("")
        heading = f"Import it as {brought.name}?"
        if brought.replaces:
            heading = f"Import it in the place of the {brought.name} that is here?"
        yes = "Use it where it lies" if wanted.link else "Copy it"
        if await self.app.push_screen_wait(Confirm(heading, brought.text, yes=yes, no="Not now")):
            await self._tried(lambda: getting_models.bring(self.medpocket.transfers, brought, link=wanted.link))
            self._look()

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Read all of the highlighted model's files, and compare them with the record."""
        row = self._row()
        if row and await self._tried(models.verify, self.medpocket.transfers, row.id):
            self._look()

    @work(exclusive=True, group="remove")
    async def action_remove(self) -> None:
        """Delete the highlighted model, where the user says so once more."""
        row = self._row()
        if row is None:
            return
        if row.id == self._answering:
            self.say(f"{row.title} answers now. Use another model first, then remove it")
            return
        going_on = self.medpocket.transfers.of(row.id)
        if going_on:
            self.say(f"{row.title}: {going_on.doing} goes on. Stop it first")
            return
        try:
            text = await in_thread(models.removal, row.id)
            ask = Confirm(f"Remove {row.title}?", text, yes="Remove it", no="Keep it")
            if not await self.app.push_screen_wait(ask):
                return
            removed = await in_thread(models.remove, row.id)
        except MedpocketError as error:
            self.complain(error)
            return
        self.say("")
        self.notify(removed, markup=False)
        self.look_anew()

    def _row(self) -> models.ModelRow | None:
        return self._rows.get(self.highlighted or "")

    async def _tried(self, function: Callable[..., object], *arguments: object) -> bool:
        """Call it in a thread; say what went wrong, or nothing."""
        try:
            await in_thread(function, *arguments)
        except MedpocketError as error:
            self.complain(error)
            return False
        self.say("")
        return True

    def complain(self, error: MedpocketError) -> None:
        """Say what is wrong and what to do."""
        self.say(f"{error.message}\n{error.hint}")
