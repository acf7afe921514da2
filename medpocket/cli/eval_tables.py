"""What the commands of `medpocket eval` print of a run; every table carries the base model."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from medpocket.cli.tables import table
from medpocket.evaluation.results import ALL, NONE, ROUTED, Results, Run, Scored
from medpocket.evaluation.statistics import Comparison, Share
from medpocket.evaluation.summary import Paired, Summary, compare, oracle
from medpocket.models.pace import duration

_HEADINGS = ("EXPERT", "SET", "QUESTIONS", "BY LETTER", "95 %", "ECE", "BY ANSWER", "95 %", "ECE", "GUESSING")

Columns = Mapping[str, Sequence[Scored]]


def columns_of(run: Run) -> list[str]:
    """What a run can be read as, the base first: the experts that it measured, and as routed."""
    experts = [column.expert for column in run.setup.columns]
    return {ROUTED: [NONE, ROUTED], ALL: [*experts, ROUTED]}.get(run.setup.experts, experts)


def scored_columns(results: Results, run: Run) -> Columns:
    return {name: results.scored(run, name) for name in columns_of(run)}


def run_lines(run: Run, columns: Columns) -> list[str]:
    """The tables of one run."""
    detailed = {NONE: columns[NONE], ROUTED: columns[ROUTED]} if run.setup.experts == ALL else columns
    rows = [row for name, scored in detailed.items() for row in _rows(name, Summary(scored))]
    base = Summary(columns[NONE])
    return [
        _title(run),
        "",
        *table([_HEADINGS, *rows]),
        "",
        *(f"{name} was {note}" for name, note in base.notes.items()),
        "Where an option stood, how often it was chosen by letter, and was right: " + _places(base),
        *(_over_base_lines(columns) if len(columns) > 1 else ()),
        *(_matrix_lines(columns) if run.setup.experts == ALL else ()),
    ]


def _title(run: Run) -> str:
    setup = run.setup
    left_out = sum(setup.left_out.values())
    rate = run.tokens_evaluated / run.seconds if run.seconds else 0.0
    return (
        f"Run {run.id}: {setup.model}, {'' if run.finished else 'UNFINISHED, '}{setup.questions:,} questions"
        f"{f' ({left_out:,} left out)' if left_out else ''}, {setup.shots} shots, "
        f"{'options as in the file' if setup.seed is None else f'options shuffled by seed {setup.seed}'}, "
        f"{run.tokens_evaluated:,} tokens in {duration(run.seconds)} ({rate:,.0f} a second)"
    )


def percent(share: float) -> str:
    """Write a share as people read it."""
    return "-" if math.isnan(share) else f"{share * 100:.1f}"


def _interval(share: Share) -> str:
    return f"{percent(share.low)}-{percent(share.high)}"


def _rows(name: str, summary: Summary) -> list[Sequence[str]]:
    """A line for each set, for all questions, and for the averages of which nothing is missing."""
    named = {**summary.sets, "all questions": summary} if len(summary.sets) > 1 else summary.sets
    rows: list[Sequence[str]] = [
        (
            name,
            label + ("*" if label in summary.notes else ""),
            f"{len(own.rows):,}",
            percent(own.letters.value),
            _interval(own.letters),
            f"{own.letters_calibration_error:.3f}",
            percent(own.answers.value),
            _interval(own.answers),
            f"{own.answers_calibration_error:.3f}",
            percent(own.guessing),
        )
        for label, own in named.items()
    ]
    for label, shares in summary.averages.items():
        cells = [cell for share in shares for cell in (percent(share.value), _interval(share), "")]
        rows.append((name, f"mean as {label}{'*' if summary.notes else ''}", f"{shares[0].of:,}", *cells, ""))
    return rows


def _places(summary: Summary) -> str:
    return ", ".join(
        f"{letter} {percent(chosen)} ({percent(right)})"
        for letter, (chosen, right) in zip(ascii_uppercase, summary.chosen_places, strict=False)
    )


def _over_base_lines(columns: Columns) -> list[str]:
    """Every expert beside the base: what it adds, in points, and whether that is more than noise."""
    rows: list[Sequence[str]] = [("EXPERT", "BY LETTER", "ADDS", "P", "", "BY ANSWER", "ADDS", "P", "")]
    for name, scored in columns.items():
        own, paired = Summary(scored), compare(columns[NONE], scored)
        cells = [
            cell
            for share, comparison in ((own.letters, paired.letters), (own.answers, paired.answers))
            for cell in (percent(share.value), *(_difference(comparison) if name != NONE else ("", "", "")))
        ]
        rows.append((name, *cells))
    return ["", *table(rows), "P: how often chance alone makes such a difference (McNemar); from 0.05 on it is noise"]


def _difference(found: Comparison) -> tuple[str, str, str]:
    return f"{found.difference * 100:+.1f}", f"{found.p:.2g}", "noise" if found.is_noise else ""


def comparison_lines(first: str, second: str, found: Paired) -> list[str]:
    """Say whether the second is better than the first, and how surely."""
    return [
        f"{second} over {first}, {how}: {one.difference * 100:+.1f} points, "
        f"{'no more than noise' if one.is_noise else 'more than noise'} (McNemar's p {one.p:.2g}: of "
        f"{one.questions:,} questions {one.only_second:,} became right, {one.only_first:,} wrong)"
        for how, one in (("by letter", found.letters), ("by answer", found.answers))
    ]


def _matrix_lines(columns: Columns) -> list[str]:
    """Who is right where: experts by the router's specialties, and the best choice that could be made."""
    experts = {name: scored for name, scored in columns.items() if name != ROUTED}
    cells: list[Sequence[str]] = [("ROUTED TO", "QUESTIONS", *(name[:7] for name in experts))]
    for specialty, places in _by_route(columns[NONE]).items():
        shares = [_right(scored, places) for scored in experts.values()]
        marked = [f"{percent(share)}{'*' if share == max(shares) else ''}" for share in shares]
        cells.append((specialty, f"{len(places):,}", *marked))
    everywhere = range(len(columns[NONE]))
    cells.append(("all", f"{len(everywhere):,}", *(percent(_right(scored, everywhere)) for scored in experts.values())))
    letters, answers, luck = oracle(list(experts.values()))
    return [
        "",
        "Right by whole answer, %, of the questions that the router gave to each specialty; * is the most of a row:",
        *table(cells),
        "",
        f"The best of all {len(experts)} for each question: by letter {percent(letters.value)} ({_interval(letters)}), "
        f"by answer {percent(answers.value)} ({_interval(answers)});",
        f"as many independent guesses would come to {percent(luck)}: what an oracle is worth is what exceeds that",
    ]


