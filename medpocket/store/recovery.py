"""A damaged history: its file is set aside, and what can be read of it is put into a new one."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from medpocket import paths
from medpocket.errors import DamagedHistoryError, HistoryError
from medpocket.store.driver import Connection, connect, translated
from medpocket.store.erasing import SET_ASIDE
from medpocket.store.history import FILE_NAME, History, key_for
from medpocket.store.records import Conversation, State, StoredTurn, Whole, new_id, title_of
from medpocket.store.rows import CONVERSATION, TURN, conversation_of, turn_of

_LEAST_TURN_BYTES = 100  # bounds how many turns a file whose tree is broken may hold


@dataclass(frozen=True)
class Recovered:
    """What was saved, and how many turns could not be read."""

    conversations: int
    turns: int
    lost: int


def set_aside(folder: Path | None = None) -> Path:
    """Rename the history's file and its WAL, so that a new history can begin; return the new name.

    Raises HistoryError.
    """
    path = (folder or paths.history_folder()) / FILE_NAME
    target = path.with_name(f"{path.name}{SET_ASIDE}{datetime.now():%Y%m%d-%H%M%S}")
    try:
        path.rename(target)
        for ending in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(target.with_name(target.name + ending))
    except OSError as error:
        raise HistoryError(
            f"the damaged history cannot be set aside: {os.strerror(error.errno or 0)}",
            f"move it away yourself: {path}",
        ) from None
    return target


def recover(damaged: Path, history: History, passphrase: Callable[[], str | None]) -> Recovered:
    """Put every turn of `damaged` that can be read into `history`, where it is not there already.

    Raises DamagedHistoryError where nothing can be read, and what a wrong passphrase raises.
    """
    key = key_for(damaged, passphrase)
    source = connect(damaged, key)
    try:
        found: dict[int, list[StoredTurn]] = {}
        lost = 0
        for row in range(1, _last_row(source, damaged) + 1):
            try:
                for owner, *values in _one(source, f"SELECT t.conversation, {_TURN} FROM turns t WHERE t.row = ?", row):
                    found.setdefault(owner, []).append(turn_of(tuple(values)))
            except (DamagedHistoryError, ValueError, TypeError):
                lost += 1
        saved = [_whole(source, owner, turns) for owner, turns in found.items()]
    finally:
        source.close()
    put_in = [whole for whole in saved if history.add(whole)]
    return Recovered(len(put_in), sum(len(whole.turns) for whole in put_in), lost)


_TURN = TURN.replace("c.id", "''", 1)  # without looking into another table, which may be damaged too


def _one(source: Connection, sql: str, value: int) -> Iterator[Any]:
    with translated():
        yield from source.execute(sql, [value]).fetchall()


def _last_row(source: Connection, damaged: Path) -> int:
    with contextlib.suppress(DamagedHistoryError), translated():
        return int(source.execute("SELECT coalesce(max(row), 0) FROM turns").fetchone()[0])
    return damaged.stat().st_size // _LEAST_TURN_BYTES


def _whole(source: Connection, key: int, turns: list[StoredTurn]) -> Whole:
    """A conversation, as it was, or made anew from its turns where its own row cannot be read."""
    conversation = Conversation(
        new_id(), title_of(turns[0].asked.question), turns[0].asked_at, turns[-1].asked_at, len(turns)
    )
    with contextlib.suppress(DamagedHistoryError, ValueError, TypeError):
        for row in _one(source, f"SELECT {_CONVERSATION} FROM conversations c WHERE c.key = ?", key):
            conversation = conversation_of(row)
    ended = (replace(turn, state=State.STOPPED) if turn.state is State.STREAMING else turn for turn in turns)
    return Whole(conversation, tuple(replace(turn, conversation=conversation.id) for turn in ended))


_CONVERSATION = CONVERSATION.replace(CONVERSATION[CONVERSATION.index("EXISTS") : CONVERSATION.index(", c.named")], "0")
