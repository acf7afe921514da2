"""What the report says, as tables and pictures; how it looks is the business of the pages."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medpocket.evaluation.bench.figures import Figure, short, spread
from medpocket.evaluation.bench.saved import SavedBench
from medpocket.evaluation.report.plot import Point, accuracy_svg
from medpocket.evaluation.report.systems import Measured, MeasuredRun, System
from medpocket.evaluation.results import NONE, ROUTED
from medpocket.evaluation.statistics import Share
from medpocket.models.memory import gigabytes
from medpocket.models.recommend import USES, Recommendation

TITLE = "Evaluation report on medical language models"
_FOUR_OPTIONS = 25.0  # percent


@dataclass(frozen=True)
class Table:
    """Rows of text under headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """An SVG picture and what it shows, for those who do not see it."""

    svg: str
    shows: str


Part = str | Table | Picture


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Report:
    """The sections for people, and `data` for programs."""

    made: str
    sections: tuple[Section, ...]
    data: Mapping[str, Any]


def write_report(
    made: str,
    rows: Sequence[System],
    runs: Sequence[MeasuredRun],
    uses: Sequence[Recommendation],
    *,
    busy: bool = False,
) -> Report:
    """Put the report together; `made` says when, where and with what, `busy` that others slowed the machine then."""
    sections = [_comparison(rows, busy), _pictures(rows), _use_cases(uses), _accuracy(runs)]
    benches = [row.bench for row in rows if row.bench]
    sections += [_speed(benches), _method()]
    data = {
        "made": made,
        "systems": [_system_data(row) for row in rows],
        "runs": [_run_data(run) for run in runs],
        "benches": [bench.as_json() for bench in benches],
        "expected_while_busy": busy,
        "uses": [
            {
                "use": one.use,
                "title": USES[one.use],
                "report_pick": one.report_pick.title if one.report_pick else None,
                "pick": one.pick.spec.id if one.pick else None,
                "reason": one.reason,
            }
            for one in uses
        ],
    }
    return Report(made, tuple(sections), data)


def _comparison(rows: Sequence[System], busy: bool) -> Section:
    headings = ("Model", "Architecture", "Size", "Quantized?", "Memory", "Speed", "Medical accuracy")
    table = Table(headings, tuple(_cells(row) for row in rows))
    return Section(
        "Model comparison",
        (
            "Size is the number of parameters. Speed is in tokens per second, reading a prompt and writing an answer. "
            "“Expected” follows from the sizes of the model's layers and a short measurement of this machine; "
            "“published” figures are those of others, for the model and not for its quantized file, on other "
            "questions: they are not to be compared with measured ones.",
            *(("The machine was busy while it was measured: it is faster than “expected” here says.",) if busy else ()),
            table,
        ),
    )


def _cells(row: System) -> tuple[str, ...]:
    name = f"{row.title} (a demonstration, no clinical model)" if row.demonstration else row.title
    quantized = f"yes ({row.quantization})" if row.is_quantized else f"no ({row.quantization})"
    return name, row.architecture, row.parameters, quantized, _memory(row), _speed_cell(row), _accuracy_cell(row)


def _memory(row: System) -> str:
    if row.memory_bytes is None:
        return "not known"
    is_measured = row.bench or (row.run and row.spec is None)
    return f"{gigabytes(round(row.memory_bytes))} {'measured' if is_measured else 'expected'}"


def _speed_cell(row: System) -> str:
    if not row.runs_here:
        return "not run by llama.cpp"
    if row.prefill is None or row.decode is None:
        return "not measured"
    return f"reads {short(row.prefill)}, writes {short(row.decode)}, {'measured' if row.bench else 'expected'}"


def _accuracy_cell(row: System) -> str:
    found = []
    if row.run:
        for one in row.run.columns:
            if one.column in (NONE, ROUTED):
                who = "with the router's expert" if one.column == ROUTED else "measured"
                found.append(f"{who} {_share(one.summary.letters)} of {len(one.summary.rows):,}")
        found.append(f"guessing {row.run.base.guessing * 100:.1f} %")
    if row.published:
        scores = ", ".join(f"{name} {score:g}" for name, score in row.published.scores.items())
        about = "; ".join(
            filter(None, (row.published.setting, (row.published.note or "").rstrip("."), row.published.source))
        )
        found.append(f"published: {scores} ({about})")
    return "; ".join(found) or "neither measured nor published"


