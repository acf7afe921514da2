"""What a clinician adds to the history: notes, ratings, titles."""

import click

from medpocket.cli import diagnostics
from medpocket.cli.history_open import open_history
from medpocket.cli.question import read_question
from medpocket.store.records import Rating
from medpocket.text import readable

_NONE = "none"


@click.command("note")
@click.argument("id_", metavar="ID")
@click.argument("text", nargs=-1)
@click.option("--remove", is_flag=True, help="Take the note away.")
def note_command(id_: str, text: tuple[str, ...], remove: bool) -> None:
    """Keep a note on a turn, in the place of an earlier one; for a conversation's ID, on its last turn.

    Give patient text through a pipe: an argument is kept in the shell's history.

    \b
    medpocket history note abcd2345.1 "checked against the guideline"
    medpocket history note abcd2345 < note.txt
    """
    note = "" if remove else readable(read_question(text))[0]
    if not (note or remove):
        raise click.UsageError("there is no text")
    with open_history() as history:
        turn = history.turn(id_)
        history.annotate(turn, note)
    diagnostics.notice(f"the note on {turn.id} is {'gone' if remove else 'kept'}")


@click.command("rate")
@click.argument("id_", metavar="ID")
@click.argument("rating", type=click.Choice([*(rating.value for rating in Rating), _NONE]))
def rate_command(id_: str, rating: str) -> None:
    """Keep whether an answer was good or bad; `none` takes it back."""
    with open_history() as history:
        turn = history.turn(id_)
        history.rate(turn, None if rating == _NONE else Rating(rating))
    diagnostics.notice(f"{turn.id}: {rating}")


@click.command("rename")
@click.argument("id_", metavar="ID")
@click.argument("title", nargs=-1)
def rename_command(id_: str, title: tuple[str, ...]) -> None:
    """Give a conversation a title; without TITLE, that of its first question."""
    with open_history() as history:
        conversation = history.conversation(id_)
        history.rename(conversation.id, readable(" ".join(title))[0])
    diagnostics.notice(f"{conversation.id} is renamed")
