"""Showing a conversation, or one of its turns."""

import dataclasses
from typing import Any

import click

from medpocket.cli import output
from medpocket.cli.history_find import conversation_as_json, local
from medpocket.cli.history_open import open_history
from medpocket.cli.history_sign import signed_line
from medpocket.cli.tables import json_option
from medpocket.store.json_values import as_json as as_json_value
from medpocket.store.records import State, StoredTurn
from medpocket.store.signing import check

_ENDINGS = {
    State.STREAMING: "being answered now",
    State.STOPPED: "stopped before its end",
    State.FAILED: "failed before its end",
}


@click.command("show")
@click.argument("id_", metavar="ID")
@json_option
def show_command(id_: str, as_json: bool) -> None:
    """Show a conversation, or one turn of it: ID is that of `list`, its beginning, or a turn's, as abcd2345.3."""
    with open_history() as history:
        if "." in id_:
            turns = [history.turn(id_)]
            conversation = history.conversation(turns[0].conversation)
        else:
            conversation = history.conversation(id_)
            turns = history.turns(conversation.id)
        checked = check(history.whole(conversation.id)) if conversation.signed else []
    if as_json:
        signed = [as_json_value(one.signature) | {"valid": one.valid} for one in checked]
        data = {"turns": [turn_as_json(turn) for turn in turns], "signatures": signed}
        output.write_success("history show", conversation_as_json(conversation) | data)
        return
    output.write_line(f"{conversation.id}  {conversation.title}")
    for turn in turns:
        for line in _lines(turn):
            output.write_line(line)
        for one in checked:
            if one.signature.number == turn.number:
                output.write_line(signed_line(one))


def turn_as_json(turn: StoredTurn) -> dict[str, Any]:
    """Return a turn as the commands' JSON has it."""
    asked = dataclasses.asdict(dataclasses.replace(turn.asked, scores={})) | {"scores": dict(turn.asked.scores)}
    return {
        "id": turn.id,
        "number": turn.number,
        "follows": turn.parent,
        "state": turn.state.value,
        "stop": turn.stop,
        "asked_at": turn.asked_at.isoformat(),
        "finished_at": turn.finished_at.isoformat() if turn.finished_at else None,
        **asked,
        "answer": turn.answer,
        "stats": dataclasses.asdict(turn.stats) if turn.stats else None,
        "rating": turn.rating.value if turn.rating else None,
        "note": turn.note,
    }


def _lines(turn: StoredTurn) -> list[str]:
    asked = turn.asked
    score = f" {asked.score:.2f}" if asked.score is not None else ""
    adapters = ", ".join(f"{one.expert} {one.sha256[:12]} at {one.scale:g}" for one in asked.adapters)
    about = [
        f"{asked.expert}{score}: {asked.why}",
        f"adapter {adapters}" if adapters else "no adapter",
        asked.model.name + (" (demonstration model, not a clinical model)" if asked.model.demonstration else ""),
        f"file {asked.model.sha256[:12]}" if asked.model.sha256 else "",
        f"{turn.stats.answer_tokens} tokens, seed {turn.stats.seed}" if turn.stats else "",
        _ENDINGS.get(turn.state, ""),
        f"rated {turn.rating.value}" if turn.rating else "",
    ]
    follows = f", follows {turn.parent}" if turn.parent not in (None, turn.number - 1) else ""
    lines = ["", f"== {turn.id}  {local(turn.asked_at)}{follows} ==", "", asked.question, "", "--", turn.answer, "--"]
    lines.append("; ".join(part for part in about if part))
    return [*lines, f"note: {turn.note}"] if turn.note else lines
