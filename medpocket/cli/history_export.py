"""Conversations leave the history, and come back."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.history_audit import write_down
from medpocket.cli.history_open import open_history
from medpocket.errors import InputError
from medpocket.store.export import json_format
from medpocket.store.export.forms import FORMS, form_of, pieces
from medpocket.store.export.new_file import write_new
from medpocket.store.export.people import of_one_turn
from medpocket.store.history import History
from medpocket.store.records import Whole


@click.command("export")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every conversation.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(FORMS),
    help="Markdown, plain text, JSON for `import`, or the draft of a note; by default what FILE ends with.",
)
@click.option(
    "-o", "--output", "target", metavar="FILE", type=click.Path(path_type=Path), help="A new file; else stdout."
)
@click.option("--deidentify", is_flag=True, help="Put placeholders for names, dates, numbers, addresses. Then read it!")
def export_command(
    ids: tuple[str, ...], everything: bool, form: str | None, target: Path | None, deidentify: bool
) -> None:
    """Write conversations, or one turn as abcd2345.3, to FILE or to stdout.

    FILE is readable by you alone and is never overwritten. --deidentify is an aid and no guarantee: its rules miss
    some names, and a story can name a person without one. What it replaced is listed on stderr, never in the export.

    \b
    medpocket history export abcd2345 -o answer.md
    medpocket history export abcd2345.3 -f soap -o note.md --deidentify
    medpocket history export --all -o everything.json
    """
    if bool(ids) == everything:
        raise click.UsageError("name conversations, or give --all")
    form = form or form_of(target)
    with open_history() as history:
        names = list(dict.fromkeys(ids)) if ids else history.ids()
        if not names:
            raise InputError("there is nothing to export", "`medpocket ask` begins a history")
        wholes: Iterator[Whole] | Sequence[Whole] = (_whole(history, name, form) for name in names)
        told: Sequence[str] = ()
        if ids or deidentify:
            wholes = list(wholes)  # an id that is not there is said before anything is written
        if deidentify:
            from medpocket.store.export.deidentified import in_words, without_names  # 0.4 s to get its rules ready

            wholes, replaced = without_names(list(wholes))
            told = in_words(replaced)
        text = pieces(wholes, form, deidentified=deidentify)
        if target:
            write_new(target, text)
        else:
            for piece in text:
                output.write_text(piece)
        for line in told:
            diagnostics.notice(line)
        write_down("history export", "deidentified" if deidentify else "done", history)
    if target:
        diagnostics.notice(f"written to {target}")


def _whole(history: History, name: str, form: str) -> Whole:
    conversation, dot, _ = name.partition(".")
    whole = history.whole(conversation)
    if not dot:
        return whole
    if form == "json":
        raise InputError("JSON holds whole conversations", f"give {conversation} without the turn")
    return of_one_turn(whole, history.turn(name).number)


@click.command("import")
@click.argument("source", metavar="FILE")
def import_command(source: str) -> None:
    """Put the conversations of a JSON export into the history; "-" reads stdin. Those that are here already stay."""
    wholes = json_format.read(_read(source))
    with open_history(create=True) as history:
        put_in = history.add_all(wholes)
        write_down("history import", "done", history)
    here = len(wholes) - len(put_in)
    output.write_line(f"{len(put_in):,} conversations imported" + (f", {here:,} were here already" if here else ""))


def _read(source: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror or type(error).__name__}", "check its name"
        ) from None
    except UnicodeDecodeError:
        raise InputError(
            "this is not an export of MedPocket", "`medpocket history export ID --format json` writes one"
        ) from None
