"""What can be done with the conversations of the history. A part of the screen of sessions."""

from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on, work

from medpocket.errors import MedpocketError
from medpocket.text import printable
from medpocket.tui.keys import SESSIONS
from medpocket.tui.screens.ask_line import AskLine
from medpocket.tui.screens.base import InfoScreen
from medpocket.tui.screens.confirm import Confirm
from medpocket.tui.services import sessions
from medpocket.tui.services.deletions import HELD_S
from medpocket.tui.services.history import HistoryState
from medpocket.tui.services.sessions import Listing
from medpocket.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from textual.binding import ActiveBinding

    from medpocket.tui.app import MedpocketApp

LONGEST_TITLE = 200  # characters
_NEEDS_ONE = ("open_session", "rename", "delete")
_ANOTHER_TITLE = "Another title. An empty one gives back that of the first question."
_FOR_GOOD = (
    "It is overwritten on the disk, and every backup of the history goes with it. "
    "That is done after {seconds} seconds, or when this screen is left; until then {key} takes it back."
)


class SessionActions(InfoScreen[Listing]):
    """Acts on the highlighted conversation.

    It holds its list: what can be done is asked while the screen goes, too, and a query would find none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.paged = PagedList()

    @property
    def has_one(self) -> bool:
        """Whether a conversation is highlighted, or the first list is still to come."""
        raise NotImplementedError

    def show_held(self) -> None:
        """Show which conversations are to be deleted, and for how long that can be taken back."""
        raise NotImplementedError

    @property
    def medpocket(self) -> "MedpocketApp":
        """The app, which has the history and the chat."""
        return cast("MedpocketApp", self.app)

    @property
    def active_bindings(self) -> "dict[str, ActiveBinding]":
        """What can be done here first, in the order of keys.py; a search line has its own keys before it."""
        own = [key.id for key in SESSIONS]
        found = super().active_bindings.items()
        return dict(
            sorted(found, key=lambda one: own.index(one[1].binding.id) if one[1].binding.id in own else len(own))
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Dim what cannot be done now."""
        if action in _NEEDS_ONE:
            locked = action == "open_session" and self.medpocket.history.state is HistoryState.LOCKED
            return True if locked or self.has_one else None
        if action == "undo":
            return True if self.medpocket.history.deletions else None
        return True

    def action_move(self, rows: int) -> None:
        """Highlight another conversation."""
        self.paged.move(rows)

    def action_move_page(self, pages: int) -> None:
        """Highlight one a screen away."""
        self.paged.move_page(pages)

    def action_move_to_end(self, end: int) -> None:
        """Highlight the first or the last."""
        rows = self.paged
        rows.move_to(0 if end < 0 else len(rows) - 1)

    @on(PagedList.Chosen)
    async def action_open_session(self) -> None:
        """Go on with the highlighted conversation; where the history is locked, ask for its passphrase."""
        app = self.medpocket
        key = self.paged.highlighted
        if app.history.state is HistoryState.LOCKED:
            app.chat.open_history()
        elif key is not None and await self._title(key) is not None:
            app.history.deletions.keep(key)
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
        key = self.paged.highlighted
        title = await self._title(key) if key else None
        if key is None or title is None:
            return
        given = await self.app.push_screen_wait(AskLine(_ANOTHER_TITLE, title))
        if given is None or given == title:
            return
        try:
            await self.medpocket.history.call(lambda history: history.rename(key, given[:LONGEST_TITLE]))
        except MedpocketError as error:
            self.medpocket.chat.tell(error)
        self.reload()

    @work(exclusive=True, group="change")
    async def action_delete(self) -> None:
        """Delete the highlighted conversation, after a question, and not at once."""
        deletions = self.medpocket.history.deletions
        key = self.paged.highlighted
        title = await self._title(key) if key else None
        if key is None or title is None or key in deletions:
            return
        text = f"{title}\n\n{_FOR_GOOD.format(seconds=round(HELD_S), key=self.medpocket.key_of('sessions.undo'))}"
        if await self.app.push_screen_wait(Confirm("Delete this conversation?", text, yes="Delete it", no="Keep it")):
            deletions.hold(key)
            self.show_held()

    def action_undo(self) -> None:
        """Keep the conversation that was to be deleted last."""
        if self.medpocket.history.deletions.keep():
            self.show_held()

    async def _title(self, key: str) -> str | None:
        """The title of a conversation, fit for a terminal; where it is gone, say so and return None."""
        try:
            title = await self.medpocket.history.call(partial(sessions.title, id_=key))
        except MedpocketError as error:
            self.medpocket.chat.tell(error)
            self.reload()
            return None
        return printable(title) if len(title) <= LONGEST_TITLE else printable(title[:LONGEST_TITLE]) + "…"
