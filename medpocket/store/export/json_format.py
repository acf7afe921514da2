"""The history as JSON, and back without loss."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from medpocket import __version__
from medpocket.errors import InputError
from medpocket.store.json_values import MisfitError, as_json, from_json
from medpocket.store.records import State, StoredTurn, Whole, now

FORMAT, VERSION = "medpocket-history", 1
_ID = re.compile(r"[a-z0-9]{1,32}")
_MOST_NUMBER = 2**31


def written(wholes: Iterable[Whole], *, deidentified: bool = False) -> Iterator[str]:
    """Yield the text of an export, one conversation after the other."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "medpocket": __version__,
        "deidentified": deidentified,
    }
    if not deidentified:
        head["exported_at"] = now().isoformat()
    yield json.dumps(head)[:-1] + ', "conversations": [\n'
    for place, whole in enumerate(wholes):
        turns = tuple(replace(turn, row=0, state=_ended(turn)) for turn in whole.turns)
        yield (",\n" if place else "") + json.dumps(as_json(replace(whole, turns=turns)), allow_nan=False)
    yield "\n]}\n"


def read(text: str) -> list[Whole]:
    """Return the conversations of an export. Raises InputError for anything else."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise _foreign() from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _foreign()
    if content.get("version") != VERSION:
        raise InputError("this export is in a form that this version does not know", "a newer MedPocket reads it")
    try:
        wholes = [
            from_json(Whole, one, f"conversations[{place}]")
            for place, one in enumerate(_list(content["conversations"]))
        ]
        for place, whole in enumerate(wholes):
            _check(whole, f"conversations[{place}]")
    except (MisfitError, KeyError, OverflowError, RecursionError) as error:
        where = error.where if isinstance(error, MisfitError) else "conversations"
        raise InputError(
            f"the export is damaged, at {where[:120]!r}" if where.isprintable() else "the export is damaged",
            "nothing was imported; export it again",
        ) from None
    return wholes


def _check(whole: Whole, where: str) -> None:
    """See to it that turns and signatures belong to their conversation, and that the turns are a tree."""
    id_ = whole.conversation.id
    if not _ID.fullmatch(id_) or not whole.turns:
        raise MisfitError(f"{where}.conversation.id")
    numbers: set[int] = set()
    for turn in sorted(whole.turns, key=lambda one: one.number):
        follows = turn.parent is None or turn.parent in numbers
        if turn.conversation != id_ or turn.number in numbers or not 0 < turn.number < _MOST_NUMBER or not follows:
            raise MisfitError(f"{where}.turns")
        if turn.state is State.STREAMING:
            raise MisfitError(f"{where}.turns")
        numbers.add(turn.number)
    if any(one.conversation != id_ or one.number not in numbers for one in whole.signatures):
        raise MisfitError(f"{where}.signatures")


def _ended(turn: StoredTurn) -> State:
    """An answer that is being written now is exported as it is now: stopped."""
    return State.STOPPED if turn.state is State.STREAMING else turn.state


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MisfitError("conversations")
    return value


def _foreign() -> InputError:
    return InputError("this is not an export of MedPocket", "`medpocket history export ID --format json` writes one")
