"""The experts: what each is for, its adapter, its size, and what it was measured to gain."""

from textual import work

from medpocket.errors import MedpocketError
from medpocket.tui.keys import EXPERTS, bindings
from medpocket.tui.screens.list_screen import Labelled, ListScreen
from medpocket.tui.services import experts
from medpocket.tui.services.in_thread import in_thread


class ExpertsScreen(ListScreen[list[experts.ExpertRow]]):
    """A table of the experts, and all about the one that is highlighted."""

    HEADING = "Experts"
    BINDINGS = bindings(EXPERTS)
    COLUMNS = ("Expert", "Adapter for", "Size", "Perplexity")
    NOTE = "perplexity: over the base model's, below 1 is better"

    def fetch(self) -> list[experts.ExpertRow]:
        """Read the registry and the record of the adapters."""
        return experts.rows()

    async def show(self, found: list[experts.ExpertRow]) -> None:
        """A row an expert."""
        self.set_rows([(row.id, (row.id, row.adapter, row.size, row.gain)) for row in found])

    def details(self, key: str) -> Labelled:
        """What it is for, its line, and all about its adapters."""
        return experts.details(key)

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Read the adapters of the highlighted expert, and compare them with the record."""
        expert = self.highlighted
        if expert is None:
            return
        self.say(f"Reading the adapters of {expert}")
        try:
            problems = await in_thread(experts.problems, expert)
        except MedpocketError as error:
            problems = [error.message, error.hint]
        self.say("\n".join(problems) or f"{expert}: good, as it was recorded")
