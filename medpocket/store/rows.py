"""Turns and conversations as rows of the file, and back."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from medpocket.store.records import (
    AnsweredBy,
    Asked,
    Conversation,
    Rating,
    Signature,
    State,
    StoredTurn,
    from_ms,
    to_ms,
)
from medpocket.types import ActiveAdapter, Evidence, GenerationStats, Sampling

SIGNED = "EXISTS (SELECT 1 FROM signatures JOIN turns ON turns.row = signatures.turn WHERE turns.conversation = c.key)"
CONVERSATION = f"c.id, c.title, c.created_at, c.updated_at, c.turns, c.expert, c.demonstration, {SIGNED}, c.named"

_TURN = (
    "number", "parent", "state", "stop", "asked_at", "finished_at", "model", "quantization", "fingerprint",
    "model_sha256", "demonstration", "expert", "expert_title", "score", "rating", "why", "line", "scores", "evidence",
    "adapters", "sampling", "stats", "notices", "question", "note", "answer", "row",
)  # fmt: skip
TURN = "c.id, " + ", ".join(f"t.{name}" for name in _TURN)


def storable(text: str) -> str:
    """Return `text` with a lone surrogate, which UTF-8 cannot hold, replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not _is_utf8(text) else text


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def conversation_of(row: tuple[Any, ...]) -> Conversation:
    """Make what CONVERSATION selected."""
    id_, title, created, updated, turns, expert, demonstration, signed, named = row
    return Conversation(
        id_, title, from_ms(created), from_ms(updated), turns, expert, bool(demonstration), bool(signed), bool(named)
    )


def turn_of(row: tuple[Any, ...]) -> StoredTurn:
    """Make what TURN selected."""
    conversation, *values = row
    one = dict(zip(_TURN, values, strict=True))
    asked = Asked(
        question=one["question"],
        model=AnsweredBy(
            one["model"] or "",
            one["quantization"] or "",
            one["fingerprint"] or "",
            one["model_sha256"] or "",
            bool(one["demonstration"]),
        ),
        expert=one["expert"],
        title=one["expert_title"] or "",
        why=one["why"] or "",
        line=one["line"] or "",
        score=one["score"],
        scores=_json(one["scores"]) or {},
        evidence=tuple(Evidence(*item) for item in _json(one["evidence"]) or ()),
        adapters=tuple(ActiveAdapter(*item) for item in _json(one["adapters"]) or ()),
        sampling=Sampling(**(_json(one["sampling"]) or {})),
        notices=tuple(_json(one["notices"]) or ()),
    )
    stats = _json(one["stats"])
    return StoredTurn(
        conversation=conversation,
        number=one["number"],
        parent=one["parent"],
        state=State(one["state"]),
        asked=asked,
        answer=one["answer"],
        asked_at=from_ms(one["asked_at"]),
        finished_at=_time(one["finished_at"]),
        stop=one["stop"],
        stats=GenerationStats(**stats) if stats else None,
        rating=Rating(one["rating"]) if one["rating"] else None,
        note=one["note"],
        row=one["row"],
    )


def row_of(turn: StoredTurn) -> dict[str, Any]:
    """Return the columns of `turn`, but for its conversation and its row."""
    asked = turn.asked
    return {
        "number": turn.number,
        "parent": turn.parent,
        "state": turn.state.value,
        "stop": turn.stop,
        "asked_at": to_ms(turn.asked_at),
        "finished_at": to_ms(turn.finished_at) if turn.finished_at else None,
        "model": storable(asked.model.name),
        "quantization": asked.model.quantization,
        "fingerprint": asked.model.fingerprint,
        "model_sha256": asked.model.sha256,
        "demonstration": int(asked.model.demonstration),
        "expert": asked.expert,
        "expert_title": asked.title,
        "score": asked.score,
        "rating": turn.rating.value if turn.rating else None,
        "why": storable(asked.why),
        "line": storable(asked.line),
        "scores": _text(dict(asked.scores)),
        "evidence": _text([[item.term, item.weight] for item in asked.evidence]),
        "adapters": _text([[item.expert, item.sha256, item.scale] for item in asked.adapters]),
        "sampling": _text(asdict(asked.sampling)),
        "stats": stats_text(turn.stats),
        "notices": _text(list(asked.notices)),
        "question": storable(asked.question),
        "note": storable(turn.note),
        "answer": storable(turn.answer),
    }


def stats_text(stats: GenerationStats | None) -> str | None:
    """Return what an answer cost as the file keeps it."""
    return _text(asdict(stats)) if stats else None


def signature_of(row: tuple[Any, ...]) -> Signature:
    """Make a signature of its conversation's id, number, signer, time and digest."""
    conversation, number, signer, signed_at, digest = row
    return Signature(conversation, number, signer, from_ms(signed_at), digest)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))  # ASCII: also a lone surrogate is only an escape


def _json(text: str | None) -> Any:
    return json.loads(text) if text else None
