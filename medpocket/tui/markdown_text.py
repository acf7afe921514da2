"""Answers as text for other programs."""

from collections.abc import Iterable, Iterator

from medpocket.tui.conversation import Exchange
from medpocket.tui.widgets.wording import BETWEEN, routed_words


def as_markdown(exchanges: Iterable[Exchange]) -> str:
    """Return a conversation: each question quoted, who answered, the answer."""
    parts = []
    for exchange in exchanges:
        quoted = "\n".join(f"> {line}" for line in exchange.question.strip().splitlines())
        who = [routed_words(exchange.routed)] if exchange.routed else []
        parts.append("\n\n".join((quoted, f"*{BETWEEN.join([*who, exchange.model])}*", exchange.text)))
    return "\n\n".join(parts) + "\n"


def first_table(markdown: str) -> str:
    """Return the first table with tabs between its cells; '' where there is none."""
    rows = list(_table_rows(markdown))
    return "\n".join("\t".join(row) for row in rows) + "\n" if rows else ""


def _table_rows(markdown: str) -> Iterator[list[str]]:
    lines = markdown.splitlines()
    for place, line in enumerate(lines[1:], 1):
        if _is_rule(line) and "|" in lines[place - 1]:
            yield _cells(lines[place - 1])
            for row in lines[place + 1 :]:
                if "|" not in row:
                    return
                yield _cells(row)
            return


def _is_rule(line: str) -> bool:
    return "|" in line and "-" in line and set(line.strip()) <= set("|-: ")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
