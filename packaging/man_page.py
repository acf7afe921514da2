"""Print packaging/medpocket.1: the commands, and what is not in their help. `make man-page` writes it."""

import re

from medpocket.cli.app import COMMANDS

_PAGE = r""".\" Written by `make man-page`.
.TH MEDPOCKET 1 "" "MedPocket" "User Commands"
.SH NAME
medpocket \- ask a medical language model on this machine, offline
.SH SYNOPSIS
.B medpocket
.br
.B medpocket
.I COMMAND
.RI [ OPTION ...]
.RI [ ARGUMENT ...]
.SH DESCRIPTION
Without a command, MedPocket opens its app in this terminal.
Nothing that you type leaves this machine: every command but the downloads of
.B models
and
.B experts
runs with the network refused.
.PP
What a model says may be wrong. It is checked by the person who acts on it.
.PP
Patient text belongs on standard input
.RB ( "medpocket ask < note.txt" ):
an argument is kept in the shell's history, and
.BR ps (1)
shows it to every user of the machine.
.SH COMMANDS
COMMANDS_HERE
.PP
.B medpocket
.I COMMAND
.B \-\-help
says all about one of them.
.SH OPTIONS
.TP
.BR \-h ", " \-\-help
The commands, or how one of them is used.
.TP
.B \-\-version
The version.
.SH "EXIT STATUS"
.TP
.B 0
done
.TP
.B 1
failed
.TP
.B 2
used wrongly
.TP
.B 130
interrupted
.SH ENVIRONMENT
.TP
.B MEDPOCKET_HOME
One folder for everything that is named below.
.TP
.B NO_COLOR
No colours.
.SH FILES
.TP
.I ~/.config/medpocket/config.toml
Settings.
.TP
.I ~/.local/share/medpocket
Models, experts and the history; for this user alone.
.TP
.I ~/.local/state/medpocket/log
llama.cpp's messages. They hold no text of a question.
.SH "SEE ALSO"
.B medpocket doctor
says where these folders are on this machine, what is wrong, and what mends it."""


def page() -> str:
    """Return the page."""
    commands = "\n".join(f".TP\n.B {_roff(name)}\n{_roff(line)}" for name, (_, line) in COMMANDS.items())
    return _PAGE.replace("COMMANDS_HERE", commands)


def _roff(text: str) -> str:
    """A line of text that groff prints as it is."""
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", r"\e").replace("-", r"\-"))


if __name__ == "__main__":
    print(page())
