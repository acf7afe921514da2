"""How figures and facts are put into a line of words, the same on every screen."""

from collections.abc import Collection

from medpocket.registry import GENERAL
from medpocket.types import Routed

BETWEEN = " · "
STOPPED = {
    "length": "ended at max_tokens",
    "context": "ended: the context is full",
    "cancelled": "stopped",
}


def with_adapter(expert: str, *, has_adapter: bool) -> str:
    """Say whether an expert is more than its prompt."""
    if expert == GENERAL:
        return "the base model as it is"
    return "adapter" if has_adapter else "prompt only, no adapter"


def expert_words(expert: str, score: float | None, adapters: Collection[str]) -> str:
    """Name an expert before the question is asked."""
    named = expert if score is None else f"{expert} {score:.2f}"
    return BETWEEN.join((named, with_adapter(expert, has_adapter=expert in adapters)))


def routed_words(routed: Routed) -> str:
    """Name who answers."""
    named = routed.expert if routed.score is None else f"{routed.expert} {routed.score:.2f}"
    return BETWEEN.join((named, with_adapter(routed.expert, has_adapter=routed.has_adapter)))


def duration(seconds: float) -> str:
    """Say a time that is left: 8 s, 2 min 05 s."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


def size(count: float) -> str:
    """Say bytes as people do: 870 MB, 4.4 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
