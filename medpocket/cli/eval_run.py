"""`medpocket eval run`: questions with options, by any number of models."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import click

from medpocket import paths
from medpocket.cli import INTERRUPTED, diagnostics, output
from medpocket.cli.ask import complete_model
from medpocket.cli.eval_runs import results_option
from medpocket.cli.eval_tables import run_as_json, run_lines, scored_columns
from medpocket.cli.tables import json_option
from medpocket.cli.worker import iterate_in_thread
from medpocket.config import load_settings
from medpocket.engine.cancel import Cancellation
from medpocket.errors import MedpocketError, OptionError
from medpocket.evaluation.results import ALL, NONE, ROUTED, Results
from medpocket.evaluation.run import Asked, Begun, Event, Planning, Progress
from medpocket.evaluation.tasks import TOO_LONG, read_tasks
from medpocket.loading import load_located
from medpocket.models.gguf_kinds import shown
from medpocket.models.locate import LocatedModel, locate_model
from medpocket.models.pace import duration
from medpocket.registry import Registry, load_registry

_BAR_WIDTH = 24
_LINE_EVERY_S = 60.0
_NAMED = 3  # ids of the rows that are left out


@click.command("run")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, shell_complete=complete_model)
@click.option(
    "--tasks",
    "task_files",
    required=True,
    multiple=True,
    metavar="FILE[,FILE]",
    help="JSON lines, .gz or not: id, set, question, options, answer; again for more.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="So many questions, taken evenly from all.")
@click.option(
    "--experts",
    default=NONE,
    show_default=True,
    metavar="routed|none|ID|all",
    help="Who answers beside the base model, which always does.",
)
@click.option(
    "--shots",
    type=click.IntRange(0, 20),
    default=0,
    show_default=True,
    metavar="K",
    help="Answered examples before each.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31), metavar="S", help="Show the options in an order of chance, this one."
)
@click.option("--resume", is_flag=True, help="Go on with the run that these very options began.")
@results_option
@click.option("--force", is_flag=True, help="Load a model even where memory looks short.")
@json_option
def run_command(
    models: tuple[str, ...],
    task_files: tuple[str, ...],
    limit: int | None,
    experts: str,
    shots: int,
    seed: int | None,
    resume: bool,
    path: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Measure how many questions with options models answer rightly.

    Each MODEL, an id or a path, is asked every question twice, in its own prompt format: with its options and their
    letters, and without them. The likeliest letter counts, and the likeliest text. What is measured is written down
    as it goes: Ctrl-C, or worse, loses a few questions, and the same command with --resume goes on. A model that fails
    does not keep the others from being measured.

    \b
    medpocket eval import mirage benchmark.json -o mirage.jsonl
    medpocket eval run demo --tasks mirage.jsonl --experts routed
    """
    registry = load_registry()
    if experts not in (NONE, ROUTED, ALL):
        registry.expert(experts)
    files = [Path(name) for given in task_files for name in given.split(",") if name]
    if len({file.resolve() for file in files}) < len(files):
        raise OptionError("a file of questions is named twice", "name each once")
    asked = Asked(read_tasks(files), experts, limit, shots, seed, resume)
    _say_left_out(asked)
    running = _Running(registry, asked, path, force)
    runs, failed = [], {}
    before = signal.signal(signal.SIGINT, running.interrupt)
    try:
        for name in models:
            try:
                runs.append(running.measure(name))
            except MedpocketError as error:
                diagnostics.clear_progress()
                if len(models) == 1:
                    raise
                diagnostics.notice(f"{name} was not measured: {error.message}; {error.hint}")
                failed[name] = error
            if running.cancel.is_set():
                return INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)
    _write(runs, failed, path, as_json)
    return 1 if failed else 0


