"""Finding conversations and turns: lists, search, figures."""

from datetime import datetime
from typing import Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.history_open import open_history
from medpocket.cli.tables import json_option, table
from medpocket.store.records import MARK_END, MARK_START, Conversation, Found, from_ms
from medpocket.store.search import Query

limit_option = click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many."
)


@click.command("list")
@click.argument("text", nargs=-1)
@limit_option
@json_option
def list_command(text: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List conversations, the latest first; with TEXT, those that it is found in, as `search` reads it."""
    with open_history() as history:
        found = history.conversations(" ".join(text), limit=limit)
    if as_json:
        output.write_success("history list", {"conversations": [conversation_as_json(one) for one in found]})
        return
    if not found:
        diagnostics.notice("nothing was found" if text else "nothing is kept yet")
        return
    rows = [("id", "last asked", "turns", "expert", "title")]
    rows += [(one.id, local(one.updated_at), str(one.turns), one.expert, _title(one)) for one in found]
    for line in table(rows):
        output.write_line(line)


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@limit_option
@json_option
def search_command(text: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find questions, answers and notes that have all the words of TEXT, the best first.

    Accents and case do not count. "Words in quotes" stand side by side, diab* begins a word. Filters: expert:ID,
    model:NAME, after:2026-01-31, before:2026-02, state:stopped, rating:good, in:ID. Everything else is text.
    """
    query = Query.of(" ".join(text))
    for problem in query.problems:
        diagnostics.notice(problem)
    with open_history() as history:
        found = history.find(query, limit=limit)
    if as_json:
        output.write_success("history search", {"found": [_found_as_json(one) for one in found]})
        return
    if not found:
        diagnostics.notice("nothing was found")
    for one in found:
        turn = one.turn
        output.write_line(f"{turn.id}  {local(turn.asked_at)}  {turn.asked.expert}  {one.title}")
        output.write_line("    " + _marked(" ".join(one.snippet.split())))


@click.command("stats")
@json_option
def stats_command(as_json: bool) -> None:
    """Count what is kept."""
    with open_history() as history:
        totals = history.totals()
        size = history.path.stat().st_size
        locked = history.locked
    first, last = (from_ms(at) if at is not None else None for at in (totals.first_at, totals.last_at))
    if as_json:
        values = {
            "conversations": totals.conversations,
            "turns": totals.turns,
            "stopped": totals.stopped,
            "failed": totals.failed,
            "answer_tokens": totals.answer_tokens,
            "experts": totals.experts,
            "models": totals.models,
            "first_at": first.isoformat() if first else None,
            "last_at": last.isoformat() if last else None,
            "bytes": size,
            "locked": locked,
        }
        output.write_success("history stats", values)
        return
    rows = [
        ("conversations", f"{totals.conversations:,}"),
        ("turns", f"{totals.turns:,}, {totals.stopped:,} of them stopped, {totals.failed:,} failed"),
        ("tokens answered", f"{totals.answer_tokens:,}"),
        ("from, to", f"{local(first)}, {local(last)}" if first and last else "-"),
        ("experts", ", ".join(f"{name} {count:,}" for name, count in totals.experts.items()) or "-"),
        ("models", ", ".join(f"{name} {count:,}" for name, count in totals.models.items()) or "-"),
        ("file", f"{size / 1e6:,.1f} MB, {'locked' if locked else 'not locked'}"),
    ]
    for line in table(rows):
        output.write_line(line)


def local(time: datetime) -> str:
    """Return a time as the user's clock had it."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


def conversation_as_json(one: Conversation) -> dict[str, Any]:
    """Return a conversation as the commands' JSON has it."""
    return {
        "id": one.id,
        "title": one.title,
        "created_at": one.created_at.isoformat(),
        "updated_at": one.updated_at.isoformat(),
        "turns": one.turns,
        "expert": one.expert,
        "demonstration": one.demonstration,
        "signed": one.signed,
    }


def _title(one: Conversation) -> str:
    return f"{one.title} (demonstration)" if one.demonstration else one.title


def _found_as_json(one: Found) -> dict[str, Any]:
    turn = one.turn
    return {
        "id": turn.id,
        "title": one.title,
        "asked_at": turn.asked_at.isoformat(),
        "expert": turn.asked.expert,
        "state": turn.state.value,
        "snippet": one.snippet.replace(MARK_START, "").replace(MARK_END, ""),
    }


def _marked(snippet: str) -> str:
    """The snippet with its matches between signs that a terminal, a pipe and a screen reader all show."""
    return snippet.replace(MARK_START, "[").replace(MARK_END, "]")
