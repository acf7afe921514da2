"""The first line: what this is, and what must be known of the model."""

from textual.content import Content
from textual.widgets import Static

from medpocket.tui.messages import ModelInfo


class TitleBar(Static):
    """One line, the badge of the demonstration model in it."""

    DEFAULT_CSS = """
    TitleBar { height: 1; padding: 0 2; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__(Content.assemble(("MedPocket", "bold $text-primary")), id="title")

    def show(self, model: ModelInfo) -> None:
        """Put what the model's users must be told behind the name."""
        told = "demonstration model, not a clinical model" if model.demonstration else model.advisory
        self.update(
            Content.assemble(("MedPocket", "bold $text-primary"), ("   " + told if told else "", "$text-warning"))
        )
