"""What the keys do where the user is, and what MedPocket is not."""

from collections.abc import Iterable

from textual.binding import ActiveBinding
from textual.content import Content
from textual.widgets import Static

from medpocket.text import printable
from medpocket.tui.keys import all_keys, as_written
from medpocket.tui.screens.base import InfoScreen

NOT = """\
MedPocket is not a medical device. It makes no diagnosis, knows no patient, and is not for emergencies.
A language model can be wrong and sound sure. It may not know what is new since it was trained, nor your \
guidelines. Check what matters against your sources.
Nothing that you type leaves this machine: this process cannot open a network connection."""

# By the group of a key's id; what has no id is Textual's own, for moving and editing.
_HEADINGS = {"question": "In the question", "answer": "On this answer", "chat": "In the conversation"}
_MOST_KEYS = 2  # Textual has up to four for one thing
_OTHER, _APP, _TEXTUAL = "On this screen", "Everywhere", "Moving and editing"

Sections = dict[str, list[tuple[str, str]]]  # by heading: keys as they are written, and what they do


class HelpScreen(InfoScreen[Sections]):
    """The keys of where the user was, as they are now, in a table of plain words."""

    HEADING = "Help"
    NOTE = "keys, and what MedPocket is not"

    def __init__(self, active: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._sections = sections(active)

    def fetch(self) -> Sections:
        """The keys are known already."""
        return self._sections

    async def show(self, found: Sections) -> None:
        """A line a key, the nearest first."""
        wide = max((len(keys) for rows in found.values() for keys, _ in rows), default=0)
        lines = [Content.assemble(("What MedPocket is not", "bold")), Content(NOT)]
        for heading, rows in found.items():
            lines += [Content(""), Content.assemble((heading, "bold"))]
            lines += [
                Content.assemble((f"{keys:<{wide}}", "$text-primary"), f"  {printable(text)}") for keys, text in rows
            ]
        self.query_one(".text", Static).update(Content("\n").join(lines))


def sections(active: Iterable[ActiveBinding]) -> Sections:
    """Put the keys that work now under headings: of what has the focus, of the screen, of the app, Textual's own."""
    known = all_keys()
    by_heading: dict[str, dict[tuple[str, str], list[str]]] = {}
    for _, binding, enabled, _ in active:
        key = known.get(binding.id or "")
        if key is None and not binding.description:
            continue
        heading = _TEXTUAL if key is None else _APP if key.group == "app" else _HEADINGS.get(key.group, _OTHER)
        text = f"{key.tooltip if key else binding.description}{'' if enabled else '  (not now)'}"
        by_heading.setdefault(heading, {}).setdefault((binding.action, text), []).append(as_written(binding.key))
    order = [heading for heading in by_heading if heading not in (_APP, _TEXTUAL)] + [_APP, _TEXTUAL]
    return {
        heading: [(", ".join(keys[:_MOST_KEYS]), text) for (_, text), keys in by_heading[heading].items()]
        for heading in order
        if heading in by_heading
    }
