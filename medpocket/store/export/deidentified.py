"""A conversation with placeholders in the place of what names a person."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from medpocket.store.deidentify import Replaced, deidentify
from medpocket.store.records import StoredTurn, Whole
from medpocket.types import Evidence


def without_names(wholes: Sequence[Whole]) -> tuple[list[Whole], list[Replaced]]:
    """Return the conversations with placeholders in every text, and what they replaced.

    Of times only the year is left. Signatures stay out: they name somebody, and stood for another text.
    """
    texts = [text for whole in wholes for text in _texts(whole)]
    replaced, found = deidentify(texts)
    rest = iter(replaced)
    return [_with_texts(whole, rest) for whole in wholes], found


def in_words(replaced: Sequence[Replaced]) -> list[str]:
    """Return a line for each placeholder, with what it stands for, and one that says how far to trust them."""
    count = sum(one.count for one in replaced)
    return [
        *(f"{one.placeholder} x{one.count}: {' | '.join(one.originals)}" for one in replaced),
        f"{count} replaced, by rules that miss some: read it before you give it away",
    ]


def year_of(time: datetime) -> datetime:
    """Return the beginning of the year."""
    return datetime(time.year, 1, 1, tzinfo=timezone.utc)


def _texts(whole: Whole) -> list[str]:
    texts = [whole.conversation.title]
    for turn in whole.turns:
        asked = turn.asked
        texts += [asked.question, turn.answer, turn.note, asked.line, asked.why, *asked.notices]
        texts += [one.term for one in asked.evidence]
    return texts


def _with_texts(whole: Whole, texts: Iterator[str]) -> Whole:
    """Put the texts back in the order in which `_texts` took them."""
    one = whole.conversation
    conversation = replace(
        one,
        title=next(texts),
        created_at=year_of(one.created_at),
        updated_at=year_of(one.updated_at),
        signed=False,
    )
    return Whole(conversation, tuple(_turn_with_texts(turn, texts) for turn in whole.turns))


def _turn_with_texts(turn: StoredTurn, texts: Iterator[str]) -> StoredTurn:
    question, answer, note, line, why = (next(texts) for _ in range(5))
    notices = tuple(next(texts) for _ in turn.asked.notices)
    evidence = tuple(Evidence(next(texts), one.weight) for one in turn.asked.evidence)
    return replace(
        turn,
        asked=replace(turn.asked, question=question, line=line, why=why, notices=notices, evidence=evidence),
        answer=answer,
        note=note,
        asked_at=year_of(turn.asked_at),
        finished_at=year_of(turn.finished_at) if turn.finished_at else None,
    )
