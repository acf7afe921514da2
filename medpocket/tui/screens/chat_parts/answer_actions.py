"""What can be done with the answers of a conversation."""

from medpocket.errors import MedpocketError
from medpocket.tui.conversation import Choice, Exchange
from medpocket.tui.markdown_text import as_markdown, first_table
from medpocket.tui.screens.chat_parts.asking import Asking
from medpocket.tui.screens.chat_parts.signing import Signing


class AnswerActions(Asking, Signing):
    """Acts on the answer that has the focus, else on the last one."""

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
                await self.show_branch()

        self.choose_expert("Who answers beside it?", chosen)

    async def action_keep_this(self) -> None:
        """Go on with the one of two that has the focus."""
        if self.conversation.beside and self.current:
            await self._go_to(self.current)

    async def action_version(self, step: int) -> None:
        """Show another version of the exchange."""
        exchange = self.current
        if exchange is None:
            return
        versions = self.conversation.versions(exchange)
        place = versions.index(exchange) + step
        if 0 <= place < len(versions):
            await self._go_to(versions[place])

    async def _go_to(self, exchange: Exchange) -> None:
        """Show the branch through `exchange`, and give it the focus."""
        self.conversation.show(exchange)
        await self.show_branch()
        for view in self.views_of(exchange):
            view.focus()
        self.refresh_bindings()

    def action_edit_question(self) -> None:
        """Put the question into the box; what is sent then is a branch beside it."""
        if self.current:
            self.box.put(self.current.question)
            self.box.editing = self.current
            self.box.focus()

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
        exchange = self.kept()
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
        self.refresh_words(exchange)
        await self.show_signatures()

    def action_note(self) -> None:
        """Ask for a note on the answer, and keep it."""
        exchange = self.kept()
        if exchange is None:
            return
        conversation = self.conversation.id or ""

        async def noted(text: str | None) -> None:
            if text is None:
                return
            try:
                turn = await self.history.turn(conversation, exchange.stored or 0)
                await self.history.annotate(turn, text)
            except MedpocketError as error:
                self.tell(error)
                return
            exchange.note = text
            self.refresh_words(exchange)
            await self.show_signatures()

        from medpocket.tui.screens.ask_line import AskLine

        self.app.push_screen(AskLine("A note on this answer", exchange.note), noted)
