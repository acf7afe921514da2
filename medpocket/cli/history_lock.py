"""Locking the history, and switching it off."""

import getpass
import sys

import click

from medpocket.cli import diagnostics
from medpocket.cli.history_audit import write_down
from medpocket.cli.history_open import PassphrasePrompt, confirmed, open_history, yes_option
from medpocket.config import load_settings
from medpocket.errors import HistoryError, OptionError
from medpocket.store import switch
from medpocket.store.erasing import copies
from medpocket.store.history import History
from medpocket.store.locking import rewrite
from medpocket.store.passphrase import LEAST_BITS, from_surroundings, put_into_keyring, strength, take_out_of_keyring

_WARNING = (
    "whoever loses the passphrase loses the history: nobody, and no program, can bring it back; write it down and keep "
    "it where patients' files are kept"
)


@click.command("lock")
@click.option("--change", is_flag=True, help="Give a locked history another passphrase.")
@click.option("--keyring", is_flag=True, help="Keep the passphrase in the system's keyring.")
@click.option("--weak", is_flag=True, help="Take a passphrase that is easy to guess.")
@yes_option
def lock_command(change: bool, keyring: bool, weak: bool, yes: bool) -> int:
    """Encrypt the history with a passphrase, or change it.

    Backups and set-aside files are removed. The passphrase is asked for twice; where nobody is there to ask, the file
    that MEDPOCKET_PASSPHRASE_FILE names has it.
    """
    diagnostics.notice(_WARNING)
    with open_history(create=True, prompt=PassphrasePrompt("present passphrase: ")) as history:
        if history.locked and not change:
            raise HistoryError("the history is locked already", "--change gives it another passphrase")
        if change and not history.locked:
            raise HistoryError("the history is not locked", "`medpocket history lock` without --change locks it")
        new = _new_passphrase(history)
        measured = strength(new)
        diagnostics.notice(f"this passphrase is {measured.described}")
        if measured.bits < LEAST_BITS and not weak:
            raise OptionError(
                "the passphrase is too easy to guess", "five words that have nothing to do with each other are strong"
            )
        if not confirmed(_question(history, "Lock the history"), yes):
            return 1
        rewrite(history, new)
        write_down("history lock --change" if change else "history lock", "done", None)
        if keyring:
            put_into_keyring(history.path.parent, new)
        elif change:
            take_out_of_keyring(history.path.parent)
    diagnostics.notice(
        "the history is locked; an SSD may keep old blocks of the file that was not, until it reuses them"
    )
    return 0


@click.command("unlock")
@yes_option
def unlock_command(yes: bool) -> int:
    """Take the passphrase away: the history is a plain file again, that whoever has the disk can read."""
    if load_settings().require_encrypted_history:
        raise HistoryError("this machine keeps only a locked history", "whoever administers it has decided so")
    with open_history() as history:
        if not history.locked:
            raise HistoryError("the history is not locked", "`medpocket history lock` locks it")
        if not confirmed(_question(history, "Unlock the history for good"), yes):
            return 1
        rewrite(history, None)
        write_down("history unlock", "done", None)
        take_out_of_keyring(history.path.parent)
    diagnostics.notice("the history is a plain file now")
    return 0


@click.command("off")
def off_command() -> None:
    """Keep nothing of what is asked from now on; what is kept stays."""
    switch.switch(on=False)
    diagnostics.notice("nothing is kept from now on; `medpocket history on` changes that")


@click.command("on")
def on_command() -> None:
    """Keep what is asked from now on."""
    switch.switch(on=True)
    diagnostics.notice("questions and answers are kept from now on")


def _question(history: History, what: str) -> str:
    others = len(copies(history.path.parent))
    return f"{what}? {others} backups and set-aside files are removed." if others else f"{what}?"


def _new_passphrase(history: History) -> str:
    """Ask for it twice; or take it from its file, where the history has none yet."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        first = getpass.getpass("new passphrase: ")
        if getpass.getpass("once more: ") != first:
            raise OptionError("the two are not the same", "try again")
        return first
    found = None if history.locked else from_surroundings(history.path.parent)
    if not found:
        raise HistoryError(
            "nobody is here to type a passphrase",
            "MEDPOCKET_PASSPHRASE_FILE names a file with the first one; to change it takes a terminal",
        )
    return found
