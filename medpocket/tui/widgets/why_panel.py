"""Why this expert: the evidence of the router, and how the others stand."""

from textual.content import Content
from textual.widgets import Static

from medpocket.text import printable
from medpocket.tui.services.routing import Preview

_BAR = 12


class WhyPanel(Static):
    """A column beside the conversation, or below it where the terminal is narrow."""

    DEFAULT_CSS = """
    WhyPanel { width: 44; height: 1fr; padding: 1 2; border-left: vkey $panel; color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__(id="why")

    def show(self, preview: Preview | None) -> None:
        """Show what speaks for the expert of a question."""
        if preview is None:
            self.update(Content.assemble(("Why\n\n", "bold"), "What speaks for an expert stands here."))
            return
        lines = [Content.assemble((printable(preview.first.title), "bold $text-primary")), Content("")]
        widest = max(len(one.expert) for one in (preview.first, *preview.others))
        for one in (preview.first, *preview.others):
            filled = round(one.score * _BAR)
            bar = Content.assemble(("━" * filled, "$primary"), ("─" * (_BAR - filled), "$panel"))
            lines.append(Content.assemble(f"{one.expert:<{widest}} ", bar, f" {one.score:.2f}"))
        if preview.evidence:
            lines += [Content(""), Content.assemble(("Decided by", "bold"))]
            lines += [Content(printable(f"{weight:+5.1f}  {term}")) for term, weight in preview.evidence]
        if preview.note:
            lines += [Content(""), Content(printable(preview.note))]
        self.update(Content("\n").join(lines))
