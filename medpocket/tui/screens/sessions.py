"""The conversations of the history: found, read, gone on with, renamed and deleted."""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from medpocket.errors import MedpocketError
from medpocket.tui.keys import SESSIONS, bindings
from medpocket.tui.screens.ask_line import AskLine
from medpocket.tui.screens.base import InfoScreen
from medpocket.tui.screens.confirm import Confirm
from medpocket.tui.services import sessions
from medpocket.tui.services.deletions import HELD_S
from medpocket.tui.services.history import HistoryState
from medpocket.tui.services.in_thread import OneAtATime
from medpocket.tui.services.sessions import Listing, Session
from medpocket.tui.widgets.paged_list import PagedList, Row
from medpocket.tui.widgets.session_preview import drawn
from medpocket.tui.widgets.wording import BETWEEN

if TYPE_CHECKING:
    from medpocket.tui.app import MedpocketApp

_PAUSE_S = 0.04  # after the last key, before it is looked for
_TICK_S = 0.5  # between two looks at what other windows wrote, and at what is to be deleted
_LONGEST_TITLE = 200  # characters
_MOST_KNOWN = 4000  # rows; with more, those out of sight are forgotten
_OPEN = (HistoryState.OPEN, HistoryState.ENCRYPTED)
_NOTHING_YET = "Nothing is kept yet: what you ask will stand here."
_FOR_GOOD = (
    "It is overwritten on the disk, and every backup of the history goes with it. "
    "That is done after {seconds} seconds, or when this screen is left; until then {key} takes it back."
)
_NEEDS_ONE = ("open_session", "rename", "delete")


