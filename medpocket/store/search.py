"""What is typed into a search box, as a query of the search index. Nothing that is typed is syntax of SQL or FTS5."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medpocket.store.records import MARK_END, MARK_START, Rating, State
from medpocket.store.rows import storable

_MOST_CHARACTERS = 1000
_MOST_TERMS = 30
_SNIPPET_WORDS = 24
_MOST_WEIGHED = 2000
_SHORTEST_BEGINNING = 2  # the index has no shorter ones: a single letter would take a second
_PIECE = re.compile(r'(?:(\w+):)?(?:"([^"]*)"?|(\S*))')
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$")
_EXPERT, _EXPERT_OF_ROW = "t.expert = ?", "+turns_words.rowid IN (SELECT row FROM turns WHERE expert = ?)"
_SNIPPET = f"snippet(turns_words, -1, '{MARK_START}', '{MARK_END}', '…', {_SNIPPET_WORDS})"
_FILTERS = ("expert", "model", "after", "before", "state", "rating", "in")


@dataclass(frozen=True)
class Query:
    """What is looked for.

    `match` is an FTS5 expression in which every word is quoted, empty where there are only filters. Words must all
    occur, `"words in quotes"` side by side, `diab*` begins a word; accents and case do not count. Filters:
    `expert:cardiology`, `model:biomistral` (a part of its name), `after:2026-01-31` (that day or later),
    `before:2026-02`, `state:stopped`, `rating:good`, `in:abcd2345` (a conversation). What looks like a filter of
    another name is text. `problems` are filters that say nothing, and are left out.
    """

    match: str = ""
    words: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, *, as_you_type: bool = False) -> "Query":
        """Read what was typed."""
        problems = []
        if len(text) > _MOST_CHARACTERS:
            problems.append(f"only the first {_MOST_CHARACTERS} characters were looked for")
        text = storable(text[:_MOST_CHARACTERS]).replace("\0", " ")
        pieces = [piece for piece in _PIECE.finditer(text) if piece.group()]
        terms: list[str] = []
        words: list[str] = []
        where: list[str] = []
        values: list[Any] = []
        for piece in pieces:
            name, quoted, bare = piece.groups()
            value = quoted if quoted is not None else bare
            if name and name.lower() in _FILTERS:
                condition = _filter(name.lower(), value)
                if condition is None:
                    problems.append(f"{name}:{value} says nothing and was left out{_HELP.get(name.lower(), '')}")
                else:
                    where.append(condition[0])
                    values.append(condition[1])
                continue
            phrase = f"{name}:{value}" if name else value
            if not any(character.isalnum() for character in phrase):
                continue  # FTS5 would find no word in it, and nothing at all
            is_typed = as_you_type and piece is pieces[-1] and quoted is None and text.endswith(phrase)
            is_typed = is_typed and len(phrase) >= _SHORTEST_BEGINNING
            begins = quoted is None and (phrase.endswith("*") or is_typed)
            words.append(phrase.rstrip("*"))
            terms.append('"' + words[-1].replace('"', '""') + '"' + ("*" if begins else ""))
        if len(terms) > _MOST_TERMS:
            problems.append(f"only the first {_MOST_TERMS} words were looked for")
        return cls(
            " ".join(terms[:_MOST_TERMS]), tuple(words[:_MOST_TERMS]), tuple(where), tuple(values), tuple(problems)
        )


_HELP = {
    "after": " (a date is 2026-01-31, 2026-01 or 2026)",
    "before": " (a date is 2026-01-31, 2026-01 or 2026)",
    "state": " (complete, stopped or failed)",
    "rating": " (good or bad)",
}


def search_turns(query: Query, columns: str) -> tuple[str, list[Any]]:
    """Return the SELECT of `columns`, title and snippet of the turns found; LIMIT and OFFSET are its last values.

    Of more than 2,000 turns that are found, the latest 2,000 are put into order: a word that is in half of all turns
    is no way to find the best of them, and weighing all would take half a second.
    """
    if not query.match:
        sql = (
            f"SELECT {columns}, c.title, substr(t.question, 1, 200) FROM turns t "
            f"JOIN conversations c ON c.key = t.conversation WHERE t.state != 'streaming'{_conditions(query)} "
            "ORDER BY t.asked_at DESC, t.row DESC LIMIT ? OFFSET ?"
        )
        return sql, list(query.values)
    oldest, values = oldest_weighed(query)
    sql = (
        f"SELECT {columns}, c.title, {_SNIPPET} FROM turns_words CROSS JOIN turns t ON t.row = turns_words.rowid "
        "CROSS JOIN conversations c ON c.key = t.conversation "
        f"WHERE turns_words MATCH ? AND turns_words.rowid >= {oldest}{_conditions(query)} "
        "ORDER BY turns_words.rank LIMIT ? OFFSET ?"
    )
    return sql, [query.match, *values, *query.values]


def search_inside(query: Query) -> tuple[str, list[Any]]:
    """Return the SELECT of snippets of the turns found in one conversation; its id comes before `values`, LIMIT after.

    Each of its turns is looked up in the index: going through all that is found anywhere would take longer.
    """
    sql = (
        f"SELECT {_SNIPPET} FROM conversations c CROSS JOIN turns t ON t.conversation = c.key "
        "CROSS JOIN turns_words ON turns_words.rowid = t.row "
        f"WHERE c.id = ? AND turns_words MATCH ?{_conditions(query)} ORDER BY t.number LIMIT ?"
    )
    return sql, [query.match, *query.values]


def search_conversations(query: Query, oldest: int = 0) -> tuple[str, list[Any]]:
    """Return the WHERE clause of the conversations `c` that have such a turn, or such words in their title.

    Turns in rows before `oldest` do not count.
    """
    if not (query.match or query.where):
        return "", []
    if not query.match:
        # With a plus, SQLite goes through the index of facts rather than through an index that leads to whole rows.
        facts = " AND ".join(f"+{one}" for one in query.where)
        return f"WHERE c.key IN (SELECT t.conversation FROM turns t WHERE {facts})", list(query.values)
    found = (
        "c.key IN (SELECT t.conversation FROM turns_words CROSS JOIN turns t ON t.row = turns_words.rowid "
        f"WHERE turns_words MATCH ? AND turns_words.rowid >= {int(oldest)}{_conditions(query)})"
    )
    values = [query.match, *query.values]
    if query.where:
        return f"WHERE {found}", values
    titled = " AND ".join(["c.title LIKE ? ESCAPE '\\'"] * len(query.words))
    return f"WHERE ({found} OR ({titled}))", [*values, *(f"%{_like(word)}%" for word in query.words)]


def oldest_weighed(query: Query) -> tuple[str, list[Any]]:
    """The row of the oldest turn that is weighed, as a subquery, and its values; 0 where all are.

    Newest first, it ends early. CROSS JOIN keeps SQLite from going through the turns and asking the index about each.
    """
    joined = "CROSS JOIN turns t ON t.row = turns_words.rowid " if query.where else ""
    sql = (
        f"coalesce((SELECT turns_words.rowid FROM turns_words {joined}WHERE turns_words MATCH ?{_conditions(query)} "
        f"ORDER BY turns_words.rowid DESC LIMIT 1 OFFSET {_MOST_WEIGHED}), 0)"
    )
    return sql, [query.match, *query.values]


def _conditions(query: Query) -> str:
    """The filters, as more of a WHERE clause."""
    conditions = "".join(f" AND {one}" for one in query.where)
    # Beside the search index, experts are looked up in an index too: a turn's own row costs a page of the file each.
    return conditions.replace(_EXPERT, _EXPERT_OF_ROW) if query.match else conditions


def _filter(name: str, value: str) -> tuple[str, Any] | None:
    """The condition that a filter adds, and its value; None where the filter says nothing."""
    value = value.strip().lower()
    part = f"%{_like(value)}%"
    conditions: dict[str, tuple[str, Any]] = {
        "after": ("t.asked_at >= ?", _start_of(value)),
        "before": ("t.asked_at < ?", _start_of(value)),
        "state": ("t.state = ?", value if value in set(State) else None),
        "rating": ("t.rating = ?", value if value in set(Rating) else None),
        "expert": (_EXPERT, value or None),
        "model": ("t.model LIKE ? ESCAPE '\\'", part if value else None),
        "in": (
            "t.conversation IN (SELECT key FROM conversations WHERE id LIKE ? ESCAPE '\\')",
            f"{_like(value)}%" if value else None,
        ),
    }
    return conditions[name] if conditions[name][1] is not None else None


def _start_of(text: str) -> int | None:
    """The first millisecond, here, of a day, a month or a year."""
    found = _DATE.match(text)
    if not found:
        return None
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        return round(datetime(year, month, day).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def _like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
