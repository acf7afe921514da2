"""`medpocket eval list`, `show` and `compare`: what was measured."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from medpocket.cli import output
from medpocket.cli.eval_tables import comparison_as_json, comparison_lines, run_as_json, run_lines, scored_columns
from medpocket.cli.tables import json_option, table
from medpocket.errors import OptionError
from medpocket.evaluation.results import NONE, Results, Run, Scored
from medpocket.evaluation.summary import agreement, compare

Command = TypeVar("Command", bound=Callable[..., Any])


def results_option(command: Command) -> Command:
    return click.option(
        "--results", "path", type=click.Path(path_type=Path), help="The file of results, in the place of your own."
    )(command)


@click.command("list")
@results_option
@json_option
def list_command(path: Path | None, as_json: bool) -> int:
    """List the runs: what was measured, when, and on how many questions."""
    with Results(path) as results:
        runs = results.runs()
    if as_json:
        output.write_success("eval list", {"runs": [dataclasses.asdict(run) for run in runs]})
        return 0
    rows: list[Sequence[str]] = [("RUN", "STARTED", "MODEL", "EXPERTS", "QUESTIONS", "SHOTS", "SEED", "TASKS")]
    for run in runs:
        setup = run.setup
        rows.append(
            (
                str(run.id),
                run.started,
                setup.model,
                setup.experts,
                f"{setup.questions:,}{'' if run.finished else ' unfinished'}",
                str(setup.shots),
                "-" if setup.seed is None else str(setup.seed),
                ", ".join(task.name for task in setup.tasks),
            )
        )
    for line in table(rows) if runs else ["nothing was measured yet: medpocket eval run MODEL --tasks FILE"]:
        output.write_line(line)
    return 0


@click.command("show")
@click.argument("number", metavar="RUN", type=int)
@results_option
@json_option
def show_command(number: int, path: Path | None, as_json: bool) -> int:
    """Show what a run came to."""
    with Results(path) as results:
        run = results.run(number)
        columns = scored_columns(results, run)
    if as_json:
        output.write_success("eval show", run_as_json(run, columns))
        return 0
    for line in run_lines(run, columns):
        output.write_line(line)
    return 0


@click.command("compare")
@click.argument("first", metavar="RUN[:EXPERT]")
@click.argument("second", metavar="RUN[:EXPERT]")
@results_option
@json_option
def compare_command(first: str, second: str, path: Path | None, as_json: bool) -> int:
    """Compare two runs, question by question, and say whether they differ by more than chance.

    A run is its number; 3:cardiology, or 3:routed, is what it came to under its experts. Only questions that both have
    count. Of two runs of one model whose options were shuffled by other seeds, it says how often the choice stayed.
    """
    with Results(path) as results:
        (run, rows), (other, others) = (_named(results, name) for name in (first, second))
    found = compare(rows, others)
    same = agreement(rows, others)
    if not found.letters.questions:
        raise OptionError("these two have no question in common", "compare runs of the same tasks")
    if as_json:
        output.write_success(
            "eval compare", comparison_as_json(found) | {"same_letters": same[0], "same_answers": same[1]}
        )
        return 0
    output.write_line(f"{first} is {_title(run)}; {second} is {_title(other)}")
    for line in comparison_lines(first, second, found):
        output.write_line(line)
    output.write_line(f"The same option was chosen by letter {same[0]:.1%} of the time, by answer {same[1]:.1%}")
    return 0


def _named(results: Results, name: str) -> tuple[Run, list[Scored]]:
    number, _, expert = name.partition(":")
    if not number.isdigit():
        raise OptionError("a run is a number, and an expert of it stands behind a colon", "for example 3, or 3:routed")
    run = results.run(int(number))
    return run, results.scored(run, expert or NONE)


def _title(run: Run) -> str:
    seed = run.setup.seed
    return f"{run.setup.model}{'' if seed is None else f' (options shuffled by seed {seed})'}"
