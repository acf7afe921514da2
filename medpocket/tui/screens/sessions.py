"""The conversations of the history: found, read, gone on with, renamed and deleted."""

import math
from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.keys import SESSIONS, bindings
from medpocket.tui.screens.session_actions import SessionActions
from medpocket.tui.services import sessions
from medpocket.tui.services.history import HistoryState
from medpocket.tui.services.in_thread import OneAtATime
from medpocket.tui.services.sessions import Listing, Session
from medpocket.tui.widgets.paged_list import PagedList, Row
from medpocket.tui.widgets.search_line import SearchLine
from medpocket.tui.widgets.session_preview import drawn
from medpocket.tui.widgets.wording import BETWEEN

_PAUSE_S = 0.02  # after the last key, before it is looked for
_TICK_S = 0.5  # between two looks at what other windows wrote, and at what is to be deleted
_MOST_KNOWN = 4000  # rows; with more, those out of sight are forgotten
_LOCKED = "The history is locked: nothing is kept, and nothing shown.\n{key} asks for its passphrase."
_OFF = "The history is off: nothing is kept.\n`medpocket history on` has it kept from the next start on."
_GONE = Session("deleted meanwhile", ())  # until the list is found anew
_NOTHING_YET = "Nothing is kept yet: what you ask will stand here."


class SessionsScreen(SessionActions):
    """A search line, the conversations that it finds, and the beginning of the highlighted one."""

    HEADING = "Sessions"
    BINDINGS = bindings(SESSIONS)
    AUTO_FOCUS = "#search"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    DEFAULT_CSS = """
    SessionsScreen {
        #search { margin-bottom: 1; }
        .instead { height: 1fr; padding: 0 2; display: none; }
        &.-empty .instead { display: block; }
        &.-empty .split { display: none; }
        .split { height: 1fr; layout: vertical; }
        PagedList { height: 3fr; }
        .details { height: 2fr; padding: 0 1 0 2; border-top: solid $panel; scrollbar-size-vertical: 1; }
        .details:focus { border-top: solid $border; }
        &.-wide #search { margin: 1 0; }
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
        self._said = self._instead = ""
        self._able = (True, False, False)
        self.found = Listing((), {})
        self._state: HistoryState | None = None
        self._list_anew = OneAtATime(self._find)
        self._look_anew = OneAtATime(self._look)
        self._preview_anew = OneAtATime(self._preview)

    def compose_body(self) -> ComposeResult:
        """The search line, the list, the preview; what stands in their place where there is nothing to list."""
        yield SearchLine('search: words, "side by side", expert:cardiology, after:2026-01-01')
        yield Static(classes="instead")
        with Container(classes="split"):
            yield self.paged
            with VerticalScroll(classes="details"):
                yield Static(classes="text")

    def on_mount(self) -> None:
        """List everything, and look for changes from now on."""
        self.reload()
        self.set_interval(_TICK_S, self._tick)

    def on_unmount(self) -> None:
        """Carry out the deletions that were held back."""
        if self.app.is_running and self.medpocket.history.deletions:  # the end of the app does it itself
            self.app.run_worker(self.medpocket.delete_held(due_only=False))

    # What is found

    @on(SearchLine.Changed)
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
        state = history.state
        from_top, self._from_top = self._from_top, False
        near = None if from_top else self.paged.highlighted
        try:
            found = await history.call(partial(sessions.listing, text=self._text, near=near))
        except MedpocketError:
            self._state = state
            self._show_none()
            return
        self._state = state
        await self._show_found(found, from_top=from_top)

    async def _show_found(self, found: Listing, *, from_top: bool) -> None:
        self.found, self._rows = found, found.rows
        rows = self.paged
        rows.set_keys(found.ids, self._drawn(), from_top=from_top)
        limited = ", of the latest turns with these words: more words find older ones" if found.limited else ""
        kept = "1 conversation" if len(found.ids) == 1 else f"{len(found.ids):,} conversations"
        self._show_heading(f"{len(found.ids):,} found{limited}" if self._text.strip() else kept)
        self._show_instead("" if found.ids else "Nothing was found." if self._text.strip() else _NOTHING_YET)
        self._say_what_is_held()
        self._refresh_keys()
        await self._preview_anew()

    def _show_none(self) -> None:
        """Say why there is no history, and what to do."""
        self.found, self._rows = Listing((), {}), {}
        self.paged.set_keys((), {}, from_top=True)
        self.query_one(".details .text", Static).update("")
        self._show_heading("")
        history = self.medpocket.history
        if history.state is HistoryState.LOCKED:
            why = _LOCKED.format(key=self.medpocket.key_of("sessions.open"))
        elif history.problem:
            why = f"{history.problem.message}\n{history.problem.hint}"
        else:
            why = _OFF
        self._show_instead(why)
        self._say_what_is_held()
        self._refresh_keys()

    def _show_instead(self, text: str) -> None:
        if text == self._instead:
            return
        self._instead = text
        self.set_class(bool(text), "-empty")
        self.query_one(".instead", Static).update(Content(printable(text)))

    @property
    def _text(self) -> str:
        return self.query_one(SearchLine).value

    @property
    def has_one(self) -> bool:
        """Whether a conversation is highlighted, or the first list is still to come."""
        return self._state is None or self.paged.highlighted is not None

    def _refresh_keys(self) -> None:
        """Draw the keys anew where others can be used now: that takes longer than all the rest."""
        history = self.medpocket.history
        able = (self.has_one, bool(history.deletions), history.state is HistoryState.LOCKED)
        if able != self._able:
            self._able = able
            self.refresh_bindings()

    def _show_heading(self, counted: str) -> None:
        self.query_one(".heading", Static).update(
            Content.assemble((self.HEADING, "bold $text-primary"), f"   {counted}"), layout=False
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
        keys = event.keys[: sessions.MOST_ROWS]
        try:
            found = await self.medpocket.history.call(partial(sessions.rows, ids=keys))
        except MedpocketError:  # the next look at the history meets it too, and says so
            return
        if len(self._rows) > _MOST_KNOWN:
            self._rows = {}
        self._rows |= {key: found.get(key, _GONE) for key in keys}
        self.paged.set_rows(self._drawn())

    @on(PagedList.Moved)
    @work(group="preview")
    async def _moved(self) -> None:
        self._refresh_keys()
        await self._preview_anew()

    async def _preview(self) -> None:
        key = self.paged.highlighted
        place = self.query_one(".details .text", Static)
        if key is None:
            place.update("")
            return
        try:
            place.update(drawn(await self.medpocket.history.call(partial(sessions.preview, id_=key, text=self._text))))
        except MedpocketError as error:
            place.update(Content(f"{error.message}\n{error.hint}"))

    # What changes meanwhile

    @work(group="tick")
    async def _tick(self) -> None:
        await self._look_anew()

    async def _look(self) -> None:
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

    def show_held(self) -> None:
        """Mark what is to be deleted, and say for how long that can be taken back."""
        self.paged.set_rows(self._drawn())
        self._say_what_is_held()
        self._refresh_keys()

    def _say_what_is_held(self) -> None:
        """Show what is wrong with what was typed, and how long a deletion can be taken back."""
        lines = list(self.found.problems)
        deletions = self.medpocket.history.deletions
        if deletions:
            many = "1 conversation is" if len(deletions) == 1 else f"{len(deletions)} conversations are"
            seconds = math.ceil(deletions.seconds_left())
            lines.append(
                f"{many} deleted for good in {seconds} s; {self.medpocket.key_of('sessions.undo')} takes that back."
            )
        said = "\n".join(lines)
        if said != self._said:
            self._said = said
            self.say(said)
