"""Draw the app while it answers with the demonstration model, as SVG.

Usage: python packaging/app_picture.py OUT.svg [COLUMNSxROWS [THEME [KEY ...]]]

It asks one question, with a fixed seed, then presses the keys, and draws what is there. The fonts are those of
whoever looks at it: nothing is fetched.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from picture import FONT_FACE

from medpocket.lockdown import refuse_network

QUESTION = "What are the symptoms of glaucoma?"
_CONFIG = 'model = "demo"\nseed = 3\ntemperature = 0.2\nmax_tokens = 120\n'
_WAIT_S = 120


async def draw(columns: int, rows: int, theme: str, keys: list[str]) -> str:
    """Return the app's screen as SVG."""
    from medpocket.tui.app import MedpocketApp
    from medpocket.tui.services.loading import load_installed
    from medpocket.tui.widgets.question_box import QuestionBox

    app = MedpocketApp(load_installed, theme=theme)
    async with app.run_test(size=(columns, rows)) as pilot:
        if keys[:1] != ["-"]:
            app.chat.query_one(QuestionBox).insert(QUESTION)
            await pilot.press("enter")
            for _ in range(_WAIT_S * 5):
                last = app.chat.conversation.leaf
                if last and not last.is_open:
                    break
                await pilot.pause(0.2)
        await pilot.press(*[key for key in keys if key != "-"])
        await pilot.pause(1)
        svg = app.export_screenshot(title="medpocket")
    return FONT_FACE.sub("", svg).replace("Fira Code", "DejaVu Sans Mono")


def main() -> None:
    """Write the picture."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, size, theme, *keys = [*sys.argv[1:], *["", "100x30", "dark"][len(sys.argv) - 1 :]]
    columns, rows = map(int, size.split("x"))
    refuse_network()  # as the command does, before anything else; the status line says whether it holds
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDPOCKET_HOME"] = home
        (Path(home) / "config").mkdir()
        (Path(home) / "config" / "config.toml").write_text(_CONFIG, encoding="utf-8")
        Path(out).write_text(asyncio.run(draw(columns, rows, theme, keys)), encoding="utf-8")


if __name__ == "__main__":
    main()
