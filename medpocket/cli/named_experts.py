"""Experts as they are named on the command line: -e ID, --mix ID:SCALE,ID:SCALE or auto, --compare ID,ID,none."""

from medpocket.errors import OptionError
from medpocket.experts.active import LARGEST_SCALE, NONE

Experts = tuple[tuple[str, float], ...]  # who answer together, each at its scale; empty: the base model

AUTO = "auto"  # after --mix: the two experts that the router finds close

_MIXED = 2
_MOST_COMPARED = 8


def experts_named(expert: str | None, mix: str | None, compare: str | None) -> tuple[Experts, ...]:
    """Return who gives each answer; empty where nobody is named. Raises OptionError."""
    if sum(option is not None for option in (expert, mix, compare)) > 1:
        raise OptionError("-e, --mix and --compare each say who answers", "give one of them")
    if expert is not None:
        return (((expert, 1.0),),)
    if mix is not None:
        return () if mix == AUTO else (_mixed(mix),)
    return _compared(compare) if compare is not None else ()


def _mixed(text: str) -> Experts:
    named = [part.strip().partition(":") for part in text.split(",")]
    names = {name for name, _, _ in named}
    if len(named) != _MIXED or len(names) != _MIXED or not all(colon for _, colon, _ in named):
        raise OptionError(
            "--mix takes two experts, each with its scale",
            "for example --mix cardiology:0.7,radiology:0.3; or --mix auto",
        )
    return tuple((name, _scale(scale)) for name, _, scale in named)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= LARGEST_SCALE:
        raise OptionError(
            f"a scale is a number above 0 and at most {LARGEST_SCALE:g}", "1 is the expert as it was trained"
        )
    return scale


def _compared(text: str) -> tuple[Experts, ...]:
    names = [name.strip() for name in text.split(",")]
    if not 1 < len(names) <= _MOST_COMPARED or len(set(names)) < len(names):
        raise OptionError(
            f"--compare takes two to {_MOST_COMPARED} experts, each once", "for example --compare cardiology,none"
        )
    return tuple(() if name == NONE else ((name, 1.0),) for name in names)
