"""What stands on the screen, as text."""

from textual.app import App


def screen_text(app: App[None]) -> str:
    """The lines of the screen, without colours; what stands at their ends is cut off."""
    rows = app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in row).rstrip() for row in rows)