class SessionsScreen(InfoScreen[Listing]):
    """A search line, the conversations that it finds, and the beginning of the highlighted one."""

    HEADING = "Sessions"
    BINDINGS = bindings(SESSIONS)
    AUTO_FOCUS = "#search"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    DEFAULT_CSS = """
    SessionsScreen {
        #search { padding: 0 2; border: none; height: 1; margin: 1 0; background: $surface; }
        .split { height: 1fr; layout: vertical; }
        PagedList { height: 3fr; }
        .details { height: 2fr; padding: 0 2; border-top: solid $panel; }
        .details:focus { border-top: solid $border; }
        &.-wide .split { layout: horizontal; }
        &.-wide PagedList { width: 2fr; max-width: 90; height: 1fr; }
        &.-wide .details { width: 3fr; height: 1fr; border-top: none; border-left: vkey $panel; }
        &.-wide .details:focus { border-left: vkey $border; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, Session] = {}
        self._timer: Timer | None = None
        self._from_top = True
        self._changes = 0
        self._problems: tuple[str, ...] = ()
        self._state: HistoryState | None = None
        self._list_anew = OneAtATime(self._find)
        self._preview_anew = OneAtATime(self._preview)

    @property
    def medpocket(self) -> "MedpocketApp":
        """The app, which has the history and the chat."""
        return cast("MedpocketApp", self.app)

    def compose_body(self) -> ComposeResult:
        """The search line, the list, the preview."""
        yield Input(
            placeholder='search: words, "side by side", expert:cardiology, after:2026-01-01', compact=True, id="search"
        )
        with Container(classes="split"):
            yield PagedList()
            with VerticalScroll(classes="details"):
                yield Static(classes="text")

    def on_mount(self) -> None:
        """List everything, and look for changes from now on."""
        self.reload()
        self.set_interval(_TICK_S, self._tick)

    def on_screen_resume(self) -> None:
        """Show nothing of a history that was locked meanwhile."""
        if self.medpocket.history.state is not self._state and self._state is not None:
            self._show_none()
            self.reload()

    def on_unmount(self) -> None:
        """Carry out the deletions that were held back."""
        if self.medpocket.history.deletions:
            self.app.run_worker(self.medpocket.delete_held(due_only=False))

    # What is found

    @on(Input.Changed, "#search")
    def search_soon(self) -> None:
        """Look for what is typed when the typing pauses."""
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE_S, self._search)

    def _search(self) -> None:
        self._from_top = True
        self.reload()

    @work(group="list")
    async def reload(self) -> None:
        """Find anew what is shown."""
        await self._list_anew()

    async def _find(self) -> None:
        history = self.medpocket.history
        self._state = history.state
        from_top, self._from_top = self._from_top, False
        near = None if from_top else self.query_one(PagedList).highlighted
        try:
            found = await history.call(partial(sessions.listing, text=self._text, near=near))
        except MedpocketError:
            self._show_none()
            return
        await self._show_found(found, from_top=from_top)

    async def _show_found(self, found: Listing, *, from_top: bool) -> None:
        self._rows = found.rows
        rows = self.query_one(PagedList)
        rows.set_keys(found.ids, self._drawn(), from_top=from_top)
        count = f"{len(found.ids):,}"
        counted = f"{count} found" if self._text.strip() else "1 kept" if len(found.ids) == 1 else f"{count} kept"
        self._show_heading(counted)
        self._say_what_is_held(found.problems)
        self.refresh_bindings()
        await self._preview_anew()

    def _show_none(self) -> None:
        """Say why there is no history, and what to do."""
        self._rows = {}
        self.query_one(PagedList).set_keys((), {}, from_top=True)
        self.query_one(".details .text", Static).update("")
        self._show_heading("")
        history = self.medpocket.history
        if history.state is HistoryState.LOCKED:
            self.say("The history is locked: nothing is kept or shown.\nEnter asks for its passphrase.")
        elif history.problem:
            self.say(f"{history.problem.message}\n{history.problem.hint}")
        else:
            self.say("The history is off: nothing is kept.\n`medpocket history on` keeps what is asked from then on.")
        self.refresh_bindings()

    @property
    def _text(self) -> str:
        return self.query_one("#search", Input).value

    def _show_heading(self, counted: str) -> None:
        self.query_one(".heading", Static).update(
            Content.assemble((self.HEADING, "bold $text-primary"), f"   {counted}")
        )

    def _drawn(self) -> dict[str, Row]:
        held = self.medpocket.history.deletions
        return {
            id_: Row(one.title, BETWEEN.join(("to be deleted", *one.facts) if id_ in held else one.facts), id_ in held)
            for id_, one in self._rows.items()
        }

    @on(PagedList.Missing)
    @work(group="rows")
    async def _read_missing(self, event: PagedList.Missing) -> None:
        try:
            found = await self.medpocket.history.call(partial(sessions.rows, ids=event.keys))
        except MedpocketError:  # the next look at the history meets it too, and says so
            return
        if len(self._rows) > _MOST_KNOWN:
            self._rows = {}
        self._rows |= found
        self.query_one(PagedList).set_rows(self._drawn())

    @on(PagedList.Moved)
    @work(group="preview")
    async def _moved(self) -> None:
        self.refresh_bindings()
        await self._preview_anew()

    async def _preview(self) -> None:
        key = self.query_one(PagedList).highlighted
        place = self.query_one(".details .text", Static)
        if key is None:
            place.update(Content("" if self._state is None else "Nothing was found." if self._text else _NOTHING_YET))
            return
        try:
            place.update(drawn(await self.medpocket.history.call(partial(sessions.preview, id_=key, text=self._text))))
        except MedpocketError as error:
            place.update(Content(f"{error.message}\n{error.hint}"))

    # What changes meanwhile

    @work(exclusive=True, group="tick")
    async def _tick(self) -> None:
        """Delete what is due; see what other windows wrote, and whether the history was locked."""
        history = self.medpocket.history
        if history.deletions and not history.deletions.seconds_left():
            await self.medpocket.delete_held(due_only=True)
            self.reload()
        self._say_what_is_held()
        try:
            changes = await history.changes()
        except MedpocketError:
            return
        if changes != self._changes or history.state is not self._state:
            self._changes = changes
            self.reload()

    def _say_what_is_held(self, problems: Sequence[str] | None = None) -> None:
        """Show what is wrong with what was typed, and how long a deletion can be taken back."""
        if problems is not None:
            self._problems = tuple(problems)
        lines = list(self._problems)
        deletions = self.medpocket.history.deletions
        if deletions:
            many = "1 conversation is" if len(deletions) == 1 else f"{len(deletions)} conversations are"
            seconds = math.ceil(deletions.seconds_left())
            lines.append(f"{many} deleted for good in {seconds} s; {self._key('sessions.undo')} takes that back.")
        if self._state in _OPEN:
            self.say("\n".join(lines))

    def _key(self, id_: str) -> str:
        """The key that does it now, as it is shown."""
        active = self.active_bindings.values()
        return next((self.app.get_key_display(one.binding) for one in active if one.binding.id == id_), "")

    # What the user does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Dim what cannot be done now."""
        if action in _NEEDS_ONE:
            here = self.query(PagedList)
            locked = action == "open_session" and self.medpocket.history.state is HistoryState.LOCKED
            return True if locked or (here and here.first().highlighted) else None
        if action == "undo":
            return True if self.medpocket.history.deletions else None
        return True

    def action_move(self, rows: int) -> None:
        """Highlight another conversation."""
        self.query_one(PagedList).move(rows)

    def action_move_page(self, pages: int) -> None:
        """Highlight one a screen away."""
        self.query_one(PagedList).move_page(pages)

    def action_move_to_end(self, end: int) -> None:
        """Highlight the first or the last."""
        rows = self.query_one(PagedList)
        rows.move_to(0 if end < 0 else len(rows) - 1)

    @on(PagedList.Chosen)
    async def action_open_session(self) -> None:
        """Go on with the highlighted conversation; where the history is locked, ask for its passphrase."""
        app = self.medpocket
        key = self.query_one(PagedList).highlighted
        if app.history.state is HistoryState.LOCKED:
            app.chat.open_history()
        elif key is not None and await self._title(key) is not None:
            self.dismiss()
            if key != app.chat.conversation.id:
                await app.chat.open_conversation(key)

    async def action_new_chat(self) -> None:
        """Leave, and begin a new conversation."""
        self.dismiss()
        await self.medpocket.chat.action_new_chat()

    @work(exclusive=True, group="change")
    async def action_rename(self) -> None:
        """Let the user give the highlighted conversation another title."""
        key = self.query_one(PagedList).highlighted
        title = await self._title(key) if key else None
        if key is None or title is None:
            return
        given = await self.app.push_screen_wait(
            AskLine("Another title. An empty one gives back that of the first question.", title)
        )
        if given is None or given == title:
            return
        try:
            await self.medpocket.history.call(lambda history: history.rename(key, given[:_LONGEST_TITLE]))
        except MedpocketError as error:
            self.medpocket.chat.tell(error)
        self.reload()

    @work(exclusive=True, group="change")
    async def action_delete(self) -> None:
        """Delete the highlighted conversation, after a question, and not at once."""
        deletions = self.medpocket.history.deletions
        key = self.query_one(PagedList).highlighted
        title = await self._title(key) if key else None
        if key is None or title is None or key in deletions:
            return
        text = f"{_short(title)}\n\n{_FOR_GOOD.format(seconds=round(HELD_S), key=self._key('sessions.undo'))}"
        if await self.app.push_screen_wait(Confirm("Delete this conversation?", text, yes="Delete it", no="Keep it")):
            deletions.hold(key)
            self._show_what_is_held()

    def action_undo(self) -> None:
        """Keep the conversation that was to be deleted last."""
        if self.medpocket.history.deletions.keep():
            self._show_what_is_held()

    def _show_what_is_held(self) -> None:
        self.query_one(PagedList).set_rows(self._drawn())
        self._say_what_is_held()
        self.refresh_bindings()

    async def _title(self, key: str) -> str | None:
        """The title of a conversation; where it is gone, say so and return None."""
        try:
            return await self.medpocket.history.call(partial(sessions.title, id_=key))
        except MedpocketError as error:
            self.medpocket.chat.tell(error)
            self.reload()
            return None


def _short(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else title[:_LONGEST_TITLE] + "…"
