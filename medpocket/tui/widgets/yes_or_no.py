"""A choice of yes or no."""

from textual.widgets import Checkbox


class YesOrNo(Checkbox):
    """A box that says whether it is ticked; Textual's own tells it by colour alone."""

    BUTTON_INNER = "no "

    def watch_value(self) -> None:
        """Say it."""
        self.BUTTON_INNER = "yes" if self.value else "no "
        super().watch_value()
