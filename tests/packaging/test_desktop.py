"""The manual and the menu's entry that a wheel brings."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medpocket.cli.app import COMMANDS

PACKAGING = Path(__file__).parent.parent.parent / "packaging"


def test_the_manual_is_that_of_these_commands() -> None:
    printed = subprocess.run(
        [sys.executable, PACKAGING / "man_page.py"], capture_output=True, text=True, timeout=60, check=True
    )
    assert (PACKAGING / "medpocket.1").read_text() == printed.stdout, "write it anew: make man-page"


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not here")
def test_groff_shows_every_command_and_warns_of_nothing() -> None:
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-c", "-ww", PACKAGING / "medpocket.1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stderr == ""
    words = " ".join(re.sub(".\b", "", shown.stdout).split())  # bold is a letter printed over itself
    for name, (_, line) in COMMANDS.items():
        assert name in words
        assert line.split()[0] in words
    assert "--help" in words


def test_the_menus_entry_opens_the_app_in_a_terminal() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(PACKAGING / "medpocket.desktop")
    fields = entry["Desktop Entry"]
    assert (fields["Type"], fields["Exec"], fields["Terminal"]) == ("Application", "medpocket", "true")
    assert all(value.endswith(";") for value in (fields["Categories"], fields["Keywords"]))
