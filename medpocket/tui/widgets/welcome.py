"""What stands where there is no conversation yet."""

from textual.content import Content
from textual.widgets import Static

from medpocket.tui.messages import ModelInfo

_TEXT = """\
Ask below. A specialist answers where the question belongs to one; the line above the box says who, while you type.

Answers come from a language model on this machine. They can be wrong and sound sure: check them against your \
sources before you act. MedPocket is no medical device, replaces no judgement, and is not for emergencies.

F1  what the keys do          Ctrl+P  everything by its name"""


class Welcome(Static):
    """A few lines, gone with the first question."""

    DEFAULT_CSS = """
    Welcome { padding: 1 2; color: $text-muted; max-width: 88; }
    """

    def __init__(self) -> None:
        super().__init__(Content(_TEXT))

    def show(self, model: ModelInfo | None) -> None:
        """Add what the model's users must be told."""
        if model is None:
            return
        told = (
            "The demonstration model answers: it shows how MedPocket works, and knows next to nothing.\n"
            "For BioMistral-7B: medpocket models pull"
            if model.demonstration
            else model.advisory
        )
        self.update(Content.assemble(_TEXT, ("\n\n" + told if told else "", "$text-warning")))
