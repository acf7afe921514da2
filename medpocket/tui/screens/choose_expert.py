"""Choose who answers."""

from collections.abc import Collection

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from medpocket.registry import load_registry
from medpocket.tui.conversation import Choice
from medpocket.tui.keys import SCREEN, bindings
from medpocket.tui.widgets.wording import with_adapter

_ROUTED, _NONE = "routed", "none"


class ChooseExpert(ModalScreen[Choice | None]):
    """A list over the conversation; Escape changes nothing."""

    BINDINGS = bindings(SCREEN)
    DEFAULT_CSS = """
    ChooseExpert {
        align: center middle;
        #box { width: 72; max-width: 95%; height: auto; max-height: 90%; background: $surface; padding: 1 2; }
        OptionList { height: auto; max-height: 20; border: none; background: $surface; padding: 0; }
        .heading { text-style: bold; margin-bottom: 1; }
    }
    """

    def __init__(self, heading: str, choice: Choice, adapters: Collection[str]) -> None:
        super().__init__()
        self._heading, self._choice, self._adapters = heading, choice, adapters

    def compose(self) -> ComposeResult:
        """Routing, no routing, and every expert."""
        experts = load_registry().experts
        options = [
            Option(Content("routed      the question decides"), id=_ROUTED),
            Option(Content("none        no routing: the base model answers"), id=_NONE),
        ]
        widest = max(map(len, experts))
        for spec in experts.values():
            words = with_adapter(spec.id, has_adapter=spec.id in self._adapters)
            options.append(Option(Content(f"{spec.id:<{widest}}  {words}"), id=f"expert-{spec.id}"))
        with Vertical(id="box"):
            yield Static(Content(self._heading), classes="heading")
            yield OptionList(*options)

    def on_mount(self) -> None:
        """Stand on what is chosen now."""
        choice = self._choice
        present = f"expert-{choice.expert}" if choice.expert else _ROUTED if choice.route else _NONE
        options = self.query_one(OptionList)
        options.highlighted = options.get_option_index(present)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Close with the choice."""
        name = event.option_id or _ROUTED
        expert = name.removeprefix("expert-") if name.startswith("expert-") else None
        self.dismiss(Choice(expert, route=name != _NONE))

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)
