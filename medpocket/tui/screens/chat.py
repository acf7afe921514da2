"""The conversation: questions, streamed answers, and who gives them."""

import time
from dataclasses import replace

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ScreenResultCallbackType
from textual.timer import Timer
from textual.widgets import Footer

from medpocket.errors import MedpocketError, PassphraseError
from medpocket.text import readable_question
from medpocket.tui import messages, slash
from medpocket.tui.conversation import Choice, Conversation, Exchange
from medpocket.tui.keys import CHAT, bindings
from medpocket.tui.screens.answer_actions import AnswerActions
from medpocket.tui.services import routing, vitals
from medpocket.tui.services.engine_thread import EngineThread, Question
from medpocket.tui.services.history import ChatHistory, HistoryState
from medpocket.tui.services.in_thread import Lane, in_thread
from medpocket.tui.widgets.conversation_view import ConversationView
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.expert_bar import ExpertBar
from medpocket.tui.widgets.question_box import QuestionBox
from medpocket.tui.widgets.status_line import Status, StatusLine
from medpocket.tui.widgets.title_bar import TitleBar
from medpocket.tui.widgets.too_small import HEIGHTS, WIDTHS, TooSmall
from medpocket.tui.widgets.welcome import Welcome
from medpocket.tui.widgets.why_panel import WhyPanel

_PREVIEW_S = 0.15  # after the last key
_PREVIEWED = 20_000  # characters; the router reads the ends of a longer text alone
_VITALS_S = 5.0
_WATCH_S = 1.0  # between two looks at what other windows wrote


