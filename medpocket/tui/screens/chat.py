"""The conversation: questions, streamed answers, and who gives them."""

from dataclasses import replace
from itertools import count

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer

from medpocket.errors import MedpocketError, QuestionError
from medpocket.text import readable_question
from medpocket.tui import messages
from medpocket.tui.conversation import Choice, Conversation, Exchange
from medpocket.tui.keys import CHAT, bindings
from medpocket.tui.services import routing, vitals
from medpocket.tui.services.engine_thread import Asked, EngineThread
from medpocket.tui.services.in_thread import in_thread
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.expert_bar import ExpertBar
from medpocket.tui.widgets.question_box import QuestionBox
from medpocket.tui.widgets.status_line import Status, StatusLine
from medpocket.tui.widgets.title_bar import TitleBar
from medpocket.tui.widgets.welcome import Welcome
from medpocket.tui.widgets.why_panel import WhyPanel
from medpocket.types import Turn

_PREVIEW_S = 0.15  # after the last key
_PREVIEWED = 20_000  # characters; the router reads the ends of a longer text alone
_VITALS_S = 5.0


class ChatScreen(Screen[None]):
    """Lies below all other screens, and goes on while they are open."""

    BINDINGS = bindings(CHAT)
    AUTO_FOCUS = "#question"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (120, "-wide")]  # noqa: RUF012
    DEFAULT_CSS = """
    ChatScreen {
        #conversation { height: 1fr; padding: 1 0 0 0; }
        #asking { height: auto; }
        #why { display: none; }
        &.-asked-why #why { display: block; }
        &.-narrow.-asked-why #conversation { display: none; }
        &.-narrow #why, &.-tiny #why { width: 1fr; border: none; }
    }
    """

    def __init__(self, engine: EngineThread) -> None:
        super().__init__(id="chat")
        self._engine = engine
        self._numbers = count(1)
        self._preview: routing.Preview | None = None
        self._preview_timer: Timer | None = None
        self.conversation = Conversation()
        self.choice = Choice()
        self.status = Status()

    def compose(self) -> ComposeResult:
        """Title, conversation and why, expert, question, status, keys."""
        yield TitleBar()
        with Horizontal():
            with VerticalScroll(id="conversation", can_focus=False):
                yield Welcome()
            yield WhyPanel()
        with Vertical(id="asking"):
            yield ExpertBar()
            yield QuestionBox()
        yield StatusLine()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Show what is known, and look after the machine from now on."""
        self._show_expert()
        self._show_status()
        self._look()
        self.set_interval(_VITALS_S, self._look)

    @property
    def adapters(self) -> frozenset[str]:
        """The experts that have an adapter for the model in memory."""
        return self.status.model.adapters if self.status.model else frozenset()

    # What the user does

    @on(QuestionBox.Submitted)
    async def submit(self, event: QuestionBox.Submitted) -> None:
        """Ask what was typed."""
        box = self.query_one(QuestionBox)
        try:
            readable_question(event.text)
        except QuestionError as error:
            self.tell(error)
            return
        box.remember(event.text)
        box.clear()
        await self.ask(event.text, self.choice, self.conversation.turns)

    async def ask(self, question: str, choice: Choice, before: tuple[Turn, ...]) -> None:
        """Put a question to the engine, and show it with the place for its answer."""
        exchange = Exchange(next(self._numbers), question, choice, before)
        self.conversation.exchanges.append(exchange)
        await self.query(Welcome).remove()
        conversation = self.query_one("#conversation", VerticalScroll)
        await conversation.mount(ExchangeView(exchange))
        conversation.anchor()
        self._engine.ask(Asked(exchange.number, question, before, choice.experts, choice.route))
        self.refresh_bindings()

    def action_stop(self) -> None:
        """Stop every answer that is coming or waiting."""
        for exchange in self.conversation.exchanges:
            if exchange.is_open:
                self._engine.cancel(exchange.number)

    async def action_new_chat(self) -> None:
        """Begin anew; what is being answered is stopped."""
        self.action_stop()
        self.conversation = Conversation()
        await self.query(ExchangeView).remove()
        if not self.query(Welcome):
            await self.query_one("#conversation").mount(Welcome())
        self.status = replace(self.status, used=0)
        self._show_status()
        self.query_one(QuestionBox).focus()

    async def action_regenerate(self) -> None:
        """Answer the last question again, as it is chosen now who answers."""
        last = self.conversation.last
        if last and not last.is_open:
            await self.ask(last.question, self.choice, last.before)

    def action_copy_answer(self) -> None:
        """Copy the answer that has the focus, else the last one."""
        focused = self.focused
        exchange = focused.exchange if isinstance(focused, ExchangeView) else self.conversation.last
        if exchange and exchange.text:
            self.app.copy_to_clipboard(exchange.text)
            self.notify("The answer is copied.", markup=False)

    def action_toggle_why(self) -> None:
        """Show or hide the router's evidence."""
        self.toggle_class("-asked-why")
        self.query_one(WhyPanel).show(self._preview)

    def action_focus_question(self) -> None:
        """Go to the question."""
        self.query_one(QuestionBox).focus()

    def action_focus_answer(self, step: int) -> None:
        """Go to the answer above or below; from the last one, down to the question."""
        views = list(self.query(ExchangeView))
        place = views.index(self.focused) if isinstance(self.focused, ExchangeView) else len(views)
        if 0 <= place + step < len(views):
            views[place + step].focus()
        elif step > 0:
            self.action_focus_question()

    def action_choose_expert(self) -> None:
        """Let the user choose who answers."""
        from medpocket.tui.screens.choose_expert import ChooseExpert

        def chosen(choice: Choice | None) -> None:
            if choice is not None:
                self.choose(choice)

        self.app.push_screen(ChooseExpert(self.choice, self.adapters), chosen)

    def choose(self, choice: Choice) -> None:
        """Have `choice` answer from now on."""
        self.choice = choice
        self._show_expert()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Stop needs something that can be stopped, and so on; what cannot be done now is dimmed."""
        if action == "stop":
            return True if any(one.is_open for one in self.conversation.exchanges) else None
        if action in ("regenerate", "copy_answer", "focus_answer"):
            return True if self.conversation.exchanges else None
        return True

    # What is being typed

    @on(QuestionBox.Changed)
    def preview_soon(self) -> None:
        """Route what is typed when the typing pauses."""
        if self._preview_timer:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(_PREVIEW_S, self._preview_now)

    @work(exclusive=True, group="preview")
    async def _preview_now(self) -> None:
        text = self.query_one(QuestionBox).text
        if len(text) > 2 * _PREVIEWED:
            text = f"{text[:_PREVIEWED]}\n{text[-_PREVIEWED:]}"
        try:
            self._preview = await in_thread(routing.preview, text)
        except MedpocketError as error:
            self.tell(error)
            return
        self._show_expert()

    def _show_expert(self) -> None:
        self.query_one(ExpertBar).show(self.choice, self._preview, self.adapters)
        if self.has_class("-asked-why") and self._preview:
            self.query_one(WhyPanel).show(self._preview)

    # What the engine says

    @on(messages.ModelLoading)
    def model_loading(self, message: messages.ModelLoading) -> None:
        """Say which model is on its way."""
        self.status = replace(self.status, model=None, saying=f"loading {message.name}")
        self._show_status()

    @on(messages.ModelLoaded)
    def model_loaded(self, message: messages.ModelLoaded) -> None:
        """Name the model that answers from now on."""
        self.status = replace(self.status, model=message.model)
        self._show_status()
        self._show_expert()
        for welcome in self.query(Welcome):
            welcome.show(message.model)
        self.query_one(TitleBar).show(message.model)

    @on(messages.ModelFailed)
    def model_failed(self, message: messages.ModelFailed) -> None:
        """Say why there is no model."""
        self.status = replace(self.status, model=None, saying="no model")
        self._show_status()
        self.tell(message.error)

    @on(messages.AnswerRouted)
    def answer_routed(self, message: messages.AnswerRouted) -> None:
        """Name who answers."""
        for view in self._view(message.answer):
            view.show_routed(message.routed, self.status.model)

    @on(messages.AnswerNoticed)
    def answer_noticed(self, message: messages.AnswerNoticed) -> None:
        """Add a notice to its answer."""
        for view in self._view(message.answer):
            view.show_notice(message.notice.text)

    @on(messages.AnswerProgress)
    def answer_progress(self, message: messages.AnswerProgress) -> None:
        """Say how much of the prompt is read."""
        for view in self._view(message.answer):
            view.show_progress(message.evaluated, message.total, message.seconds)

    @on(messages.AnswerText)
    async def answer_text(self, message: messages.AnswerText) -> None:
        """Show the next piece of an answer."""
        for view in self._view(message.answer):
            await view.add_text(message.text, message.pieces)

    @on(messages.AnswerFinished)
    async def answer_finished(self, message: messages.AnswerFinished) -> None:
        """Show what an answer cost, and how full the context is now."""
        exchange = self.conversation.find(message.answer)
        if exchange is None:
            return
        exchange.finished = message.finished
        exchange.text = message.finished.answer
        stats = message.finished.stats
        self.status = replace(self.status, used=stats.prompt_tokens + stats.answer_tokens)
        self._show_status()
        await self._end(message.answer)

    @on(messages.AnswerFailed)
    async def answer_failed(self, message: messages.AnswerFailed) -> None:
        """Say why an answer could not be given; what came of it stays."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            exchange.error = message.error
            await self._end(message.answer)

    async def _end(self, number: int) -> None:
        for view in self._view(number):
            await view.finish()
        self.refresh_bindings()

    def _view(self, number: int) -> list[ExchangeView]:
        """The widget of an answer, where it is mounted."""
        return list(self.query(f"#exchange-{number}").results(ExchangeView))

    # The machine

    @work(exclusive=True, group="vitals")
    async def _look(self) -> None:
        found = await in_thread(vitals.vitals)
        self.status = replace(
            self.status,
            process_bytes=found.process_bytes,
            free_bytes=found.free_bytes,
            battery=found.battery,
            offline=found.offline,
        )
        self._show_status()

    def _show_status(self) -> None:
        self.query_one(StatusLine).show(self.status)

    def tell(self, error: MedpocketError) -> None:
        """Show what is wrong and what to do."""
        self.notify(error.hint, title=error.message, severity="warning", timeout=12, markup=False)
