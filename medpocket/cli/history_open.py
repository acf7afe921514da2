"""Opening the history for a command."""

import getpass
import sys

import click

from medpocket import paths
from medpocket.cli import diagnostics
from medpocket.config import Settings
from medpocket.errors import DamagedHistoryError, HistoryError, LockedHistoryError, MedpocketError, PassphraseError
from medpocket.store import switch
from medpocket.store.history import History
from medpocket.store.passphrase import from_surroundings
from medpocket.store.recovery import set_aside

_TRIES = 3
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


class PassphrasePrompt:
    """Finds the passphrase without asking, or asks for it where a person is there to answer."""

    def __init__(self, words: str = "passphrase of the history: ", *, asks: bool = True) -> None:
        self._words = words
        self._asks = asks and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
        self.asked = False

    def __call__(self) -> str | None:
        """Return the passphrase; None where there is none. Raises HistoryError for a file that cannot be read."""
        found = None if self.asked else from_surroundings(paths.history_folder())
        if found is not None or not self._asks:
            return found
        self.asked = True
        return getpass.getpass(self._words) or None


def open_history(*, create: bool = False, prompt: PassphrasePrompt | None = None) -> History:
    """Open the user's history; a person has three tries for the passphrase.

    Raises HistoryError, also where there is none and `create` is off.
    """
    prompt = prompt or PassphrasePrompt()
    for tries_left in reversed(range(_TRIES)):
        try:
            history = History.open(passphrase=prompt, create=create)
        except PassphraseError as error:
            if not (prompt.asked and tries_left):
                raise
            diagnostics.notice(error.message)
        else:
            if history is None:
                raise HistoryError("there is no history yet", "`medpocket ask` begins one")
            if history.read_only:
                diagnostics.notice(f"the history is only read: {history.read_only}")
            return history
    raise AssertionError("the last try returns or raises")


def open_to_record(settings: Settings, *, asks: bool) -> tuple[History | None, str]:
    """Open the history for an answer that is to be kept, and return what the user should know of that.

    None where it cannot be kept, or where the history is switched off, of which nothing is said.
    """
    if not switch.is_on():
        return None, ""
    try:
        history, notice = _open_or_begin(
            PassphrasePrompt("passphrase of the history (Enter: keep nothing): ", asks=asks)
        )
    except LockedHistoryError:
        return None, "the history is locked: this answer is not kept"
    except MedpocketError as error:
        return None, f"this answer is not kept: {error.message}; {error.hint}"
    if history.read_only:
        history.close()
        return None, f"this answer is not kept: {history.read_only}"
    if settings.require_encrypted_history and not history.locked:
        history.close()
        return (
            None,
            "this answer is not kept: this machine keeps only a locked history; `medpocket history lock` locks it",
        )
    return history, notice


def _open_or_begin(prompt: PassphrasePrompt) -> tuple[History, str]:
    """Open the history; a damaged one is set aside, and a new one begun."""
    try:
        return open_history(create=True, prompt=prompt), ""
    except DamagedHistoryError as error:
        kept = set_aside()
        return open_history(create=True, prompt=prompt), (
            f"{error.message}; it is kept as {kept.name}, and a new one was begun: `medpocket history recover` brings "
            "back what can be read"
        )


def confirmed(question: str, yes: bool) -> bool:
    """Ask for a yes, unless it was given as an option. Raises HistoryError where nobody is there to answer."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise HistoryError("this needs a yes, and nobody is here to give it", "--yes gives it")
    return click.confirm(question, err=True)