class _Running:
    """Measures one model after another and shows how far it is."""

    def __init__(self, registry: Registry, asked: Asked, results: Path | None, force: bool) -> None:
        self._registry, self._asked, self._results, self._force = registry, asked, results, force
        self._settings = load_settings()
        self.cancel = Cancellation()

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Ctrl-C: keep what is measured and end; a second time, end at once."""
        if self.cancel.is_set():
            diagnostics.clear_progress()
            os._exit(INTERRUPTED)  # llama.cpp may be at work: an orderly end would take its memory from under it
        self.cancel.set()

    def measure(self, name: str) -> int:
        """Return the number of the run. Raises whatever can be wrong with one model."""
        located = locate_model(name, self._registry)
        seen = Shown(name)
        for event in iterate_in_thread(lambda: self._events(located)):
            seen.take(event)
        diagnostics.clear_progress()
        if self.cancel.is_set():
            diagnostics.notice(f"stopped; {seen.done}; the same command with --resume goes on")
        return seen.run

    def _events(self, located: LocatedModel) -> Iterator[Event]:
        from medpocket.evaluation.run import evaluate, experts_measured
        from medpocket.evaluation.setup import describe_setup
        from medpocket.experts.active import ActiveExperts
        from medpocket.experts.library import Library
        from medpocket.models.gguf_check import check_model_file
        from medpocket.router.route import FILE_NAME, load_router

        settings, asked = self._settings, self._asked
        router = load_router() if asked.experts in (ROUTED, ALL) else None
        engine = load_located(located, self._registry, settings, for_scoring=True, force=self._force)
        try:
            experts = experts_measured(
                asked.experts, self._registry, ActiveExperts(Library(), engine.model.fingerprint)
            )
            file = check_model_file(located.path)
            setup = describe_setup(
                engine.model,
                (file.path, *file.other_parts),
                asked,
                experts,
                paths.assets_folder() / FILE_NAME if router else None,
                settings.batch,
            )
            with Results(self._results) as results:
                yield from evaluate(
                    engine, asked, experts, router.route if router else None, setup, results, self.cancel
                )
        finally:
            engine.close()


class Shown:
    """How far the measuring of a model is, on one line; without a terminal, a line now and then."""

    def __init__(self, model: str) -> None:
        self._model = model
        self.run = 0
        self.done = "nothing was measured"
        self._began = self._line_at = time.monotonic()

    def take(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Planning():
                diagnostics.status(f"{self._model}: {event.done:,} of {event.total:,} questions read")
            case Begun():
                self.run = event.run.id
                self._began = self._line_at = time.monotonic()
                diagnostics.clear_progress()
                if event.too_long:
                    _say_rows(TOO_LONG, event.too_long)
                if event.done:
                    diagnostics.notice(f"run {self.run} goes on after {event.done:,} questions")
            case Progress():
                self._show(event)

    def _show(self, event: Progress) -> None:
        self.done = f"{event.questions:,} of {event.all_questions:,} questions are measured"
        now = time.monotonic()
        share = event.tokens / event.all_tokens
        left = duration((now - self._began) * (1 - share) / share)
        filled = int(event.questions / event.all_questions * _BAR_WIDTH)
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        text = f"{event.questions:,} of {event.all_questions:,} questions, {left} left"
        if not diagnostics.status(f"{self._model} [{bar}] {text}") and now - self._line_at > _LINE_EVERY_S:
            self._line_at = now
            diagnostics.notice(f"{self._model}: {text}")


def _say_left_out(asked: Asked) -> None:
    for reason, ids in asked.tasks.left_out.items():
        _say_rows(reason, ids)
    repeats = sum(question.repeats_an_option for question in asked.tasks.questions)
    if repeats:
        diagnostics.notice(
            f"{repeats:,} question{'s have' if repeats > 1 else ' has'} the same option twice: "
            "where it is the right one, both count"
        )


def _say_rows(reason: str, ids: Sequence[str]) -> None:
    first = ", ".join(shown(name) for name in ids[:_NAMED])
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    diagnostics.notice(f"left out: {len(ids):,} row{'s' if len(ids) > 1 else ''} {reason} ({first}{more})")


def _write(runs: list[int], failed: dict[str, MedpocketError], path: Path | None, as_json: bool) -> None:
    with Results(path) as results:
        found = [results.run(number) for number in runs]
        measured = [(run, scored_columns(results, run)) for run in found]
    if as_json:
        failures = [
            {"model": name, "code": error.code, "message": error.message, "hint": error.hint}
            for name, error in failed.items()
        ]
        runs_as_json = [run_as_json(run, columns) for run, columns in measured]
        output.write_success("eval run", {"results": str(results.path), "runs": runs_as_json, "failed": failures})
        return
    for run, columns in measured:
        for line in (*run_lines(run, columns), ""):
            output.write_line(line)
    diagnostics.notice(f"kept in {results.path}: `medpocket eval show` and `compare` read it")
