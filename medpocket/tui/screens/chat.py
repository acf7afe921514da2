"""The conversation: questions, streamed answers, and who gives them."""

from dataclasses import replace

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from medpocket.tui.keys import CHAT, bindings
from medpocket.tui.screens.chat_parts.answer_actions import AnswerActions
from medpocket.tui.screens.chat_parts.answering import Answering
from medpocket.tui.screens.chat_parts.keeping import Keeping
from medpocket.tui.services import vitals
from medpocket.tui.services.history import HistoryState
from medpocket.tui.services.in_thread import in_thread
from medpocket.tui.widgets.key_line import KeyLine
from medpocket.tui.widgets.too_small import HEIGHTS, WIDTHS, TooSmall

_VITALS_S = 5.0
_WATCH_S = 1.0  # between two looks at what other windows wrote
_NEEDS_ANSWER = (
    "regenerate",
    "compare",
    "copy_answer",
    "copy_conversation",
    "focus_answer",
    "export_conversation",
    "sign",
)


class ChatScreen(AnswerActions, Answering, Keeping):
    """Lies below all other screens, and goes on while they are open."""

    BINDINGS = bindings(CHAT)
    AUTO_FOCUS = "#question"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    DEFAULT_CSS = """
    ChatScreen {
        #asking { height: auto; }
        &.-flat Footer, &.-flat TitleBar, &.-flat StatusLine, &.-flat ExpertBar { display: none; }
        &.-flat QuestionBox { border: none; min-height: 1; }
        #why { display: none; }
        &.-asked-why #why { display: block; }
        &.-narrow.-asked-why #conversation, &.-tiny.-asked-why #conversation { display: none; }
        &.-narrow #why, &.-tiny #why { width: 1fr; border: none; }
    }
    """

    def compose(self) -> ComposeResult:
        """Title, conversation and why, expert, question, status, keys."""
        yield self.title_bar
        yield TooSmall()
        with Horizontal():
            yield self.conversation_view
            yield self.why_panel
        with Vertical(id="asking"):
            yield self.expert_bar
            yield self.box
        yield self.status_line
        yield KeyLine()

    async def on_mount(self) -> None:
        """Show what is known, and look after the machine from now on."""
        await self.show_branch()
        self.show_expert()
        self.show_status()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.watch_machine()
        self.set_interval(_VITALS_S, self.watch_machine)
        self.open_history()
        self.set_interval(_WATCH_S, self.watch_history)

    @work(exclusive=True, group="vitals")
    async def watch_machine(self) -> None:
        """Show what memory and battery there are, and that the network is refused."""
        found = await in_thread(vitals.vitals)
        self.status = replace(
            self.status,
            process_bytes=found.process_bytes,
            free_bytes=found.free_bytes,
            battery=found.battery,
            offline=found.offline,
        )
        self.show_status()

    def action_focus_answer(self, step: int) -> None:
        """Go to the answer above or below; from the last one, down to the question."""
        views = self.conversation_view.views()
        place = views.index(self.focused) if self.focused in views else len(views)
        if 0 <= place + step < len(views):
            views[place + step].focus()
        elif step > 0:
            self.box.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Stop needs something that can be stopped, and so on; what cannot be done now is dimmed."""
        if action in _NEEDS_ANSWER:
            return True if self.conversation.leaf else None
        if action == "lock":
            return True if self.history.state is HistoryState.ENCRYPTED else None
        return True
