"""Writing to the history."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from medpocket.errors import HistoryError
from medpocket.store.driver import Connection
from medpocket.store.living import hold_writer
from medpocket.store.reader import Reader
from medpocket.store.recording import Recording
from medpocket.store.records import (
    AnsweredBy,
    Asked,
    Rating,
    State,
    StoredTurn,
    Whole,
    new_id,
    now,
    title_of,
    to_ms,
)
from medpocket.store.rows import row_of, storable


class Writer(Reader):
    """What can be done to a history. Every method raises HistoryError where the file cannot be written."""

    def __init__(self, path: Path, key: str | None, read_only: str = "") -> None:
        super().__init__(path, key, read_only)
        self._held = ExitStack()
        self._writer = ""

    def close(self) -> None:
        """End every connection; turns that are still streaming count as stopped from now on."""
        super().close()
        self._held.close()

    def begin(self, asked: Asked, *, conversation: str | None = None, parent: int | None = None) -> Recording:
        """Keep a question, and return what its answer is recorded with.

        It begins a conversation, or follows turn `parent` of one; with `conversation` and no parent it is another
        beginning of that conversation: its first question, asked anew.
        """
        turn = StoredTurn(conversation or new_id(), 0, parent, State.STREAMING, asked, "", now())
        with self._opening:
            if not self._writer:
                self._writer = self._held.enter_context(hold_writer(self.path.parent))
        with self.transaction() as connection:
            if conversation is None:
                _create_conversation(
                    connection, turn.conversation, title_of(storable(asked.question)), to_ms(turn.asked_at)
                )
            key, number = _next_number(connection, turn)
            turn = replace(turn, number=number)
            row = _insert(connection, key, turn, self._writer)
        return Recording(self, replace(turn, row=row))

    def rename(self, conversation: str, title: str) -> None:
        """Give a conversation a title of the user's own; an empty one gives back that of its first question."""
        named = " ".join(storable(title).split())
        if not named:
            first = self.turns(conversation, limit=1)
            title = title_of(first[0].asked.question) if first else ""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE conversations SET title = ?, named = ? WHERE key = ?",
                [named or title, int(bool(named)), _key(connection, conversation)],
            )

    def rate(self, turn: StoredTurn, rating: Rating | None) -> None:
        """Keep what the clinician thought of an answer; None takes it back."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE turns SET rating = ? WHERE row = ?", [rating.value if rating else None, _row(connection, turn)]
            )

    def annotate(self, turn: StoredTurn, note: str) -> None:
        """Keep the clinician's note on a turn, in the place of an earlier one."""
        with self.transaction() as connection:
            connection.execute("UPDATE turns SET note = ? WHERE row = ?", [storable(note), _row(connection, turn)])

    def delete(self, conversations: Iterable[str]) -> list[Whole]:
        """Take conversations out, overwriting what they held in the file; return them, for `add` to bring them back.

        `scrub` then removes the copies: in the WAL, in backups and in files set aside.
        """
        taken = [self.whole(id_) for id_ in conversations]
        with self.transaction() as connection:
            for whole in taken:
                key = _key(connection, whole.conversation.id)
                connection.execute(
                    "DELETE FROM signatures WHERE turn IN (SELECT row FROM turns WHERE conversation = ?)", [key]
                )
                connection.execute("DELETE FROM turns WHERE conversation = ?", [key])
                connection.execute("DELETE FROM conversations WHERE key = ?", [key])
        self.checkpoint()
        return taken

    def add(self, whole: Whole) -> bool:
        """Put a conversation in as it was; tell whether it was not there already, by its id, and so was put in."""
        return bool(self.add_all([whole]))

    def add_all(self, wholes: Iterable[Whole]) -> list[str]:
        """Put in all conversations whose ids are not there already, or none; return the ids put in.

        Raises HistoryError where two turns of one conversation have the same number.
        """
        put_in = []
        with self.transaction() as connection:
            for whole in wholes:
                if not connection.execute(
                    "SELECT 1 FROM conversations WHERE id = ?", [whole.conversation.id]
                ).fetchone():
                    _insert_whole(connection, whole)
                    put_in.append(whole.conversation.id)
        return put_in

    def checkpoint(self) -> bool:
        """Move the WAL's pages into the file and empty it; tell whether all processes that read allowed it."""
        return not self.read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]


@dataclass(frozen=True)
class Keep:
    """Where a question and its answer are kept: in a new conversation, or in one, after turn `parent`."""

    history: Writer
    model: AnsweredBy
    conversation: str | None = None
    parent: int | None = None


def _gone() -> HistoryError:
    return HistoryError("it has been deleted meanwhile", "`medpocket history list` shows what is there")


def _create_conversation(connection: Connection, id_: str, title: str, created_ms: int, named: bool = False) -> int:
    cursor = connection.execute(
        "INSERT INTO conversations (id, title, named, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
        [id_, title, int(named), created_ms, created_ms],
    )
    return int(cursor.lastrowid or 0)


def _insert_whole(connection: Connection, whole: Whole) -> None:
    one = whole.conversation
    key = _create_conversation(connection, one.id, storable(one.title), to_ms(one.created_at), one.named)
    for turn in sorted(whole.turns, key=lambda turn: turn.number):
        row = _insert(connection, key, turn, writer=None)
        for signature in whole.signatures:
            if signature.number == turn.number:
                connection.execute(
                    "INSERT INTO signatures (turn, signer, signed_at, digest) VALUES (?, ?, ?, ?)",
                    [row, storable(signature.signer), to_ms(signature.signed_at), signature.digest],
                )
    connection.execute("UPDATE conversations SET updated_at = ? WHERE key = ?", [to_ms(one.updated_at), key])


def _next_number(connection: Connection, turn: StoredTurn) -> tuple[int, int]:
    """Give the turn a number, and put its conversation first in the list, also where the clock was set back."""
    key = _key(connection, turn.conversation)
    number: int = connection.execute(
        "UPDATE conversations SET last_number = last_number + 1, "
        "updated_at = max(?, 1 + (SELECT max(updated_at) FROM conversations)) WHERE key = ? RETURNING last_number",
        [to_ms(turn.asked_at), key],
    ).fetchone()[0]
    return key, number


def _insert(connection: Connection, key: int, turn: StoredTurn, writer: str | None) -> int:
    values = row_of(turn) | {"conversation": key, "writer": writer}
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(f"INSERT INTO turns ({names}) VALUES ({marks})", list(values.values()))
    connection.execute(
        "UPDATE conversations SET turns = turns + 1, expert = ?, demonstration = max(demonstration, ?), "
        "last_number = max(last_number, ?) WHERE key = ?",
        [turn.asked.expert, int(turn.asked.model.demonstration), turn.number, key],
    )
    return int(cursor.lastrowid or 0)


def _key(connection: Connection, conversation: str) -> int:
    found = connection.execute("SELECT key FROM conversations WHERE id = ?", [conversation]).fetchone()
    if found is None:
        raise _gone()
    return int(found[0])


def _row(connection: Connection, turn: StoredTurn) -> int:
    found = connection.execute(
        "SELECT t.row FROM turns t JOIN conversations c ON c.key = t.conversation WHERE c.id = ? AND t.number = ?",
        [turn.conversation, turn.number],
    ).fetchone()
    if found is None:
        raise _gone()
    return int(found[0])
