"""What the keys do where the user is, and what MedPocket is not."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from medpocket.tui.screens.base import InfoScreen

NOT = """\
MedPocket is not a medical device. It makes no diagnosis, knows no patient, and is not for emergencies.
A language model can be wrong and sound sure. It may not know what is new since it was trained, nor your
guidelines. Check what matters against your sources.
Nothing that you type leaves this machine: this process cannot open a network connection."""

KeyRow = tuple[str, str, str]  # keys as they are shown, label, explanation


class HelpScreen(InfoScreen[list[KeyRow]]):
    """The keys of where the user was, in a table of plain words."""

    HEADING = "Help"

    def __init__(self, rows: Sequence[KeyRow]) -> None:
        super().__init__()
        self._rows = list(rows)

    def fetch(self) -> list[KeyRow]:
        """The keys are known already."""
        return self._rows

    async def show(self, found: list[KeyRow]) -> None:
        """A line a key."""
        wide = max((len(keys) for keys, _, _ in found), default=0)
        lines = [Content.assemble((f"{keys:<{wide}}", "$text-primary"), f"  {text}") for keys, _, text in found]
        body = [Content.assemble(("What MedPocket is not", "bold")), Content(NOT), Content("")]
        self.query_one(".text", Static).update(
            Content("\n").join([Content.assemble(("Keys", "bold")), *lines, Content(""), *body])
        )
