"""What NO_COLOR asks for: bold, underlined and reversed letters, and no colour."""

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_REVERSED = Style(reverse=True)
_STANDS_OUT = 0.2  # of brightness: a highlighted row differs more from its surroundings, a panel less


class WithoutColours(LineFilter):
    """Take every colour away; what stood out by its background is reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Change a line of a widget that has this background."""
        return [Segment(text, style and _plain(style, background), control) for text, style, control in segments]


@lru_cache(1024)
def _plain(style: Style, background: Color) -> Style:
    plain = style.without_color
    return plain + _REVERSED if style.bgcolor and _stands_out(style.bgcolor, background) else plain


def _stands_out(colour: RichColor, background: Color) -> bool:
    if colour.is_default:
        return False
    red, green, blue = colour.get_truecolor(foreground=False)
    return abs(Color(red, green, blue).brightness - background.brightness) > _STANDS_OUT