def _share(share: Share) -> str:
    if math.isnan(share.value):
        return "-"
    return f"{share.value * 100:.1f} % ({share.low * 100:.1f} to {share.high * 100:.1f})"


def _pictures(rows: Sequence[System]) -> Section:
    measured = [row.run for row in rows if row.run]
    guessing, note = _FOUR_OPTIONS, "of four options"
    if measured:
        questions = sum(len(run.base.rows) for run in measured)
        guessing = sum(run.base.guessing * len(run.base.rows) for run in measured) / questions * 100
        note = "on the questions measured"
    parts: list[Part] = []
    memory = [row.memory_bytes / 1e9 if row.memory_bytes else None for row in rows]
    for across, values in (("memory, GB", memory), ("writing, tokens per second", [row.decode for row in rows])):
        points = [point for row, value in zip(rows, values, strict=True) for point in _points(row, value)]
        shows = f"Medical accuracy against {across}: " + (
            "; ".join(f"{one.name} {one.y:.1f} % at {short(one.x)}" for one in points) or "nothing to show"
        )
        svg = accuracy_svg(points, across=across, guessing=guessing, guessing_note=note)
        parts.append(Picture(svg, f"{shows}. Guessing: {guessing:.1f} %."))
    return Section("Accuracy against memory and against speed", tuple(parts))


def _points(row: System, x: float | None) -> Iterator[Point]:
    if x is None:
        return
    if row.accuracy and not math.isnan(row.accuracy.value):
        share = row.accuracy
        yield Point(row.title, x, share.value * 100, share.low * 100, share.high * 100)
    if row.published_mean is not None:
        yield Point(row.title, x, row.published_mean)


def _use_cases(uses: Sequence[Recommendation]) -> Section:
    rows = tuple(
        (
            USES[one.use],
            one.report_pick.report_system or one.report_pick.title if one.report_pick else "none",
            one.pick.spec.title if one.pick else "none",
            " ".join(filter(None, (f"{one.reason}.", one.pick.spec.advisory if one.pick else None))),
        )
        for one in uses
    )
    return Section(
        "Which model for which use, on this machine",
        (Table(("Use", "The report's pick", "The pick for this machine", "Why"), rows),),
    )


def _accuracy(runs: Sequence[MeasuredRun]) -> Section:
    if not runs:
        return Section(
            "Accuracy as measured", ("No complete run was found: `medpocket eval run MODEL --tasks FILE` makes one.",)
        )
    parts: list[Part] = []
    for run in runs:
        setup = run.run.setup
        order = "as in the file" if setup.seed is None else f"shuffled by seed {setup.seed}"
        left_out = sum(setup.left_out.values())
        parts.append(
            f"Run {run.run.id}: {setup.model} ({setup.quantization}), "
            f"{', '.join(task.name for task in setup.tasks)}, {len(run.base.rows):,} questions"
            f"{f', {left_out:,} left out' if left_out else ''}, {setup.shots} examples before each, options {order}; "
            f"prompt version {setup.prompt_version}, model {setup.model_sha256[:12]}, {run.run.started}."
        )
        headings = ("Expert", "Set", "Questions", "By letter, 95 %", "By answer, 95 %", "Guessing", "Over the base")
        parts.append(Table(headings, tuple(row for one in run.columns for row in _accuracy_rows(one))))
        parts += [f"{name} was {note}." for name, note in run.base.notes.items()]
    return Section("Accuracy as measured", tuple(parts))


