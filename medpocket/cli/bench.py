"""`medpocket bench`: how fast a model is on this machine, and what it takes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from medpocket import paths
from medpocket.cli import diagnostics, output
from medpocket.cli.ask import complete_model
from medpocket.cli.tables import json_option, table
from medpocket.config import load_settings
from medpocket.errors import MedpocketError, OptionError
from medpocket.evaluation.bench.figures import Figure, spread
from medpocket.evaluation.bench.rounds import measure_model, measure_router, measure_start
from medpocket.evaluation.bench.saved import SavedBench, describe, save
from medpocket.evaluation.bench.settings import BenchSettings, Target
from medpocket.evaluation.bench.shape_file import SHAPES, write_shape_file
from medpocket.evaluation.bench.tools import Tools, find_tools
from medpocket.evaluation.setup import machine_here
from medpocket.models.hardware import busy_share, default_threads
from medpocket.models.locate import default_model, locate_model
from medpocket.models.memory import gigabytes
from medpocket.registry import Registry, load_registry

_BUSY = 0.1  # of the processor, from which others are said to disturb


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...", shell_complete=complete_model)
@click.option(
    "--compare", is_flag=True, help="Run llama.cpp's own llama-bench and llama-server in turn, and print ratios."
)
@click.option(
    "--tools", metavar="FOLDER", type=click.Path(path_type=Path), help="Where these are, if not on the PATH; compares."
)
@click.option(
    "--shape",
    type=click.Choice(list(SHAPES)),
    help="Also measure a file with the default model's shapes and types and random weights; written once, 4.4 GB.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the file of --shape here, and measure nothing.",
)
@click.option("--prompt-tokens", type=click.IntRange(1), default=512, show_default=True, help="Of the rate of reading.")
@click.option("--answer-tokens", type=click.IntRange(2), default=64, show_default=True, help="Of the rate of writing.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Repetitions.")
@click.option("--threads", type=click.IntRange(1), help="Threads; the settings' own if not given.")
@click.option("--context", type=click.IntRange(128), help="Tokens of context; the model's own if not given.")
@json_option
def bench(
    models: tuple[str, ...],
    compare: bool,
    tools: Path | None,
    shape: str | None,
    out: Path | None,
    prompt_tokens: int,
    answer_tokens: int,
    rounds: int,
    threads: int | None,
    context: int | None,
    as_json: bool,
) -> int:
    """Measure how fast models are on this machine, and the memory that they take.

    MODEL is an id or a path. Each repetition is a process of its own, which loads the model, has a conversation with
    two experts, and measures the rates. Let the machine rest meanwhile. What is measured is kept for
    `medpocket eval report`.

    \b
    medpocket bench demo
    medpocket bench biomistral-7b-q4 --compare --tools ~/llama.cpp/build/bin
    """
    registry = load_registry()
    if out and not shape:
        raise OptionError("--out says where the file of --shape goes", "give --shape 7b too")
    if out and shape:
        _write_shape(registry, shape, out)
        return 0
    names = list(models) or ([] if shape else [default_model(registry, load_settings().model)])
    targets = [_target(name, registry) for name in names]
    if shape:
        targets.append(_shape_target(registry, shape))
    found = find_tools(tools) if compare or tools else Tools()
    settings = _settings(prompt_tokens, answer_tokens, rounds, threads, context)
    return _Benching(targets, settings, found, registry).run(as_json)


def _settings(
    prompt_tokens: int, answer_tokens: int, rounds: int, threads: int | None, context: int | None
) -> BenchSettings:
    own = load_settings()
    return BenchSettings(
        threads=threads or own.threads or default_threads(),
        context=context,
        batch=own.batch,
        gpu_layers=own.gpu_layers,
        repack=own.repack,
        prompt_tokens=prompt_tokens,
        answer_tokens=answer_tokens,
        rounds=rounds,
    )


def _target(name: str, registry: Registry) -> Target:
    located = locate_model(name, registry)
    spec = located.spec
    return Target(
        spec.title if spec else located.path.name,
        located.path.resolve(),
        registry.prompts[spec.prompt] if spec else None,
        spec.trained_context if spec else None,
    )


def _shape_target(registry: Registry, shape: str) -> Target:
    path = paths.cache_folder() / "bench" / f"{shape}.gguf"
    if not path.exists():
        paths.make_private(path.parent)
        _write_shape(registry, shape, path)
    return Target(f"{shape}-shaped file", path)


def _write_shape(registry: Registry, shape: str, path: Path) -> None:
    def written(done: int, total: int) -> None:
        diagnostics.progress(done // 10**6, total // 10**6, "writing {:,} of {:,} MB")

    write_shape_file(registry.model(SHAPES[shape]), path, written=written)
    diagnostics.clear_progress()
    diagnostics.notice(f"written: {path} ({gigabytes(path.stat().st_size)})")


class _Benching:
    """Measures one model after another; one that fails does not keep the others from being measured."""

    def __init__(self, targets: Sequence[Target], settings: BenchSettings, tools: Tools, registry: Registry) -> None:
        self._targets, self._settings, self._tools, self._registry = targets, settings, tools, registry
        self._failed: dict[str, MedpocketError] = {}

    def run(self, as_json: bool) -> int:
        """Measure and print; return the exit code."""
        busy = busy_share(1.0)
        if busy > _BUSY:
            diagnostics.notice(f"other programs use {busy:.0%} of the processor: the figures will say little")
        found = list(filter(None, map(self._measure, self._targets)))
        self._told("start-up and router")
        program = [*measure_start(), *measure_router(self._registry, self._settings.rounds)]
        diagnostics.clear_progress()
        if as_json:
            output.write_success("bench", self._as_json(found, program, busy))
        else:
            self._print(found, program)
        return 1 if self._failed else 0

    def _measure(self, target: Target) -> SavedBench | None:
        try:
            measured = describe(measure_model(target, self._settings, self._tools, self._told), machine_here())
        except MedpocketError as error:
            diagnostics.clear_progress()
            if len(self._targets) == 1:
                raise
            diagnostics.notice(f"{target.name} was not measured: {error.message}; {error.hint}")
            self._failed[target.name] = error
            return None
        save(measured)
        return measured

    def _told(self, what: str) -> None:
        diagnostics.status(f"measuring {what}")

    def _as_json(self, found: Sequence[SavedBench], program: Sequence[Figure], busy: float) -> dict[str, Any]:
        return {
            "models": [one.as_json() for one in found],
            "program": [one.as_json() for one in program],
            "failed": {name: {"code": error.code, "message": error.message} for name, error in self._failed.items()},
            "machine": machine_here(),
            "busy_before": busy,
        }

    def _print(self, found: Sequence[SavedBench], program: Sequence[Figure]) -> None:
        machine = machine_here()
        output.write_line(
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}; "
            f"{self._settings.rounds} repetitions in turn: medians, in brackets the least and the greatest"
        )
        for one in found:
            output.write_line()
            output.write_line(_title(one))
            _write_table(one.figures)
        output.write_line()
        output.write_line("MedPocket itself")
        _write_table(program)


def _title(one: SavedBench) -> str:
    model, settings = one.model, one.settings
    adapted = "by their adapters" if one.adapted else "by their lines alone"
    layers = f", {model['gpu_layers']} layers on the GPU" if model["gpu_layers"] else ""
    return (
        f"{model['name']}, {model['quantization']}, {gigabytes(model['size_bytes'])}: {model['threads']} threads, "
        f"context {model['context']:,}, batch {settings['batch']}, repack {'on' if settings['repack'] else 'off'}"
        f"{layers}; experts {' and '.join(one.experts)}, {adapted}"
    )


def _write_table(figures: Sequence[Figure]) -> None:
    compared = any(figure.ratios for figure in figures)
    headings = ("WHAT", "UNIT", "MEDPOCKET", *(("COMPARED WITH", "", "RATIO") if compared else ()))
    rows = [headings]
    for figure in figures:
        other = (figure.tool, spread(figure.other), spread(figure.ratios)) if figure.ratios else ("", "", "")
        rows.append((figure.label, figure.unit, spread(figure.medpocket), *(other if compared else ())))
    for line in table(rows):
        output.write_line(line)
