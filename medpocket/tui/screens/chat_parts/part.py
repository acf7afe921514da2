"""What the parts of the chat screen share: its state, its widgets, and how it says things."""

import time
from dataclasses import replace

from textual.screen import Screen

from medpocket.errors import MedpocketError
from medpocket.tui.conversation import Choice, Conversation, Exchange
from medpocket.tui.services.engine_thread import EngineThread
from medpocket.tui.services.history import ChatHistory
from medpocket.tui.services.in_thread import Lane
from medpocket.tui.widgets.conversation_view import ConversationView
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.expert_bar import ExpertBar
from medpocket.tui.widgets.question_box import QuestionBox
from medpocket.tui.widgets.status_line import Status, StatusLine
from medpocket.tui.widgets.title_bar import TitleBar
from medpocket.tui.widgets.why_panel import WhyPanel


class ChatPart(Screen[None]):
    """Holds its widgets: while the app ends, workers and messages outlive them, and a query would find none."""

    def __init__(self, engine: EngineThread, history: ChatHistory, lock_after_min: float = 0) -> None:
        super().__init__(id="chat")
        self.engine = engine
        self.history = history
        self.router = Lane("router")
        self.lock_after_s = lock_after_min * 60
        self.used_at = time.time()  # by the user: a key or the mouse
        self.conversation = Conversation()
        self.choice = Choice()
        self.status = Status()
        self.title_bar = TitleBar()
        self.conversation_view = ConversationView()
        self.why_panel = WhyPanel()
        self.expert_bar = ExpertBar()
        self.box = QuestionBox()
        self.status_line = StatusLine()

    @property
    def is_leaving(self) -> bool:
        """Whether the app ends: nothing can be mounted any more."""
        return not (self.is_attached and self.app.is_running)

    @property
    def adapters(self) -> frozenset[str]:
        """The experts that have an adapter for the model in memory."""
        return self.status.model.adapters if self.status.model else frozenset()

    @property
    def current(self) -> Exchange | None:
        """The exchange that is meant: that of the answer that has the focus, else the last one."""
        return self.focused.exchange if isinstance(self.focused, ExchangeView) else self.conversation.leaf

    def views_of(self, exchange: Exchange) -> list[ExchangeView]:
        """The widget of an exchange, where it is mounted."""
        if self.is_leaving:
            return []
        # Not `query_one`: Textual remembers what that finds, and so every exchange that was ever shown.
        return list(self.conversation_view.query(f"#exchange-{exchange.number}").results(ExchangeView))

    def refresh_words(self, exchange: Exchange) -> None:
        """Show what is known of an exchange beside its answer."""
        for view in self.views_of(exchange):
            view.refresh_words()

    async def show_branch(self) -> None:
        """Show the branch of the conversation that is chosen now."""
        if not self.is_leaving:
            await self.conversation_view.show(self.conversation)

    def show_status(self) -> None:
        """Show the present state in the bottom line."""
        self.status_line.show(replace(self.status, history=self.history.state.value))

    def tell(self, error: MedpocketError) -> None:
        """Show what is wrong and what to do."""
        self.notify(error.hint, title=error.message, severity="warning", timeout=12, markup=False)
