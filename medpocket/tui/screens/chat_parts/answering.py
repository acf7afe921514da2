"""What the engine says, put into the conversation and onto the screen."""

from dataclasses import replace

from textual import on

from medpocket.tui import messages
from medpocket.tui.conversation import Exchange
from medpocket.tui.screens.chat_parts.who_answers import WhoAnswers
from medpocket.tui.widgets.welcome import Welcome


class Answering(WhoAnswers):
    """Handles the messages of the engine's thread."""

    @on(messages.ModelLoading)
    def model_loading(self, message: messages.ModelLoading) -> None:
        """Say which model is on its way."""
        share = f", {message.share:.0%}" if message.share else ""
        self.status = replace(self.status, model=None, saying=f"loading {message.name}{share}")
        self.show_status()

    @on(messages.ModelLoaded)
    def model_loaded(self, message: messages.ModelLoaded) -> None:
        """Name the model that answers from now on."""
        self.status = replace(self.status, model=message.model)
        self.show_status()
        self.show_expert()
        for welcome in self.query(Welcome):
            welcome.show(message.model)
        self.title_bar.show(message.model)

    @on(messages.ModelFailed)
    def model_failed(self, message: messages.ModelFailed) -> None:
        """Say why there is no model."""
        self.status = replace(self.status, model=None, saying="no model")
        self.show_status()
        self.tell(message.error)

    @on(messages.AnswerRouted)
    def answer_routed(self, message: messages.AnswerRouted) -> None:
        """Name who answers, and with which model."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            model = self.status.model
            exchange.routed = message.routed
            exchange.model = f"{model.name} {model.quantization}" if model else ""
            exchange.demonstration = bool(model and model.demonstration)
            self.refresh_words(exchange)
            self.show_expert()

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
            self.refresh_words(exchange)

    @on(messages.AnswerProgress)
    def answer_progress(self, message: messages.AnswerProgress) -> None:
        """Say how much of the prompt is read."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            for view in self.views_of(exchange):
                view.show_progress(message.evaluated, message.total, message.seconds)

    @on(messages.AnswerText)
    async def answer_text(self, message: messages.AnswerText) -> None:
        """Show the next piece of an answer."""
        exchange = self.conversation.find(message.answer)
        if exchange:
            exchange.text += message.text
            exchange.pieces += message.pieces
            for view in self.views_of(exchange):
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
        self.show_status()
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
        for view in self.views_of(exchange):
            await view.finish()
        self.refresh_bindings()
