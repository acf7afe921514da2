"""What can be done with the answers of a conversation. A part of the chat screen."""

from textual.screen import Screen, ScreenResultCallbackType

from medpocket.errors import MedpocketError
from medpocket.tui.conversation import Choice, Conversation, Exchange
from medpocket.tui.markdown_text import as_markdown, first_table
from medpocket.tui.services.history import ChatHistory
from medpocket.tui.widgets.conversation_view import ConversationView
from medpocket.tui.widgets.exchange_view import ExchangeView
from medpocket.tui.widgets.question_box import QuestionBox


class AnswerActions(Screen[None]):
    """Acts on the answer that has the focus, else on the last one."""

    conversation: Conversation
    history: ChatHistory
    choice: Choice

    async def ask(self, question: str, choice: Choice, parent: Exchange | None) -> Exchange | None:
        """Put a question to the engine."""
        raise NotImplementedError

    def tell(self, error: MedpocketError) -> None:
        """Show what is wrong and what to do."""
        raise NotImplementedError

    @property
    def current(self) -> Exchange | None:
        """The exchange that is meant."""
        return self.focused.exchange if isinstance(self.focused, ExchangeView) else self.conversation.leaf

    async def action_regenerate(self) -> None:
        """Answer again, as it is chosen now who answers: another version of the same question."""
        if self.current and not self.current.is_open:
            await self.ask(self.current.question, self.choice, self.current.parent)

    def action_compare(self) -> None:
        """Answer again by whom the user chooses, next to the answer that is there."""
        first = self.current
        if first is None or first.is_open:
            return

        async def chosen(choice: Choice | None) -> None:
            if choice is None:
                return
            self.conversation.show(first)
            second = await self.ask(first.question, choice, first.parent)
            if second:
                self.conversation.beside = first
                await self.query_one(ConversationView).show(self.conversation)

        self.choose_expert("Who answers beside it?", chosen)

    def choose_expert(self, heading: str, chosen: ScreenResultCallbackType[Choice | None]) -> None:
        """Ask who is to answer."""
        raise NotImplementedError

    async def action_keep_this(self) -> None:
        """Go on with the one of two that has the focus."""
        if self.conversation.beside and self.current:
            await self.show_branch(self.current)

    async def action_version(self, step: int) -> None:
        """Show another version of the exchange."""
        exchange = self.current
        if exchange is None:
            return
        versions = self.conversation.versions(exchange)
        place = versions.index(exchange) + step
        if 0 <= place < len(versions):
            await self.show_branch(versions[place])

    async def show_branch(self, exchange: Exchange) -> None:
        """Show the branch through `exchange`, and give it the focus."""
        self.conversation.show(exchange)
        await self.query_one(ConversationView).show(self.conversation)
        for view in self.query(f"#exchange-{exchange.number}").results(ExchangeView):
            view.focus()
        self.refresh_bindings()

    def action_edit_question(self) -> None:
        """Put the question into the box; what is sent then is a branch beside it."""
        if self.current:
            box = self.query_one(QuestionBox)
            box.put(self.current.question)
            box.editing = self.current
            box.focus()

    def action_copy_answer(self) -> None:
        """Copy the answer as Markdown."""
        if self.current and self.current.text:
            self._copy(self.current.text, "The answer is copied.")

    def action_copy_table(self) -> None:
        """Copy the first table, its cells apart by tabs."""
        table = first_table(self.current.text) if self.current else ""
        if table:
            self._copy(table, "The table is copied.")
        else:
            self.notify("There is no table in this answer.", markup=False)

    def action_copy_conversation(self) -> None:
        """Copy the branch that is shown, as Markdown."""
        if self.conversation.leaf:
            self._copy(as_markdown(self.conversation.branch), "The conversation is copied.")

    def _copy(self, text: str, told: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify(told, markup=False)

    async def action_rate(self, rating: str) -> None:
        """Keep what the clinician thinks of the answer; the same once more takes it back."""
        exchange = self._kept()
        if exchange is None:
            return
        wanted = "" if exchange.rating == rating else rating
        try:
            turn = await self.history.turn(self.conversation.id or "", exchange.stored or 0)
            await self.history.rate(turn, {"good": True, "bad": False}.get(wanted))
        except MedpocketError as error:
            self.tell(error)
            return
        exchange.rating = wanted
        self._refresh(exchange)

    def action_note(self) -> None:
        """Ask for a note on the answer, and keep it."""
        exchange = self._kept()
        if exchange is None:
            return

        async def noted(text: str | None) -> None:
            if text is None:
                return
            try:
                turn = await self.history.turn(self.conversation.id or "", exchange.stored or 0)
                await self.history.annotate(turn, text)
            except MedpocketError as error:
                self.tell(error)
                return
            exchange.note = text
            self._refresh(exchange)

        from medpocket.tui.screens.ask_line import AskLine

        self.app.push_screen(AskLine("A note on this answer", exchange.note), noted)

    def _kept(self) -> Exchange | None:
        exchange = self.current
        if exchange and exchange.stored is None:
            self.notify("This answer is not in the history: there is nowhere to write it.", markup=False)
            return None
        return exchange

    def _refresh(self, exchange: Exchange) -> None:
        for view in self.query(f"#exchange-{exchange.number}").results(ExchangeView):
            view.refresh_words()
