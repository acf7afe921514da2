"""Removing conversations, for good."""

import re
from collections.abc import Sequence
from datetime import timedelta

import click

from medpocket.cli import diagnostics
from medpocket.cli.history_audit import write_down
from medpocket.cli.history_open import confirmed, open_history, yes_option
from medpocket.errors import OptionError
from medpocket.store.erasing import copies
from medpocket.store.history import History
from medpocket.store.records import now, to_ms

_AGE = re.compile(r"(\d{1,5})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


@click.command("delete")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@yes_option
def delete_command(ids: tuple[str, ...], yes: bool) -> int:
    """Remove conversations for good, and every backup and set-aside file with them: these hold them too."""
    with open_history() as history:
        found = [history.conversation(id_).id for id_ in ids]
        return _remove(history, list(dict.fromkeys(found)), yes, "history delete")


@click.command("purge")
@click.option("--older-than", "age", metavar="AGE", required=True, help="Such as 90d, 12w, 6m (30 days each), 10y.")
@yes_option
def purge_command(age: str, yes: bool) -> int:
    """Remove conversations whose last question is older than AGE, as `delete` does."""
    read = _AGE.fullmatch(age.strip().lower())
    if not read:
        raise OptionError("the age is not one", "for example: --older-than 90d")
    before = now() - timedelta(days=min(int(read[1]) * _DAYS[read[2]], 500_000))
    with open_history() as history:
        return _remove(history, history.ids(before_ms=to_ms(before)), yes, "history purge")


def _remove(history: History, ids: Sequence[str], yes: bool, command: str) -> int:
    others = len(copies(history.path.parent))
    if not ids:
        diagnostics.notice("there is nothing to remove")
        return 0
    also = f", and {others} backup{'s' if others > 1 else ''} and set-aside files" if others else ""
    if not confirmed(f"Remove {len(ids)} conversation{'s' if len(ids) > 1 else ''}{also}, for good?", yes):
        return 1
    history.delete(ids)
    if not history.scrub():
        diagnostics.notice("another MedPocket reads at this moment; what it reads goes when it is done")
    write_down(command, "done", history)
    diagnostics.notice(f"{len(ids)} removed{also}")
    return 0
