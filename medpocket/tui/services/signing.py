"""Signing in the app."""

from typing import TYPE_CHECKING

from medpocket.store import signing
from medpocket.text import readable
from medpocket.tui.services.exporting import written_down

if TYPE_CHECKING:
    from medpocket.store.history import History


def sign(history: "History", conversation: str, number: int, signer: str) -> str:
    """Sign a turn and all that led to it; return what the user should know. Raises HistoryError."""
    signing.sign(history, history.turn(f"{conversation}.{number}"), readable(signer)[0])
    return written_down("history sign", history)


def signatures(history: "History", conversation: str) -> dict[int, str]:
    """Return who signed which turn and whether that holds, in words."""
    if not history.signatures(conversation):  # so that a long conversation is read only where there is one
        return {}
    words: dict[int, list[str]] = {}
    for one in signing.check(history.whole(conversation)):
        signature = one.signature
        told = f"signed by {signature.signer}, {signature.signed_at.astimezone():%Y-%m-%d %H:%M}"
        words.setdefault(signature.number, []).append(told if one.valid else f"{told}: VOID, changed since")
    return {number: "; ".join(told) for number, told in words.items()}
