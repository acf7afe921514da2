"""Who answers: the router's choice while a question is typed, or the user's own."""

from textual import on, work
from textual.screen import ScreenResultCallbackType
from textual.timer import Timer

from medpocket.errors import MedpocketError
from medpocket.tui import slash
from medpocket.tui.conversation import Choice
from medpocket.tui.screens.chat_parts.part import ChatPart
from medpocket.tui.services import routing
from medpocket.tui.widgets.question_box import QuestionBox

_PREVIEW_S = 0.15  # after the last key
_PREVIEWED = 20_000  # characters; the router reads the ends of a longer text alone


class WhoAnswers(ChatPart):
    """Keeps the expert bar and the evidence beside it up to date."""

    _preview: routing.Preview | None = None
    _preview_timer: Timer | None = None

    def choose(self, choice: Choice) -> None:
        """Have `choice` answer from now on."""
        self.choice = choice
        self.show_expert()

    def take_expert(self, name: str) -> None:
        """Have the expert of this name answer. Raises UnknownNameError."""
        if name in ("routed", ""):
            self.choose(Choice())
        elif name == "none":
            self.choose(Choice(route=False))
        else:
            self.choose(Choice(routing.expert_named(name)))

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

    def action_toggle_why(self) -> None:
        """Show or hide the router's evidence."""
        self.toggle_class("-asked-why")
        self.show_expert()

    @on(QuestionBox.Changed)
    def preview_soon(self) -> None:
        """Route what is typed when the typing pauses."""
        if self._preview_timer:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(_PREVIEW_S, self._preview_now)

    @work(exclusive=True, group="preview")
    async def _preview_now(self) -> None:
        text = self.box.text
        if slash.is_command(text):
            self.expert_bar.show_lines(slash.matching(text, routing.names()))
            return
        if len(text) > 2 * _PREVIEWED:
            text = f"{text[:_PREVIEWED]}\n{text[-_PREVIEWED:]}"
        try:
            self._preview = await self.router.call(routing.preview, text)
        except MedpocketError as error:
            self.tell(error)
            return
        self.show_expert()

    def on_descendant_focus(self) -> None:
        """Show what speaks for the expert of the answer that has the focus."""
        self.show_expert()

    def forget_preview(self) -> None:
        """Show nothing of what was typed last."""
        self._preview = None
        self.show_expert()

    def show_expert(self) -> None:
        """Show who would answer, and what speaks for it."""
        self.expert_bar.show(self.choice, self._preview, self.adapters)
        if self.has_class("-asked-why"):
            route = self.current.routed.route if self.current and self.current.routed else None
            asked = routing.as_preview(route) if route else None
            self.why_panel.show(self._preview or asked)
