"""`medpocket eval answers`: what models and experts answer, for reading side by side."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.ask import complete_model
from medpocket.cli.tables import json_option
from medpocket.config import load_settings, sampling_for
from medpocket.errors import OptionError
from medpocket.evaluation.results import NONE, ROUTED
from medpocket.evaluation.side_by_side import Answered, as_html, read_questions
from medpocket.loading import assistant_on, load_located
from medpocket.models.locate import locate_model
from medpocket.registry import Registry, load_registry
from medpocket.types import Finished


@click.command("answers")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, shell_complete=complete_model)
@click.option(
    "--questions",
    "file",
    required=True,
    type=click.Path(path_type=Path),
    help='A question a line, or {"question": ...}.',
)
@click.option(
    "--experts",
    default=NONE,
    show_default=True,
    metavar="none,routed,ID,...",
    help="Who answers; the base model always does.",
)
@click.option("--max-tokens", type=click.IntRange(1, 32768), default=256, show_default=True, help="Of each answer.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write one HTML page, side by side, readable on paper."
)
@json_option
def answers_command(
    models: tuple[str, ...], file: Path, experts: str, max_tokens: int, out: Path | None, as_json: bool
) -> int:
    """Let models, and their experts, answer the questions of a file, for reading side by side.

    Always the likeliest word is taken (temperature 0), so that the same command gives the same answers.
    """
    registry, questions = load_registry(), read_questions(file)
    named = list(dict.fromkeys((NONE, *(name.strip() for name in experts.split(",")))))
    for name in named:
        if name not in (NONE, ROUTED):
            registry.expert(name)
    if out and out.exists() and not out.is_file():
        raise OptionError("the page cannot be written there", "name a file with -o")
    columns: list[str] = []
    answers: list[list[str]] = [[] for _ in questions]
    for model in models:
        for number, given in enumerate(_answers(model, named, questions, registry, max_tokens)):
            answers[number] += given
        columns += [f"{model}, {name}" if len(named) > 1 else model for name in named]
    rows = [Answered(question, tuple(given)) for question, given in zip(questions, answers, strict=True)]
    _write(columns, rows, out, as_json)
    return 0


def _answers(
    model: str, experts: Sequence[str], questions: Sequence[str], registry: Registry, max_tokens: int
) -> list[list[str]]:
    """The answers of one model: for each question, one of each of `experts`."""
    from medpocket.engine.cancel import Cancellation

    located, configured = locate_model(model, registry), load_settings()
    settings, sampling = sampling_for(configured, located.spec.sampling if located.spec else {}, {})
    sampling = dataclasses.replace(sampling, temperature=0.0, max_tokens=max_tokens, seed=0)
    engine = load_located(located, registry, settings)
    try:
        assistant = assistant_on(engine, registry, sampling)
        found: list[list[str]] = []
        for question in questions:
            found.append([])
            for expert in experts:
                asked = () if expert in (NONE, ROUTED) else ((expert, 1.0),)
                events = assistant.ask(question, Cancellation(), experts=asked, route=expert == ROUTED)
                found[-1] += [event.answer for event in events if isinstance(event, Finished)]
            diagnostics.status(f"{model}: {len(found):,} of {len(questions):,} questions answered")
    finally:
        engine.close()
        diagnostics.clear_progress()
    return found


def _write(columns: Sequence[str], rows: Sequence[Answered], out: Path | None, as_json: bool) -> None:
    if out:
        note = "Temperature 0. No answer was checked by anybody: what reads well may be wrong."
        out.write_text(as_html("Answers side by side", note, columns, rows), encoding="utf-8")
    if as_json:
        output.write_success(
            "eval answers", {"columns": list(columns), "rows": [dataclasses.asdict(row) for row in rows]}
        )
    elif not out:
        for row in rows:
            output.write_line(f"== {row.question}\n")
            for column, answer in zip(columns, row.answers, strict=True):
                output.write_line(f"-- {column}\n{answer}\n")