def _by_route(rows: Sequence[Scored]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault(row.routed or "", []).append(place)
    return dict(sorted(found.items()))


def _right(scored: Sequence[Scored], places: Sequence[int]) -> float:
    return sum(scored[place].answer_is_right for place in places) / len(places)


def run_as_json(run: Run, columns: Columns) -> dict[str, Any]:
    """All figures of one run."""
    found: dict[str, Any] = dataclasses.asdict(run)
    found["columns"] = {name: _column_as_json(Summary(scored)) for name, scored in columns.items()}
    found["over_base"] = {
        name: comparison_as_json(compare(columns[NONE], scored)) for name, scored in columns.items() if name != NONE
    }
    if run.setup.experts == ALL:
        experts = {name: scored for name, scored in columns.items() if name != ROUTED}
        letters, answers, luck = oracle(list(experts.values()))
        found["oracle"] = {"letters": _share(letters), "answers": _share(answers), "luck": luck}
        found["by_route"] = {
            specialty: {
                "questions": len(places),
                "answers": {name: _right(scored, places) for name, scored in experts.items()},
            }
            for specialty, places in _by_route(columns[NONE]).items()
        }
    return found


def _column_as_json(summary: Summary) -> dict[str, Any]:
    return {
        "all": _figures(summary),
        "sets": {name: _figures(own) for name, own in summary.sets.items()},
        "subjects": {name: _figures(own) for name, own in summary.subjects.items() if name not in summary.sets},
        "averages": {
            label: {"letters": _share(letters), "answers": _share(answers)}
            for label, (letters, answers) in summary.averages.items()
        },
        "not_comparable": summary.notes,
        "places": [{"chosen": chosen, "right": right} for chosen, right in summary.chosen_places],
    }


def _figures(summary: Summary) -> dict[str, Any]:
    return {
        "questions": len(summary.rows),
        "guessing": summary.guessing,
        "letters": _share(summary.letters) | {"calibration_error": summary.letters_calibration_error},
        "answers": _share(summary.answers) | {"calibration_error": summary.answers_calibration_error},
    }


def _share(share: Share) -> dict[str, float]:
    return {"accuracy": share.value, "low": share.low, "high": share.high}


def comparison_as_json(found: Paired) -> dict[str, Any]:
    """Both comparisons, by letter and by answer."""
    return {
        how: dataclasses.asdict(one) | {"difference": one.difference, "noise": one.is_noise}
        for how, one in (("letters", found.letters), ("answers", found.answers))
    }
