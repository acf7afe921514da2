"""Looking things up in the history."""

from collections.abc import Sequence
from dataclasses import dataclass

from medpocket.errors import UnknownNameError
from medpocket.store.connected import Connected
from medpocket.store.records import Conversation, Found, Signature, StoredTurn, Whole
from medpocket.store.rows import CONVERSATION, TURN, conversation_of, signature_of, storable, turn_of
from medpocket.store.search import Query, oldest_weighed, search_conversations, search_inside, search_turns

_TURNS = f"SELECT {TURN} FROM turns t JOIN conversations c ON c.key = t.conversation"
_LIST_HINT = "`medpocket history list` shows the ids"


@dataclass(frozen=True)
class Totals:
    """How much the history holds. `experts` and `models` say how many turns each answered."""

    conversations: int
    turns: int
    stopped: int
    failed: int
    answer_tokens: int
    experts: dict[str, int]
    models: dict[str, int]
    first_at: int | None  # milliseconds since 1970, of the first and the last question
    last_at: int | None


class Reader(Connected):
    """What can be asked of a history. Every method raises HistoryError where the file cannot be read."""

    def conversations(self, text: str = "", *, limit: int = 100, offset: int = 0) -> list[Conversation]:
        """Return those that `text`, as in a search box, finds in a title or in a turn; the latest first."""
        query = Query.of(text, as_you_type=True)
        where, values = search_conversations(query, self._oldest(query))
        rows = self.read(
            f"SELECT {CONVERSATION} FROM conversations c {where} "
            "ORDER BY c.updated_at DESC, c.key DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [conversation_of(row) for row in rows]

    def ids_found(self, query: Query) -> tuple[list[str], bool]:
        """Return the ids of all conversations that `query` finds, in the order of `conversations`.

        And whether there may be more: of very many turns that have the words, only the latest count.
        """
        oldest = self._oldest(query)
        where, values = search_conversations(query, oldest)
        rows = self.read(f"SELECT c.id FROM conversations c {where} ORDER BY c.updated_at DESC, c.key DESC", values)
        return [row[0] for row in rows], oldest > 0

    def conversations_with(self, ids: Sequence[str]) -> dict[str, Conversation]:
        """Return those of these conversations that are there, by their ids; at most 1,000 of them."""
        marks = ", ".join("?" * len(ids))
        rows = self.read(f"SELECT {CONVERSATION} FROM conversations c WHERE c.id IN ({marks})", ids)
        return {row[0]: conversation_of(row) for row in rows}

    def conversation(self, id_: str) -> Conversation:
        """Return a conversation by its id, or the beginning of one. Raises UnknownNameError."""
        id_ = storable(id_)
        rows = self.read(
            f"SELECT {CONVERSATION} FROM conversations c WHERE c.id >= ? AND c.id < ? LIMIT 2", [id_, id_ + "\x7f"]
        )
        exact = [row for row in rows if row[0] == id_]
        if id_ and (exact or len(rows) == 1):
            return conversation_of((exact or rows)[0])
        hint = "give more of its letters" if id_ and rows else _LIST_HINT
        raise UnknownNameError("conversation", id_, (), hint)

    def latest(self) -> Conversation | None:
        """Return the conversation that was last written to, if there is any."""
        return next(iter(self.conversations(limit=1)), None)

    def turns(
        self,
        conversation: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int | None = None,
        last: bool = False,
    ) -> list[StoredTurn]:
        """Return turns of a conversation in the order in which they were asked.

        Those with numbers above `after` and below `before`; at most `limit`, the first of them, or the `last`.
        """
        order = "DESC" if last else "ASC"
        rows = self.read(
            f"{_TURNS} WHERE c.id = ? AND t.number > ? AND t.number < ? ORDER BY t.number {order} LIMIT ?",
            [conversation, after, before if before is not None else 2**62, limit if limit is not None else -1],
        )
        found = [turn_of(row) for row in rows]
        return found[::-1] if last else found

    def turn(self, id_: str) -> StoredTurn:
        """Return a turn by its id, `abcd2345.3`, or the last one of a conversation. Raises UnknownNameError."""
        name, dot, number = id_.partition(".")
        conversation = self.conversation(name)
        wanted = "AND t.number = ?" if dot else ""
        values = [int(number) if number.isdecimal() and len(number) < 12 else 0] if dot else []
        rows = self.read(f"{_TURNS} WHERE c.id = ? {wanted} ORDER BY t.number DESC LIMIT 1", [conversation.id, *values])
        if not rows:
            raise UnknownNameError("turn", id_, (), f"`medpocket history show {conversation.id}` shows its turns")
        return turn_of(rows[0])

    def parents(self, conversation: str) -> dict[int, int | None]:
        """Return the number of every turn, and of the one that it follows: the tree, without texts."""
        rows = self.read(
            "SELECT t.number, t.parent FROM turns t JOIN conversations c ON c.key = t.conversation "
            "WHERE c.id = ? ORDER BY t.number",
            [conversation],
        )
        return dict(rows)

    def branch(self, conversation: str, number: int | None = None) -> list[StoredTurn]:
        """Return the turns that lead to `number`, it included, from the first one on; None: to the last one asked."""
        parents = self.parents(conversation)
        at = number if number is not None else max(parents, default=None)
        wanted = set()
        while at is not None and at in parents and at not in wanted:
            wanted.add(at)
            at = parents[at]
        return [turn for turn in self.turns(conversation) if turn.number in wanted]

    def search(self, text: str, *, limit: int = 20, offset: int = 0, as_you_type: bool = False) -> list[Found]:
        """Return the turns that `text`, as in a search box, finds; the best first. `Query` says what it may hold.

        With `as_you_type`, the last word is taken as the beginning of one.
        """
        return self.find(Query.of(text, as_you_type=as_you_type), limit=limit, offset=offset)

    def find(self, query: Query, *, limit: int = 20, offset: int = 0) -> list[Found]:
        """Return the turns that `query` finds, the best first; the latest first where it is filters alone."""
        sql, values = search_turns(query, TURN)
        rows = self.read(sql, [*values, limit, offset])
        return [Found(turn_of(row[:-2]), row[-2], row[-1]) for row in rows]

    def snippets(self, conversation: str, query: Query, *, limit: int = 3) -> list[str]:
        """Return text around the words of `query` in a conversation, marked as in `Found`."""
        if not query.match:
            return []
        sql, values = search_inside(query)
        return [row[0] for row in self.read(sql, [conversation, *values, limit])]

    def signatures(self, conversation: str) -> list[Signature]:
        """Return the signatures under turns of a conversation, the first one first."""
        rows = self.read(
            "SELECT c.id, t.number, s.signer, s.signed_at, s.digest FROM signatures s JOIN turns t ON t.row = s.turn "
            "JOIN conversations c ON c.key = t.conversation WHERE c.id = ? ORDER BY s.key",
            [conversation],
        )
        return [signature_of(row) for row in rows]

    def whole(self, conversation: str) -> Whole:
        """Return a conversation with all that belongs to it. Raises UnknownNameError."""
        found = self.conversation(conversation)
        return Whole(found, tuple(self.turns(found.id)), tuple(self.signatures(found.id)))

    def ids(self, *, before_ms: int | None = None) -> list[str]:
        """Return the ids of all conversations, or of those whose last question was asked before a time."""
        rows = self.read(
            "SELECT c.id FROM conversations c WHERE ? IS NULL OR "
            "coalesce((SELECT max(asked_at) FROM turns t WHERE t.conversation = c.key), c.created_at) < ? "
            "ORDER BY c.key",
            [before_ms, before_ms],
        )
        return [row[0] for row in rows]

    def _oldest(self, query: Query) -> int:
        """The row of the oldest turn that counts among those that `query` finds."""
        if not query.match:
            return 0
        sql, values = oldest_weighed(query)
        return int(self.read(f"SELECT {sql}", values)[0][0])

    def totals(self) -> Totals:
        """Count what is kept."""
        turns, stopped, failed, tokens, first, last = self.read(
            "SELECT count(*), coalesce(sum(state = 'stopped'), 0), coalesce(sum(state = 'failed'), 0), "
            "coalesce(sum(json_extract(stats, '$.answer_tokens')), 0), min(asked_at), max(asked_at) FROM turns"
        )[0]
        conversations = self.read("SELECT count(*) FROM conversations")[0][0]
        experts = dict(self.read("SELECT expert, count(*) FROM turns GROUP BY expert ORDER BY 2 DESC, 1"))
        models = dict(self.read("SELECT model, count(*) FROM turns GROUP BY model ORDER BY 2 DESC, 1"))
        return Totals(conversations, turns, stopped, failed, tokens, experts, models, first, last)
