"""The line that names who would answer the question that is being typed."""

from collections.abc import Collection, Sequence

from textual.content import Content
from textual.widgets import Static

from medpocket.tui.conversation import Choice
from medpocket.tui.services.routing import Preview
from medpocket.tui.widgets.wording import expert_words


class ExpertBar(Static):
    """The router's choice with the runners-up, or what the user chose instead."""

    DEFAULT_CSS = """
    ExpertBar { height: 1; padding: 0 2; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
    """

    def __init__(self) -> None:
        super().__init__(id="expert-bar")

    def show_lines(self, lines: Sequence[str]) -> None:
        """Show what the command that is being typed could become."""
        self.update(Content("   ".join(lines) if lines else "there is no such command: F1 lists the keys"))

    def show(self, choice: Choice, preview: Preview | None, adapters: Collection[str]) -> None:
        """Show one state."""
        if choice.expert:
            words = Content.assemble(
                ("pinned ", "$text-muted"), (expert_words(choice.expert, None, adapters), "$text-primary")
            )
        elif not choice.route:
            words = Content("routing is off: the base model answers")
        elif preview is None:
            words = Content("the expert is found while you type")
        else:
            first = expert_words(preview.first.expert, preview.first.score, adapters)
            others = ", ".join(f"{one.expert} {one.score:.2f}" for one in preview.others)
            words = Content.assemble((first, "$text-primary"), f"   then {others}" if others else "")
        self.update(words)
