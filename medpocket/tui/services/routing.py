"""What the router makes of a text while it is typed; it needs no model."""

from dataclasses import dataclass

from medpocket.registry import GENERAL, load_registry
from medpocket.router.route import load_router

RUNNERS_UP = 3
_LEAST_SCORE = 0.01


@dataclass(frozen=True)
class Candidate:
    """An expert, its score, and its title."""

    expert: str
    title: str
    score: float


@dataclass(frozen=True)
class Preview:
    """Who would answer, who comes next, and the terms that speak for the first, each with its weight in logits."""

    first: Candidate
    others: tuple[Candidate, ...]
    evidence: tuple[tuple[str, float], ...]
    note: str


def preview(text: str) -> Preview | None:
    """Route `text`; None where there is nothing to read. Raises RouterError and SettingsError."""
    if not text.strip():
        return None
    route = load_router().route(text)
    experts = load_registry().experts

    def candidate(name: str, score: float) -> Candidate:
        return Candidate(name, experts[name].title if name in experts else name, score)

    others = [one for one in route.ranked if one[0] != route.expert and one[1] >= _LEAST_SCORE][:RUNNERS_UP]
    evidence = () if route.expert == GENERAL else tuple((one.term, one.weight) for one in route.evidence)
    return Preview(candidate(route.expert, route.score), tuple(candidate(*one) for one in others), evidence, route.note)
