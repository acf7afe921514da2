"""What is wrong with this machine or this installation, what mends it, and all that was looked at."""

from textual.content import Content
from textual.widgets import Static

from medpocket.text import printable
from medpocket.tui.keys import RELOAD, bindings
from medpocket.tui.screens.base import InfoScreen
from medpocket.tui.services import doctor


class DoctorScreen(InfoScreen[doctor.Findings]):
    """Problems first, then facts."""

    HEADING = "Doctor"
    NOTE = "what is wrong, and what mends it"
    BINDINGS = bindings(RELOAD)

    def on_mount(self) -> None:
        """Say that it takes a moment."""
        self.query_one(".text", Static).update(Content("Looking at everything"))

    def fetch(self) -> doctor.Findings:
        """Look at everything."""
        return doctor.examine()

    async def show(self, found: doctor.Findings) -> None:
        """The problems, or that there is none; then a section for each kind of fact."""
        lines = []
        for number, (what, mend) in enumerate(found.problems, 1):
            lines.append(Content.assemble((f"{number}. {printable(what)}", "$text-warning")))
            lines.append(Content(f"   {printable(mend)}"))
        if not found.problems:
            lines.append(Content.assemble(("Nothing is wrong.", "bold $text-success")))
            lines.append(Content.assemble(("next  ", "$text-primary"), printable(found.next_step)))
        for heading, facts in found.sections:
            lines += [Content(""), Content.assemble((heading, "bold"))]
            width = max((len(label) for label, _ in facts), default=0)
            lines += [
                Content.assemble((f"{printable(label):<{width}}  ", "$text-primary"), printable(text))
                for label, text in facts
            ]
        self.query_one(".text", Static).update(Content("\n").join(lines))