def _accuracy_rows(one: Measured) -> Iterator[tuple[str, ...]]:
    sets = one.summary.sets if one.column in (NONE, ROUTED) and len(one.summary.sets) > 1 else {}
    for name, summary in (("all", one.summary), *sets.items()):
        over = ""
        if name == "all" and one.over_base:
            difference = one.over_base
            verdict = "noise" if difference.is_noise else "more than noise"
            over = f"{difference.difference * 100:+.1f} points, p = {difference.p:.2g}: {verdict}"
        who = {NONE: "none (base)", ROUTED: "the router's"}.get(one.column, one.column)
        yield (
            who,
            name,
            f"{len(summary.rows):,}",
            _share(summary.letters),
            _share(summary.answers),
            f"{summary.guessing * 100:.1f} %",
            over,
        )


def _speed(benches: Sequence[SavedBench]) -> Section:
    if not benches:
        return Section("Speed and memory as measured", ("Nothing was measured: `medpocket bench MODEL` does.",))
    parts: list[Part] = []
    for bench in benches:
        machine, settings, model = bench.machine, bench.settings, bench.model
        parts.append(
            f"{model['name']} ({model['quantization']}), {bench.measured}, on {machine['processor']}, "
            f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}: {model['threads']} threads, "
            f"context {model['context']:,}, batch {settings['batch']}, repack {'on' if settings['repack'] else 'off'}; "
            f"medians of {settings['rounds']} repetitions, in brackets the least and the greatest."
        )
        compared = any(figure.ratios for figure in bench.figures)
        headings = ("What", "Unit", "MedPocket", *(("Compared with", "", "Ratio") if compared else ()))
        parts.append(Table(headings, tuple(_figure_cells(figure, compared) for figure in bench.figures)))
    return Section("Speed and memory as measured", tuple(parts))


def _figure_cells(figure: Figure, compared: bool) -> tuple[str, ...]:
    ours = figure.label.replace("`", ""), figure.unit, spread(figure.medpocket)
    if not compared:
        return ours
    theirs = (figure.tool, spread(figure.other), spread(figure.ratios)) if figure.ratios else ("", "", "")
    return ours + theirs


def _method() -> Section:
    return Section(
        "How it was measured",
        (
            "Every question is put twice: with its options, and the likeliest letter counts; without them, and the "
            "option whose whole text is likeliest for each of its bytes counts. Intervals are Wilson's, 95 %. Two "
            "columns of a run are compared on the same questions with McNemar's exact test: a difference that chance "
            "makes once in twenty times, or more often, is called noise. An expert's figures stand beside those of the "
            "base model, since biomedical training often makes a model worse (arXiv 2404.04067).",
            "No figure of this report says that a model may be used for care.",
        ),
    )


def _system_data(row: System) -> dict[str, Any]:
    return {
        "title": row.title,
        "architecture": row.architecture,
        "parameters": row.parameters,
        "quantization": row.quantization,
        "quantized": row.is_quantized,
        "demonstration": row.demonstration,
        "runs_here": row.runs_here,
        "memory_bytes": row.memory_bytes,
        "prefill_tokens_s": row.prefill,
        "decode_tokens_s": row.decode,
        "speed_is": None if row.decode is None else "measured" if row.bench else "expected",
        "run": row.run.run.id if row.run else None,
        "accuracy": _share_data(row.accuracy) if row.accuracy else None,
        "guessing": row.run.base.guessing if row.run else None,
        "published": {
            "scores": dict(row.published.scores),
            "setting": row.published.setting,
            "note": row.published.note,
            "source": row.published.source,
        }
        if row.published
        else None,
    }


def _run_data(run: MeasuredRun) -> dict[str, Any]:
    return {
        "run": run.run.id,
        "model": run.run.setup.model,
        "model_sha256": run.run.setup.model_sha256,
        "experts": run.run.setup.experts,
        "columns": [
            {
                "expert": one.column,
                "questions": len(one.summary.rows),
                "by_letter": _share_data(one.summary.letters),
                "by_answer": _share_data(one.summary.answers),
                "guessing": one.summary.guessing,
                "over_base": {"difference": one.over_base.difference, "p": one.over_base.p} if one.over_base else None,
            }
            for one in run.columns
        ],
    }


def _share_data(share: Share) -> dict[str, float] | None:
    return None if math.isnan(share.value) else {"value": share.value, "low": share.low, "high": share.high}
