"""The keys that can be used now, in the bottom line."""

from textual.widgets import Footer


class KeyLine(Footer):
    """Textual's footer, drawn anew only where it changes: it is asked to far more often."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._drawn: list[tuple[str, str, bool]] | None = None

    async def recompose(self) -> None:
        """Draw the keys, if they are others than those that are drawn."""
        if not self.is_attached:  # its screen was left meanwhile
            return
        active = self.screen.active_bindings.values()
        keys = [(one.binding.key, one.binding.description, one.enabled) for one in active if one.binding.show]
        if keys == self._drawn:
            return
        self._drawn = keys
        await super().recompose()
        self.mutate_reactive(Footer.compact)  # which each key watches: those that are gone are only then forgotten
