"""The audit log on the command line."""

import contextlib

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.history_open import confirmed, open_history, yes_option
from medpocket.cli.tables import json_option
from medpocket.errors import HistoryError, MedpocketError
from medpocket.store import audit
from medpocket.store.connected import Connected
from medpocket.store.history import is_locked


def write_down(command: str, result: str, history: Connected | None) -> None:
    """Add a line of a command to the audit log; where that fails, say so: what was done is done."""
    try:
        audit.write_line(audit.Entry(command, result), history)
    except MedpocketError as error:
        diagnostics.notice(f"not in the audit log: {error.message}; {error.hint}")


@click.group("audit")
def audit_group() -> None:
    """Check the log of what was answered, exported and removed. It holds no text of a question or an answer.

    \b
    medpocket history audit verify             finds any line changed, removed or moved
    medpocket history audit head               count and last hash, to be kept elsewhere
    medpocket history audit begin              another log, beside one that is not intact
    """


@audit_group.command("verify")
@json_option
def verify_command(as_json: bool) -> int:
    """Follow the chain of the whole log; exit with 1 where a line was changed, removed or moved, or its end cut off."""
    verdict = audit.verify(_known())
    if as_json:
        output.write_success(
            "history audit verify",
            {
                "sound": not verdict.problems,
                "lines": verdict.head.count,
                "head": verdict.head.hash,
                "problems": list(verdict.problems),
                "remarks": list(verdict.remarks),
            },
        )
    else:
        for problem in verdict.problems:
            output.write_line(problem)
        if not verdict.problems:
            output.write_line(f"unbroken: {verdict.head.count:,} lines")
        for remark in verdict.remarks:
            diagnostics.notice(remark)
    return int(bool(verdict.problems))


@audit_group.command("head")
@json_option
def head_command(as_json: bool) -> None:
    """Print how many lines the log has and the hash of the last one, and what the database knows of it.

    Written down elsewhere, they show later that nothing up to here was changed or cut off.
    """
    head, known = audit.file_head(), _known()
    if as_json:
        data = {"lines": head.count, "head": head.hash}
        if known:
            data |= {"known_lines": known.count, "known_head": known.hash}
        output.write_success("history audit head", data)
        return
    output.write_line(f"{head.count} {head.hash}")
    if known and known != head:
        diagnostics.notice(f"the database knows {known.count} {known.hash}; `medpocket history audit verify` says why")


@audit_group.command("begin")
@yes_option
def begin_command(yes: bool) -> int:
    """Acknowledge a log that is not intact: set it aside, and begin another.

    The old file stays beside the new one, whose first line names it, its count and last hash, and that it was not
    intact. An intact log is never set aside.
    """
    with contextlib.ExitStack() as opened:
        history = opened.enter_context(open_history()) if is_locked() is not None else None
        if not confirmed("Keep the old log as it is, and begin another?", yes):
            return 1
        old = audit.begin_anew(history)
    diagnostics.notice(f"a new log is begun; the old one stays: {old.name}")
    return 0


def _known() -> audit.Head | None:
    """The end of the chain as the database knows it; None where there is none, or it stays locked."""
    if is_locked() is None:
        return None
    try:
        with open_history() as history:
            return audit.known_head(history)
    except HistoryError as error:
        diagnostics.notice(f"the history's database is not asked: {error.message}")
        return None
