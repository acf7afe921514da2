"""What `medpocket route --evaluate` prints and draws."""

import math
from pathlib import Path
from typing import Any

from medpocket.cli import diagnostics, output
from medpocket.cli.tables import table
from medpocket.errors import OptionError
from medpocket.evaluation.confusion_plot import confusion_svg
from medpocket.evaluation.routing import GENERAL, Judged, Verdict, judge, read_labelled
from medpocket.router.route import load_router

_PERCENTILES = (50, 95, 99)


def evaluate_router(path: Path, plot: Path | None, as_json: bool) -> int:
    """Route every row, print what comes of it, and draw it where `plot` says."""
    if plot and plot.suffix.lower() != ".svg":
        raise OptionError("the plot is written as SVG", "give a name that ends in .svg")
    router = load_router()
    rows = read_labelled(path, router.experts)
    judged: list[Judged] = []
    for one in judge(rows, router.route):
        judged.append(one)
        if len(judged) % 100 == 0:
            diagnostics.progress(len(judged), len(rows), "routed {:,} of {:,} texts")
    diagnostics.clear_progress()
    verdict = Verdict(judged)
    if plot:
        plot.write_text(confusion_svg(verdict.confusion, [*router.experts]), encoding="utf-8")
        diagnostics.notice(f"drawn: {plot}")
    if as_json:
        output.write_success("route", _as_json(verdict))
    else:
        _print(verdict)
    return 0


def _figures(verdict: Verdict) -> dict[str, float]:
    return {
        "accuracy": verdict.accuracy,
        "macro_recall": verdict.macro_recall,
        "calibration_error": verdict.calibration_error,
        "abstain_precision": verdict.abstain_precision,
        "abstain_recall": verdict.abstain_recall,
        "wrongly_abstained": verdict.wrongly_abstained,
    }


def _as_json(verdict: Verdict) -> dict[str, Any]:
    def finite(figures: dict[str, float]) -> dict[str, float | None]:
        return {name: None if math.isnan(value) else value for name, value in figures.items()}

    return {
        "rows": len(verdict.rows),
        **finite(_figures(verdict)),
        "sets": {
            name: {"rows": len(own.rows), **finite(_figures(own)), "recall": _recalls(own)}
            for name, own in verdict.sets.items()
        },
        "recall": _recalls(verdict),
        "latency_ms": {f"p{percent}": verdict.latency(percent) * 1e3 for percent in _PERCENTILES},
        "confusion": [
            {"right": right, "chosen": chosen, "rows": count} for (right, chosen), count in verdict.confusion.items()
        ],
    }


def _recalls(verdict: Verdict) -> dict[str, dict[str, float]]:
    return {name: {"rows": len(own.rows), "recall": own.accuracy} for name, own in verdict.experts.items()}


def _print(verdict: Verdict) -> None:
    def shown(share: float) -> str:
        return "-" if math.isnan(share) else f"{share:.3f}"

    header = ("SET", "ROWS", "ACCURACY", "MACRO RECALL", "ABSTAINED WRONGLY", "ECE")
    rows = [header]
    for name, own in (*verdict.sets.items(), ("all", verdict)):
        figures = (own.accuracy, own.macro_recall, own.wrongly_abstained, own.calibration_error)
        rows.append((name, f"{len(own.rows):,}", *map(shown, figures)))  # type: ignore[arg-type]
    _write(table(rows))
    recalls = [("EXPERT", "ROWS", "RECALL", "TAKEN FOR")]
    for name, own in verdict.experts.items():
        wrong = [(chosen, count) for (_, chosen), count in own.confusion.most_common() if chosen != name][:3]
        taken = ", ".join(f"{chosen} {count}" for chosen, count in wrong)
        recalls.append((name, f"{len(own.rows):,}", shown(own.accuracy), taken))
    _write(table(recalls))
    sets = verdict.sets
    if len(sets) > 1:
        for name, own in sets.items():
            by_expert = ", ".join(f"{expert} {shown(part.accuracy)}" for expert, part in own.experts.items())
            output.write_line(f"{name}: {by_expert}")
        output.write_line()
    output.write_line(
        f"No expert ({GENERAL}): precision {shown(verdict.abstain_precision)}, recall {shown(verdict.abstain_recall)}; "
        f"{shown(verdict.wrongly_abstained)} of the others wrongly so"
    )
    output.write_line(f"Expected calibration error: {shown(verdict.calibration_error)}")
    took = ", ".join(f"p{percent} {verdict.latency(percent) * 1e3:.2f} ms" for percent in _PERCENTILES)
    output.write_line(f"A text took: {took}")


def _write(lines: list[str]) -> None:
    for line in (*lines, ""):
        output.write_line(line)
