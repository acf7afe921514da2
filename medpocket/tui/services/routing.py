"""What the router makes of a text while it is typed; it needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from medpocket.registry import GENERAL, Registry, load_registry
from medpocket.types import Route

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


@lru_cache(maxsize=1)
def _registry() -> Registry:
    """The registry as it was when it was first needed: it is asked at every pause in the typing."""
    return load_registry()


def preview(text: str) -> Preview | None:
    """Route `text`; None where there is nothing to read. Raises RouterError and SettingsError."""
    from medpocket.router.route import load_router  # with numpy: behind the first frame

    return as_preview(load_router().route(text)) if text.strip() else None


def as_preview(route: Route) -> Preview:
    """Put what the router said into words."""
    experts = _registry().experts

    def candidate(name: str, score: float) -> Candidate:
        return Candidate(name, experts[name].title if name in experts else name, score)

    others = [one for one in route.ranked if one[0] != route.expert and one[1] >= _LEAST_SCORE][:RUNNERS_UP]
    evidence = () if route.expert == GENERAL else tuple((one.term, one.weight) for one in route.evidence)
    return Preview(candidate(route.expert, route.score), tuple(candidate(*one) for one in others), evidence, route.note)


def expert_named(name: str) -> str:
    """Return the id of an expert. Raises UnknownNameError with the nearest."""
    return _registry().expert(name).id


def names() -> dict[str, Sequence[str]]:
    """Return what a command can be completed with: ids of experts and of models."""
    registry = _registry()
    return {"expert": ["routed", "none", *registry.experts], "model": list(registry.models)}