class ChatScreen(AnswerActions):
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

    def __init__(self, engine: EngineThread, history: ChatHistory, lock_after_min: float = 0) -> None:
        super().__init__(id="chat")
        self._engine = engine
        self._router = Lane("router")
        self._preview: routing.Preview | None = None
        self._preview_timer: Timer | None = None
        self._changes = 0
        self.lock_after_s = lock_after_min * 60
        self.used_at = time.monotonic()  # by the user: a key or the mouse
        self.history = history
        self.conversation = Conversation()
        self.choice = Choice()
        self.status = Status()

    def compose(self) -> ComposeResult:
        """Title, conversation and why, expert, question, status, keys."""
        yield TitleBar()
        yield TooSmall()
        with Horizontal():
            yield ConversationView()
            yield WhyPanel()
        with Vertical(id="asking"):
            yield ExpertBar()
            yield QuestionBox()
        yield StatusLine()
        yield Footer(compact=True, show_command_palette=False)

    async def on_mount(self) -> None:
        """Show what is known, and look after the machine from now on."""
        await self.query_one(ConversationView).show(self.conversation)
        self._show_expert()
        self._show_status()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._look()
        self.set_interval(_VITALS_S, self._look)
        self.open_history()
        self.set_interval(_WATCH_S, self._watch)

    @property
    def adapters(self) -> frozenset[str]:
        """The experts that have an adapter for the model in memory."""
        return self.status.model.adapters if self.status.model else frozenset()

    # What the user does

    @on(QuestionBox.Submitted)
    async def submit(self, event: QuestionBox.Submitted) -> None:
        """Ask what was typed, or run the command that it is."""
        box = self.query_one(QuestionBox)
        try:
            if slash.is_command(event.text):
                box.clear()
                await self._run_slash(*slash.parse(event.text))
                return
            readable_question(event.text)
        except MedpocketError as error:
            self.tell(error)
            return
        parent = event.editing.parent if event.editing else self.conversation.leaf
        if await self.ask(event.text, self.choice, parent):
            box.remember(event.text)
            box.clear()
            box.editing = None

    async def ask(self, question: str, choice: Choice, parent: Exchange | None) -> Exchange | None:
        """Put a question to the engine, and show it with the place for its answer; one at a time."""
        if self.conversation.open:
            self.notify("An answer is still coming: Esc stops it.", markup=False)
            return None
        exchange = Exchange(question, choice, parent)
        goes_on = parent is self.conversation.leaf and self.conversation.beside is None
        self.conversation.beside = None
        self.conversation.add(exchange)
        view = self.query_one(ConversationView)
        if goes_on:
            await view.append(exchange)
        else:
            await view.show(self.conversation)
        self._engine.ask(
            Question(
                exchange.number,
                question,
                exchange.before,
                choice.experts,
                choice.route,
                self.conversation.id,
                _kept_above(exchange),
            )
        )
        self.refresh_bindings()
        return exchange

    async def _run_slash(self, command: slash.Slash, argument: str) -> None:
        if command.takes == "expert":
            self.take_expert(argument)
        elif command.takes == "model":
            self._engine.load(argument or None)
        else:
            await self.app.run_action(command.action, self)

    def take_expert(self, name: str) -> None:
        """Have the expert of this name answer. Raises UnknownNameError."""
        if name in ("routed", ""):
            self.choose(Choice())
        elif name == "none":
            self.choose(Choice(route=False))
        else:
            self.choose(Choice(routing.expert_named(name)))

    @on(QuestionBox.Completing)
    def complete(self) -> None:
        """Complete the command as far as it is certain."""
        box = self.query_one(QuestionBox)
        found = slash.matching(box.text, routing.names())
        if len(found) == 1:
            box.put(found[0] + " ")

    def action_stop(self) -> None:
        """Stop every answer that is coming or waiting; where there is none, go to the question."""
        coming = [one for one in self.conversation.open if not one.foreign]
        for exchange in coming:
            self._engine.cancel(exchange.number)
        if not coming:
            box = self.query_one(QuestionBox)
            box.editing = None
            box.focus()

    async def action_new_chat(self) -> None:
        """Begin anew; what is being answered is stopped."""
        for exchange in self.conversation.open:
            self._engine.cancel(exchange.number)
        await self.show_conversation(Conversation())

    async def show_conversation(self, conversation: Conversation) -> None:
        """Show another conversation, and go on with it."""
        self.conversation = conversation
        await self.query_one(ConversationView).show(conversation)
        for welcome in self.query(Welcome):
            welcome.show(self.status.model)
        box = self.query_one(QuestionBox)
        for exchange in conversation.branch:
            box.remember(exchange.question)
        leaf = conversation.leaf
        used = leaf.stats.prompt_tokens + leaf.stats.answer_tokens if leaf and leaf.stats else 0
        self.status = replace(self.status, used=used)
        self._show_status()
        box.focus()
        self.refresh_bindings()

    async def open_conversation(self, id_: str, number: int | None = None) -> None:
        """Show a conversation of the history; with `number`, the branch through that turn."""
        try:
            turns = await self.history.turns(id_)
        except MedpocketError as error:
            self.tell(error)
            return
        from medpocket.tui.services import reopening

        for exchange in self.conversation.open:
            self._engine.cancel(exchange.number)
        conversation = reopening.conversation_of(id_, turns)
        wanted = next((one for one in conversation.exchanges if one.stored == number), None)
        if wanted:
            conversation.show(wanted)
        await self.show_conversation(conversation)

    def action_toggle_why(self) -> None:
        """Show or hide the router's evidence."""
        self.toggle_class("-asked-why")
        self._show_expert()

    def action_focus_answer(self, step: int) -> None:
        """Go to the answer above or below; from the last one, down to the question."""
        views = self.query_one(ConversationView).views()
        place = views.index(self.focused) if isinstance(self.focused, ExchangeView) else len(views)
        if 0 <= place + step < len(views):
            views[place + step].focus()
        elif step > 0:
            self.query_one(QuestionBox).focus()

    def action_choose_expert(self) -> None:
        """Let the user choose who answers."""

        def chosen(choice: Choice | None) -> None:
            if choice is not None:
                self.choose(choice)

        self.choose_expert("Who answers from now on?", chosen)

    def choose_expert(self, heading: str, chosen: ScreenResultCallbackType[Choice | None]) -> None:
        """Ask who is to answer."""
        from medpocket.tui.screens.choose_expert import ChooseExpert

        self.app.push_screen(ChooseExpert(heading, self.choice, self.adapters), chosen)

    def choose(self, choice: Choice) -> None:
        """Have `choice` answer from now on."""
        self.choice = choice
        self._show_expert()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Stop needs something that can be stopped, and so on; what cannot be done now is dimmed."""
        if action in _NEEDS_ANSWER:
            return True if self.conversation.leaf else None
        if action == "lock":
            return True if self.history.state is HistoryState.ENCRYPTED else None
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
        if slash.is_command(text):
            self.query_one(ExpertBar).show_lines(slash.matching(text, routing.names()))
            return
        if len(text) > 2 * _PREVIEWED:
            text = f"{text[:_PREVIEWED]}\n{text[-_PREVIEWED:]}"
        try:
            self._preview = await self._router.call(routing.preview, text)
        except MedpocketError as error:
            self.tell(error)
            return
        self._show_expert()

    def on_descendant_focus(self) -> None:
        """Show what speaks for the expert of the answer that has the focus."""
        self._show_expert()

    def _show_expert(self) -> None:
        self.query_one(ExpertBar).show(self.choice, self._preview, self.adapters)
        if self.has_class("-asked-why"):
            route = self.current.routed.route if self.current and self.current.routed else None
            asked = routing.as_preview(route) if route else None
            self.query_one(WhyPanel).show(self._preview or asked)

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
        """Name who answers, and with which model."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            model = self.status.model
            exchange.routed = message.routed
            exchange.model = f"{model.name} {model.quantization}" if model else ""
            self._refresh(exchange)
            self._show_expert()

    @on(messages.AnswerKept)
    def answer_kept(self, message: messages.AnswerKept) -> None:
        """Keep where the history has the exchange."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            exchange.stored = message.number
            self.conversation.id = message.conversation

    @on(messages.AnswerNoticed)
    def answer_noticed(self, message: messages.AnswerNoticed) -> None:
        """Add a notice to its answer."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            exchange.notices.append(message.notice.text)
            self._refresh(exchange)

    @on(messages.AnswerProgress)
    def answer_progress(self, message: messages.AnswerProgress) -> None:
        """Say how much of the prompt is read."""
        for view in self._view(message.answer):
            view.show_progress(message.evaluated, message.total, message.seconds)

    @on(messages.AnswerText)
    async def answer_text(self, message: messages.AnswerText) -> None:
        """Show the next piece of an answer."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            exchange.text += message.text
            exchange.pieces += message.pieces
        for view in self._view(message.answer):
            await view.show_text()

    @on(messages.AnswerFinished)
    async def answer_finished(self, message: messages.AnswerFinished) -> None:
        """Show what an answer cost, and how full the context is now."""
        exchange = self.conversation.find(message.answer)
        if exchange is None:
            return
        finished = message.finished
        exchange.stop, exchange.stats = finished.stop, finished.stats
        exchange.text = finished.answer
        exchange.turns = finished.turns if finished.answer else ()
        self.status = replace(self.status, used=finished.stats.prompt_tokens + finished.stats.answer_tokens)
        self._show_status()
        await self._end(exchange)

    @on(messages.AnswerFailed)
    async def answer_failed(self, message: messages.AnswerFailed) -> None:
        """Say why an answer could not be given; what came of it stays."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            exchange.error = message.error
            await self._end(exchange)

    async def _end(self, exchange: Exchange) -> None:
        exchange.is_open = False
        for view in self._view(exchange.number):
            await view.finish()
        self.refresh_bindings()

    def _view(self, number: int) -> list[ExchangeView]:
        """The widget of an answer, where it is mounted."""
        return list(self.query(f"#exchange-{number}").results(ExchangeView))

    # The history

    @work(exclusive=True, group="history")
    async def open_history(self, passphrase: str | None = None) -> None:
        """Open the history; ask for its passphrase where it is locked."""
        try:
            await self.history.open(passphrase)
        except PassphraseError as error:
            self.tell(error)
            self.history.state = HistoryState.LOCKED
        except MedpocketError as error:
            self.tell(error)
        if self.history.notice:
            self.notify(self.history.notice, severity="warning", timeout=12, markup=False)
        self._show_status()
        self.refresh_bindings()
        if self.history.state is HistoryState.LOCKED:
            self._ask_passphrase()

    def _ask_passphrase(self) -> None:
        from medpocket.tui.screens.lock import LockScreen

        def given(passphrase: str | None) -> None:
            if passphrase:
                self.open_history(passphrase)
            else:
                self.notify("The history stays locked: nothing is kept.", markup=False)

        self.app.push_screen(LockScreen(), given)

    async def action_lock(self) -> None:
        """Forget the key of the history, and show nothing of it."""
        if self.history.state is not HistoryState.ENCRYPTED:
            return
        await self.action_new_chat()
        self.query_one(QuestionBox).clear()
        await self.history.lock()
        self._show_status()
        self._ask_passphrase()

    @work(exclusive=True, group="watch")
    async def _watch(self) -> None:
        """Show what another window adds to this conversation; lock after a time without a key."""
        if self.lock_after_s and time.monotonic() - self.used_at > self.lock_after_s and not self.conversation.open:
            await self.action_lock()
        try:
            changes = await self.history.changes()
            if changes == self._changes or not self.conversation.id:
                return
            turns = await self.history.turns(self.conversation.id)
        except MedpocketError:  # the next question meets it too, and says so
            return
        conversation, self._changes = self.conversation, changes
        before = len(conversation.branch)
        coming = [one for one in conversation.exchanges if one.foreign and one.is_open]
        if conversation.open and not coming:
            return  # an answer of this window is coming
        from medpocket.tui.services import reopening

        reopening.extend(conversation, turns)
        if len(conversation.branch) != before or coming:
            await self.query_one(ConversationView).show(conversation)

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
        self.query_one(StatusLine).show(replace(self.status, history=self.history.state.value))

    def tell(self, error: MedpocketError) -> None:
        """Show what is wrong and what to do."""
        self.notify(error.hint, title=error.message, severity="warning", timeout=12, markup=False)


_NEEDS_ANSWER = ("regenerate", "compare", "copy_answer", "copy_conversation", "focus_answer")


def _kept_above(exchange: Exchange) -> int | None:
    """The number in the history of the nearest exchange above that is kept."""
    above = exchange.parent
    while above and above.stored is None:
        above = above.parent
    return above.stored if above else None
