"""Print docs/commands.md: every command's own help. `make commands-page` writes it, a test compares."""

import click

from medpocket.cli.app import COMMANDS, medpocket

INTRODUCTION = """# Commands

Written by `make commands-page` from the commands' own help.

The answer, or one JSON object, goes to stdout; everything else to stderr. `--json` prints
`{"ok": true, "command": ..., "data": ...}` or `{"ok": false, "command": ..., "error": {"code", "message", "hint"}}`.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

**Patient text belongs on stdin** (`medpocket ask < note.txt`, or `medpocket ask -` and then type): an argument is kept
in the shell's history, and `ps` shows it to every user of the machine.
"""


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION, section("medpocket", medpocket)]
    context = click.Context(medpocket, info_name="medpocket")
    for name in COMMANDS:
        command = medpocket.get_command(context, name)
        assert command is not None, name
        parts.append(section(f"medpocket {name}", command))
        if isinstance(command, click.Group):
            parts += [section(f"medpocket {name} {one}", command.commands[one]) for one in command.commands]
    return "\n".join(parts)


def section(title: str, command: click.Command) -> str:
    """Return one command's help under a heading, 100 columns wide wherever it is made."""
    context = click.Context(command, info_name=title, terminal_width=100, max_content_width=100)
    return f"## `{title}`\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    print(page(), end="")
