"""From what was typed to a question for the engine, and stopping it."""

from textual import on

from medpocket.errors import MedpocketError
from medpocket.text import readable_question
from medpocket.tui import slash
from medpocket.tui.conversation import Choice, Exchange
from medpocket.tui.screens.chat_parts.exporting import Exporting
from medpocket.tui.screens.chat_parts.who_answers import WhoAnswers
from medpocket.tui.services import routing
from medpocket.tui.services.engine_thread import Question
from medpocket.tui.widgets.question_box import QuestionBox


class Asking(WhoAnswers, Exporting):
    """One question at a time."""

    @on(QuestionBox.Submitted)
    async def submit(self, event: QuestionBox.Submitted) -> None:
        """Ask what was typed, or run the command that it is."""
        try:
            if slash.is_command(event.text):
                await self._run_slash(*slash.parse(event.text))
                return
            readable_question(event.text)
        except MedpocketError as error:
            self.box.give_back(event.text)
            self.tell(error)
            return
        parent = event.editing.parent if event.editing else self.conversation.leaf
        if await self.ask(event.text, self.choice, parent):
            self.box.remember(event.text)
            self.box.editing = None
        else:
            self.box.give_back(event.text)

    async def ask(self, question: str, choice: Choice, parent: Exchange | None) -> Exchange | None:
        """Put a question to the engine, and show it with the place for its answer; one at a time."""
        if self.conversation.open:
            self.notify("An answer is still coming: Esc stops it.", markup=False)
            return None
        exchange = Exchange(question, choice, parent)
        goes_on = parent is self.conversation.leaf and self.conversation.beside is None
        self.conversation.beside = None
        self.conversation.add(exchange)
        if goes_on:
            await self.conversation_view.append(exchange)
        else:
            await self.show_branch()
        self.engine.ask(
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
            self.engine.load(argument or None)
        elif command.takes == "file":
            self.action_export_conversation(argument)
        else:
            await self.app.run_action(command.action, self)

    @on(QuestionBox.Completing)
    def complete(self) -> None:
        """Complete the command as far as it is certain."""
        found = slash.matching(self.box.text, routing.names())
        if len(found) == 1:
            self.box.put(found[0] + " ")

    def action_stop(self) -> None:
        """Stop every answer that is coming or waiting; where there is none, go to the question."""
        if not self.stop_answers():
            self.box.editing = None
            self.box.focus()

    def stop_answers(self) -> bool:
        """Stop every answer that this window asked for; tell whether there was one."""
        coming = [one for one in self.conversation.open if not one.foreign]
        for exchange in coming:
            self.engine.cancel(exchange.number)
        return bool(coming)


def _kept_above(exchange: Exchange) -> int | None:
    """The number in the history of the nearest exchange above that is kept."""
    above = exchange.parent
    while above and above.stored is None:
        above = above.parent
    return above.stored if above else None
