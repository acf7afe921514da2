"""The documents say what is true."""

import re
import subprocess
import sys
from pathlib import Path

from medpocket.cli.app import COMMANDS
from medpocket.tui.keys import all_keys

PROJECT = Path(__file__).parent.parent


def test_every_command_is_documented_with_its_own_help() -> None:
    printed = subprocess.run(
        [sys.executable, "packaging/commands_page.py"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    page = (PROJECT / "docs" / "commands.md").read_text()
    assert page == printed.stdout, "write it anew: make commands-page"
    assert all(f"## `medpocket {name}`" in page for name in COMMANDS)


def test_every_key_of_the_app_is_documented_as_it_is() -> None:
    printed = subprocess.run(
        [sys.executable, "packaging/keys_table.py", "--print"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    page = (PROJECT / "docs" / "app.md").read_text()
    assert page == printed.stdout, "write it anew: make keys-table"
    table = dict(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| (.+?) \|", page, re.MULTILINE))
    assert table == {key.id: key.keys for key in all_keys().values()}


def test_every_link_between_the_documents_leads_somewhere() -> None:
    broken = []
    for document in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if "://" not in target and not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")
    assert broken == []


def test_the_readme_names_the_two_commands_as_they_are() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert 'make ask Q="What are the symptoms of glaucoma?"' in readme
    assert "make test" in readme
    targets = (PROJECT / "Makefile").read_text()
    assert re.search(r"^ask: ", targets, re.MULTILINE)
    assert re.search(r"^test: ", targets, re.MULTILINE)


def test_no_address_of_a_package_registry_is_written_down() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    for name in tracked.stdout.split():
        path = PROJECT / name
        if path.suffix in (".md", ".toml", ".txt", ".py", "") and path.is_file():
            assert "pypi" + ".org" not in path.read_text(errors="replace"), name
