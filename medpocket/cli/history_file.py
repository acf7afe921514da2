"""The history's file: where it is, whether it is sound, copies of it."""

from pathlib import Path

import click

from medpocket import paths
from medpocket.cli import diagnostics, output
from medpocket.cli.history_audit import write_down
from medpocket.cli.history_open import PassphrasePrompt, open_history
from medpocket.cli.tables import json_option
from medpocket.errors import DamagedHistoryError, HistoryError
from medpocket.store import recovery, switch
from medpocket.store.erasing import set_aside_files
from medpocket.store.history import FILE_NAME, is_locked


@click.command("path")
@json_option
def path_command(as_json: bool) -> None:
    """Print where the history is, whether it is locked, and whether it is kept at all."""
    folder = paths.history_folder()
    try:
        locked = is_locked()
        state = {None: "there is none yet", True: "locked", False: "not locked"}[locked]
    except HistoryError as error:
        locked, state = None, error.message
    if as_json:
        data = {"path": str(folder / FILE_NAME), "locked": locked, "on": switch.is_on()}
        output.write_success("history path", data)
        return
    output.write_line(str(folder / FILE_NAME))
    diagnostics.notice(state if switch.is_on() else f"{state}; switched off: nothing is kept")


@click.command("backup")
@click.argument("target", metavar="[PATH]", type=click.Path(path_type=Path), required=False)
def backup_command(target: Path | None) -> None:
    """Copy the whole history, to PATH or into its folder of backups; a locked one stays locked, and is checked.

    To go back to a copy, close every MedPocket and put it where `medpocket history path` says.
    """
    with open_history() as history:
        output.write_line(str(history.back_up(target)))
        write_down("history backup", "done", history)


@click.command("verify")
@json_option
def verify_command(as_json: bool) -> int:
    """Read all of the history's file; exit with 1 where something is wrong with it."""
    with open_history() as history:
        problems = history.problems()
        turns = history.totals().turns if not problems else 0
    if as_json:
        output.write_success("history verify", {"sound": not problems, "problems": problems, "turns": turns})
    elif problems:
        for problem in problems[:20]:
            output.write_line(problem)
        diagnostics.notice("`medpocket history recover` puts what can be read into a new file")
    else:
        output.write_line(f"sound: {turns:,} turns")
    return int(bool(problems))


@click.command("recover")
@click.argument(
    "damaged", metavar="[FILE]", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
def recover_command(damaged: Path | None) -> None:
    """Put what can be read of a damaged history into a new one.

    FILE is a history's file; without it, the present one where it is damaged, else the last one that was set aside.
    Signatures are not brought back: what they stood for may have been damaged.
    """
    prompt = PassphrasePrompt()
    damaged = damaged or _damaged(prompt)
    with open_history(create=True) as history:
        recovered = recovery.recover(damaged, history, prompt)
        write_down("history recover", "done", history)
    output.write_line(f"{recovered.turns:,} turns of {recovered.conversations:,} conversations were brought back")
    if recovered.lost:
        diagnostics.notice(f"{recovered.lost:,} could not be read")
    diagnostics.notice(f"the damaged file stays: {damaged}")


def _damaged(prompt: PassphrasePrompt) -> Path:
    try:
        with open_history(create=True, prompt=prompt) as history:
            is_sound = not history.problems()
    except DamagedHistoryError:
        is_sound = False
    if not is_sound:
        return recovery.set_aside()
    aside = [path for path in set_aside_files(paths.history_folder()) if not path.name.endswith(("-wal", "-shm"))]
    if not aside:
        raise HistoryError("the history is sound, and no damaged one was set aside", "there is nothing to recover")
    return aside[-1]
