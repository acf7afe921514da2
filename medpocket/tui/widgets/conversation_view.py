"""The exchanges of a branch on the screen: a window of them, however long the conversation is."""

from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget

from medpocket.tui.conversation import Conversation, Exchange
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.welcome import Welcome

MOST_MOUNTED = 30
_MOST_AT_FIRST = 6
_AROUND = 4  # lines of an exchange beside its question and its answer
_STEP = 4  # so many are mounted while a key waits
_NEAR = 2  # lines from an end of what is mounted, at which more is


class ConversationView(VerticalScroll, can_focus=False):
    """Mounts the last exchanges, and others when the user scrolls to them; never more than MOST_MOUNTED."""

    DEFAULT_CSS = """
    ConversationView {
        height: 1fr; padding: 1 0 0 0; scrollbar-size-vertical: 1;
        .pair { height: auto; }
        .pair > ExchangeView { width: 1fr; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="conversation")
        self._branch: list[Exchange] = []
        self._first = 0  # of the branch, that is mounted
        self._end = 0
        self._moving = False
        self.beside: Exchange | None = None

    async def show(self, conversation: Conversation) -> None:
        """Show the end of the branch, and what stands beside it."""
        self._branch, self.beside = conversation.branch, conversation.beside
        self._end = len(self._branch)
        self._first = self._first_that_fills()
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(self._items(self._first, self._end) or [Welcome()])
        self.anchor(bool(self._branch))
        self.call_after_refresh(self._fill)

    async def append(self, exchange: Exchange) -> None:
        """Add the newest exchange, and go to the end."""
        await self.query(Welcome).remove()
        self._branch.append(exchange)
        if self._end == len(self._branch) - 1:
            self._end += 1
            await self.mount(ExchangeView(exchange))
            await self._unmount_first()
        else:
            await self._to_end()
        self.anchor()

    def views(self) -> list[ExchangeView]:
        """Those that are mounted, in order."""
        return list(self.query(ExchangeView))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Mount more where the user comes to an end of what is mounted."""
        super().watch_scroll_y(old_value, new_value)
        if self._moving:
            return
        if new_value <= _NEAR and new_value < old_value and self._first > 0:
            self._moving = True
            self.call_later(self._earlier)
        elif new_value >= self.max_scroll_y - _NEAR and self._end < len(self._branch):
            self._moving = True
            self.call_later(self._later)

    async def _fill(self) -> None:
        """Mount more where what is mounted does not fill a tall screen: nothing could be scrolled to."""
        if self._first > 0 and self.max_scroll_y <= _NEAR and self._end - self._first + _STEP <= MOST_MOUNTED:
            first = max(0, self._first - _STEP)
            await self.mount_all(self._items(first, self._first), before=0)
            self._first = first
            self.call_after_refresh(self._fill)

    async def _earlier(self) -> None:
        first = max(0, self._first - _STEP)
        top = self.children[0] if self.children else None
        with self.app.batch_update():
            await self.mount_all(self._items(first, self._first), before=0)
            self._first = first
            too_many = max(0, self._end - self._first - MOST_MOUNTED)
            if too_many:
                self._end -= too_many
                await self.remove_children(self.children[-too_many:])
        self._stay_at(top)

    async def _later(self) -> None:
        end = min(len(self._branch), self._end + _STEP)
        bottom = self.children[-1] if self.children else None
        with self.app.batch_update():
            await self.mount_all(self._items(self._end, end))
            self._end = end
            await self._unmount_first()
        self._stay_at(bottom)

    async def _unmount_first(self) -> None:
        too_many = max(0, self._end - self._first - MOST_MOUNTED)
        self._first += too_many
        await self.remove_children(self.children[:too_many])

    async def _to_end(self) -> None:
        self._end = len(self._branch)
        self._first = self._first_that_fills()
        await self.remove_children()
        await self.mount_all(self._items(self._first, self._end))

    def _first_that_fills(self) -> int:
        """Return from where on the branch fills the screen, by a guess that counts too few lines rather than many."""
        first, rows = self._end, 0
        while first > 0 and rows <= self.size.height and self._end - first < _MOST_AT_FIRST:
            first -= 1
            exchange = self._branch[first]
            letters = len(exchange.question) + len(exchange.text)
            rows += _AROUND + letters // max(1, self.size.width) + exchange.text.count("\n\n")
        return first

    def _stay_at(self, item: Widget | None) -> None:
        """Keep the eye on what it was on, once the new height is known."""

        def settle() -> None:
            if item is not None and item.is_mounted:
                self.scroll_to_widget(item, animate=False, top=True)
            self._moving = False

        self.call_after_refresh(settle)

    def _items(self, first: int, end: int) -> list[Widget]:
        """A widget for each of these exchanges; the last of the branch with what stands beside it."""
        items: list[Widget] = [ExchangeView(one) for one in self._branch[first:end]]
        if self.beside and items and end == len(self._branch):
            items[-1] = Horizontal(ExchangeView(self.beside), items[-1], classes="pair")
        return items
