"""What of the app's colours reaches a terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from textual.color import Color

from medpocket.tui.screens.settings import SettingsScreen
from medpocket.tui.themes import CONTRAST, DARK, LIGHT
from tests.tui.scripted_app import scripted_app, until

_STYLE = re.compile(rb"\x1b\[([0-9;:]*)m")
_MOVES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


def written(keys: list[tuple[bytes, bytes]], **environment: str) -> bytes:
    """Run the app in a terminal; before each key, wait for words on the screen. Return all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(
        [sys.executable, "-m", "medpocket"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={key: value for key, value in os.environ.items() if key != "NO_COLOR"} | terminal | environment,
    )
    os.close(theirs)
    seen, since = b"", 0
    deadline = time.monotonic() + 200
    try:
        for words, key in keys:
            while words not in _MOVES.sub(b"", seen[since:]):
                assert time.monotonic() < deadline, seen[-2000:]
                seen += os.read(ours, 65536)
            since = len(seen)
            os.write(ours, key)
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:  # how a terminal on Linux says that its program has ended
        pass
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return seen


def colours(seen: bytes) -> set[int]:
    """The codes of the terminal's language that set a colour."""
    codes = {int(code) for style in _STYLE.findall(seen) for code in re.split(rb"[;:]", style) if code}
    return {code for code in codes if 30 <= code <= 49 or 90 <= code <= 107}


WAY = [
    (b"begins a new line", b"\x1b[15~"),  # F5
    (b"gpu_layers", b"\x1b[B"),
    (b"Tokens that the model", b"\r"),
    (b"Escape changes nothing", b"\x11"),  # Ctrl+Q
]


@pytest.mark.timeout(300)  # a start of the app, on a machine that may be busy
def test_with_no_color_no_colour_reaches_the_terminal(home: Path) -> None:
    seen = written(WAY, NO_COLOR="1")
    assert b"Escape changes nothing" in seen
    assert colours(seen) == set()
    assert b"\x1b[1;7m" in seen  # the highlighted row is reversed


@pytest.mark.timeout(300)
def test_without_it_the_same_way_is_in_colour(home: Path) -> None:
    assert {38, 48} <= colours(written(WAY))


@pytest.mark.anyio
async def test_without_colours_what_stands_out_is_bold_or_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = scripted_app()
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen) and app.screen.highlighted)
        styles = [part.style for strip in app.screen._compositor.render_strips() for part in strip if part.style]
        assert not any(style.color or style.bgcolor for style in styles)
        assert any(style.reverse for style in styles) and any(style.bold for style in styles)


@pytest.mark.parametrize("theme", [DARK, LIGHT, CONTRAST])
def test_every_text_of_a_theme_can_be_read_on_its_backgrounds(theme: object) -> None:
    """WCAG 2.1: 4.5 to 1 for text; 7 to 1 for all of high contrast."""
    least = 7.0 if theme is CONTRAST else 4.5
    for name in ("foreground", "primary", "accent", "warning", "error", "success"):
        for under in ("background", "surface", "panel"):
            ratio = contrast(Color.parse(getattr(theme, name)), Color.parse(getattr(theme, under)))
            assert ratio >= least, (name, under, ratio)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: Color) -> float:
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
