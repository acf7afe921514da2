"""Signing: a name, a time, and the hash of what was signed. What is changed later is seen; who signed is not proved."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medpocket.errors import HistoryError
from medpocket.store.json_values import as_json
from medpocket.store.records import Signature, State, StoredTurn, Whole, now, to_ms
from medpocket.store.rows import storable
from medpocket.store.writer import Writer


@dataclass(frozen=True)
class Checked:
    """A signature, whether it still holds, and the numbers of its turns: the one signed and what led to it."""

    signature: Signature
    valid: bool
    numbers: frozenset[int]


def sign(history: Writer, turn: StoredTurn, signer: str) -> Signature:
    """Sign a turn and all that led to it. Raises HistoryError where it cannot be signed or written."""
    signer = " ".join(storable(signer).split())
    if not signer:
        raise HistoryError("there is no name to sign with", 'give it: --as "Dr A. Name"')
    whole = history.whole(turn.conversation)
    path = _path(whole.turns, turn.number)
    if any(one.state is State.STREAMING for one in path):
        raise HistoryError("the answer is still being written", "sign it when it is there")
    signature = Signature(turn.conversation, turn.number, signer, now(), digest(whole.turns, turn.number))
    with history.transaction() as connection:
        connection.execute(
            "INSERT INTO signatures (turn, signer, signed_at, digest) VALUES (?, ?, ?, ?)",
            [path[-1].row, signer, to_ms(signature.signed_at), signature.digest],
        )
    return signature


def check(whole: Whole) -> list[Checked]:
    """Compare every signature with what stands there now."""
    found = []
    for one in whole.signatures:
        path = _path(whole.turns, one.number)
        valid = bool(path) and digest(whole.turns, one.number) == one.digest
        found.append(Checked(one, valid, frozenset(turn.number for turn in path)))
    return found


def digest(turns: Sequence[StoredTurn], number: int) -> str:
    """Hash a turn and all that led to it, with notes and ratings, and which other turns follow the same ones.

    So a question that is asked anew beside one of them voids a signature, and one that only follows does not.
    """
    signed = []
    for turn in _path(turns, number):
        content = as_json(turn)
        del content["row"]
        beside = sorted(other.number for other in turns if other.parent == turn.parent)
        signed.append({"turn": content, "beside": beside})
    return hashlib.sha256(json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _path(turns: Sequence[StoredTurn], number: int) -> list[StoredTurn]:
    """The turns that lead to `number`, it included, the first one first."""
    known: Mapping[int, StoredTurn] = {turn.number: turn for turn in turns}
    path: list[StoredTurn] = []
    at: int | None = number
    while at is not None and at in known and len(path) <= len(known):
        path.append(known[at])
        at = known[at].parent
    return path[::-1]
