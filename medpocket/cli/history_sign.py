"""Signing what was answered."""

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.history_audit import write_down
from medpocket.cli.history_find import local
from medpocket.cli.history_open import open_history
from medpocket.errors import HistoryError
from medpocket.store.signing import Checked, check, sign
from medpocket.text import readable


@click.command("sign")
@click.argument("id_", metavar="ID")
@click.option("--as", "signer", metavar="NAME", help="Who signs, as it should stand in exports.")
def sign_command(id_: str, signer: str | None) -> None:
    """Sign a turn and all that led to it; for a conversation's ID, its last turn. Without --as, check what is signed.

    A signature holds a name, a time and the hash of what was signed. A later note, rating or answer, or one of its
    questions asked anew, voids it. It shows that nothing was changed since, not who signed: it has no secret key.

    \b
    medpocket history sign abcd2345 --as "Dr A. Name"
    """
    with open_history() as history:
        turn = history.turn(id_)
        if signer is not None:
            signature = sign(history, turn, readable(signer)[0])
            write_down("history sign", "done", history)
            diagnostics.notice(f"{turn.id} is signed by {signature.signer}, with what led to it")
        checked = check(history.whole(turn.conversation))
    if not checked:
        raise HistoryError("nothing here is signed", f'`medpocket history sign {turn.id} --as "NAME"` signs it')
    if signer is None:
        for one in checked:
            output.write_line(signed_line(one))


def signed_line(checked: Checked) -> str:
    """Say who signed a turn, when, and whether that still holds."""
    one = checked.signature
    holds = "valid" if checked.valid else "VOID: changed since"
    return f"{one.conversation}.{one.number} signed by {one.signer}, {local(one.signed_at)}: {holds}"
