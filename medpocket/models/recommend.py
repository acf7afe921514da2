"""The report's table of uses, answered for this machine: which of its systems to take, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medpocket.models.judged import Judged
from medpocket.models.memory import gigabytes
from medpocket.registry import ModelSpec, Registry, Use

# In the report's words.
USES: Mapping[Use, str] = {
    "chatbot": "low-latency medical chatbots",
    "diagnosis": "high-accuracy medical diagnosis",
    "edge": "mobile or edge deployment",
    "research": "research and knowledge retrieval",
}
# Tokens a second of an answer that keeps up with a reader: 240 words a minute (Brysbaert 2019), 4 tokens for 3 words.
READING_RATE = 240 / 60 * 4 / 3


@dataclass(frozen=True)
class Recommendation:
    """The answer for one use. `report_pick` is the report's own; `pick` is None where nothing fits."""

    use: Use
    report_pick: ModelSpec | None
    pick: Judged | None
    reason: str


def recommend(use: Use, judged: Sequence[Judged], registry: Registry, available_bytes: int) -> Recommendation:
    """Take the report's pick where it runs well here, else the best of what fits, by what the use asks for."""
    report = _report_pick(use, registry)
    by_id = {one.spec.id: one for one in judged}
    wanted = by_id.get(_runnable(report, registry)) if report else None
    fitting = [one for one in judged if one.fits and not one.spec.demonstration]
    if wanted and wanted.fits and not _too_slow(use, wanted):
        return Recommendation(use, report, wanted, _why_wanted(wanted, report, available_bytes))
    if not fitting:
        smallest = min((one.memory_bytes for one in judged if one.memory_bytes and one.spec.runs_here), default=None)
        needs = f": the smallest needs {gigabytes(smallest)}" if smallest else ""
        return Recommendation(use, report, None, f"nothing fits into {gigabytes(available_bytes)}{needs}")
    pick, why = _best(use, fitting)
    return Recommendation(use, report, pick, f"{why}; {_why_not(use, wanted, report, available_bytes)}")


def accuracy_of(judged: Judged) -> float | None:
    """One number for ranking: the published average, else the mean of the published scores; percent."""
    accuracy = judged.spec.accuracy
    if not accuracy or not accuracy.scores:
        return None
    scores = accuracy.scores
    return scores["average"] if "average" in scores else sum(scores.values()) / len(scores)


def _report_pick(use: Use, registry: Registry) -> ModelSpec | None:
    """The row that stands for the report's own choice."""
    rows = [spec for spec in registry.models.values() if use in spec.uses]
    return next((spec for spec in rows if spec.report_system), rows[0] if rows else None)


def _runnable(spec: ModelSpec, registry: Registry) -> str:
    """The row itself, or the one that takes its place here."""
    return spec.instead if not spec.runs_here and spec.instead and spec.instead in registry.models else spec.id


def _too_slow(use: Use, judged: Judged) -> bool:
    return use == "chatbot" and judged.speed is not None and judged.speed.decode < READING_RATE


def _best(use: Use, fitting: Sequence[Judged]) -> tuple[Judged, str]:
    if use == "chatbot" and any(one.speed for one in fitting):
        best = max(fitting, key=lambda one: one.speed.decode if one.speed else 0.0)
        return best, f"the fastest that fits, about {best.speed.decode:.1f} tokens a second" if best.speed else ""
    if use in ("diagnosis", "research") and any(accuracy_of(one) is not None for one in fitting):
        best = max(fitting, key=lambda one: accuracy_of(one) or 0.0)
        return best, f"the highest published accuracy that fits ({_score(best)})"
    best = min(fitting, key=lambda one: one.memory_bytes or 0)
    return best, f"the least memory of all that fit, {gigabytes(best.memory_bytes or 0)}"


def _score(judged: Judged) -> str:
    scores = judged.spec.accuracy.scores if judged.spec.accuracy else {}
    what = "average" if "average" in scores else f"mean of {', '.join(scores)}"
    return f"{what} {accuracy_of(judged):.1f}"


def _why_wanted(wanted: Judged, report: ModelSpec | None, available_bytes: int) -> str:
    needs = f"it needs {gigabytes(wanted.memory_bytes or 0)} of the {gigabytes(available_bytes)} that are free"
    speed = f" and writes about {wanted.speed.decode:.1f} tokens a second" if wanted.speed else ""
    if report and report.id != wanted.spec.id:
        return f"it stands in for the report's pick, {report.title}, which llama.cpp does not run; {needs}{speed}"
    return f"the report's pick; {needs}{speed}"


def _why_not(use: Use, wanted: Judged | None, report: ModelSpec | None, available_bytes: int) -> str:
    if not wanted:
        return f"the report's pick, {report.title}, does not run here" if report else "the report names none"
    if wanted.fits and _too_slow(use, wanted) and wanted.speed:
        return (
            f"{wanted.spec.title}, the report's pick, would write {wanted.speed.decode:.1f} tokens a second, "
            f"slower than people read ({READING_RATE:.1f})"
        )
    return (
        f"{wanted.spec.title}, the report's pick, needs {gigabytes(wanted.memory_bytes or 0)} and "
        f"{gigabytes(available_bytes)} is free"
    )
