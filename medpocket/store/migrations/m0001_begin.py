"""Conversations, their turns, the search index over them, signatures, and where the audit log ends."""

from typing import TYPE_CHECKING

from medpocket.store.driver import can_scrub_search_index

if TYPE_CHECKING:
    from sqlite_utils import Database

_INDEXED = ("question", "answer", "note")


def migrate(database: "Database") -> None:
    """Begin with an empty file."""
    # Times are milliseconds since 1970, in UTC. What a list shows stands in the conversation, so that it reads no turn.
    database.table("conversations").create(
        {
            "key": int,
            "id": str,
            "title": str,
            "named": int,
            "created_at": int,
            "updated_at": int,
            "last_number": int,
            "turns": int,
            "expert": str,
            "demonstration": int,
        },
        pk="key",
        not_null={
            "id",
            "title",
            "named",
            "created_at",
            "updated_at",
            "last_number",
            "turns",
            "expert",
            "demonstration",
        },
        defaults={"named": 0, "last_number": 0, "turns": 0, "expert": "", "demonstration": 0},
    )
    database.table("conversations").create_index(["id"], unique=True)
    database.table("conversations").create_index(["updated_at"])

    # Long texts come last: what stands before them is read without them.
    database.table("turns").create(
        {
            "row": int,
            "conversation": int,
            "number": int,
            "parent": int,
            "state": str,
            "writer": str,
            "stop": str,
            "asked_at": int,
            "finished_at": int,
            "model": str,
            "quantization": str,
            "fingerprint": str,
            "model_sha256": str,
            "demonstration": int,
            "expert": str,
            "expert_title": str,
            "score": float,
            "rating": str,
            "why": str,
            "line": str,
            "scores": str,
            "evidence": str,
            "adapters": str,
            "sampling": str,
            "stats": str,
            "notices": str,
            "question": str,
            "note": str,
            "answer": str,
        },
        pk="row",
        not_null={"conversation", "number", "state", "asked_at", "question", "answer", "note", "expert"},
        foreign_keys=[("conversation", "conversations", "key")],
    )
    database.table("turns").create_index(["conversation", "number"], unique=True)
    database.table("turns").create_index(["expert", "asked_at"])
    database.table("turns").create_index(["asked_at"])
    database.conn.execute("CREATE INDEX turns_streaming ON turns (writer) WHERE state = 'streaming'")
    _create_search_index(database)

    database.table("signatures").create(
        {"key": int, "turn": int, "signer": str, "signed_at": int, "digest": str},
        pk="key",
        not_null={"turn", "signer", "signed_at", "digest"},
        foreign_keys=[("turn", "turns", "row")],
    )
    database.table("signatures").create_index(["turn"])
    database.table("audit").create(
        {"one": int, "count": int, "head": str}, pk="one", not_null={"count", "head"}, defaults={"count": 0, "head": ""}
    )
    database.conn.execute("INSERT INTO audit (one) VALUES (1)")


def _create_search_index(database: "Database") -> None:
    """Index the words of turns, kept once, in `turns`; an answer that is still being written is not indexed yet."""
    columns, new, old = (", ".join(f"{of}{name}" for name in _INDEXED) for of in ("", "new.", "old."))
    changed = ", ".join((*_INDEXED, "state"))
    add = f"INSERT INTO turns_words (rowid, {columns}) VALUES (new.row, {new});"
    take_out = f"INSERT INTO turns_words (turns_words, rowid, {columns}) VALUES ('delete', old.row, {old});"
    for statement in (
        f"CREATE VIRTUAL TABLE turns_words USING fts5 ({columns}, content = 'turns', content_rowid = 'row', "
        "tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')",
        f"CREATE TRIGGER words_of_new AFTER INSERT ON turns WHEN new.state != 'streaming' BEGIN {add} END",
        f"CREATE TRIGGER words_of_deleted AFTER DELETE ON turns WHEN old.state != 'streaming' BEGIN {take_out} END",
        f"CREATE TRIGGER words_before BEFORE UPDATE OF {changed} ON turns WHEN old.state != 'streaming' "
        f"BEGIN {take_out} END",
        f"CREATE TRIGGER words_now AFTER UPDATE OF {changed} ON turns WHEN new.state != 'streaming' BEGIN {add} END",
    ):
        database.conn.execute(statement)
    if can_scrub_search_index():
        database.conn.execute("INSERT INTO turns_words (turns_words, rank) VALUES ('secure-delete', 1)")
