"""`medpocket eval experts`: every expert on every specialty."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.ask import complete_model
from medpocket.cli.tables import json_option, table
from medpocket.config import load_settings
from medpocket.engine.protocol import Scaled
from medpocket.errors import InputError
from medpocket.evaluation.experts_matrix import NONE, ORACLE, ROUTED, Interval, Matrix, measure
from medpocket.evaluation.held_out import read_held_out
from medpocket.experts.adapter import check_belongs, read_adapter
from medpocket.experts.library import Library
from medpocket.models.locate import default_model, locate_model
from medpocket.registry import load_registry


@click.command("experts")
@click.option("-m", "--model", metavar="ID|PATH", shell_complete=complete_model, help="The base model.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="A folder with ID.jsonl for each specialty: question, answer, held_out.",
)
@click.option("--pooled", type=click.Path(path_type=Path), help="An adapter trained on all specialties, to compare.")
@click.option("--tokens", type=click.IntRange(100), default=8000, show_default=True, help="Of each specialty, about.")
@json_option
def experts_command(model: str | None, data: Path, pooled: Path | None, tokens: int, as_json: bool) -> int:
    """Measure every expert on every specialty's held-out answers.

    Prints perplexities over that of the base model alone: the matrix of specialties by experts, and on all answers as
    one stream what the best single expert, the right one each time, the router's, none, and a pooled control come to.
    """
    from medpocket.engine import load_engine
    from medpocket.models.gguf_check import check_model_file
    from medpocket.router.route import load_router

    router = load_router()
    registry = load_registry()
    located = locate_model(model if model is not None else default_model(registry, load_settings().model), registry)
    rows = read_held_out(data, registry.experts, tokens)
    spec = located.spec
    engine = load_engine(located.path, context=1024, template=registry.prompts[spec.prompt] if spec else None)
    try:
        columns = _columns(rows, engine.model.fingerprint)
        if pooled:
            adapter = read_adapter(pooled)
            check_belongs(adapter, check_model_file(located.path))
            columns["pooled"] = (Scaled(adapter.file),)
        count = sum(map(len, rows.values()))
        for found in measure(engine, rows, columns, lambda question: router.route(question).expert):
            if isinstance(found, Matrix):
                diagnostics.clear_progress()
                matrix = found
            else:
                diagnostics.progress(found, count, "measured {:,} of {:,} answers")
    finally:
        engine.close()
    if as_json:
        output.write_success("eval experts", _as_json(matrix))
    else:
        _print(matrix)
    return 0


def _columns(specialties: Sequence[str] | Mapping[str, Any], fingerprint: str) -> dict[str, tuple[Scaled, ...]]:
    library = Library()
    found = {name: library.find(name, fingerprint) for name in specialties}
    columns: dict[str, tuple[Scaled, ...]] = {
        name: (Scaled(entry.load().file),) for name, entry in found.items() if entry
    }
    if not columns:
        raise InputError("no expert has an adapter for this model", "`medpocket experts list` shows which have one")
    return columns


def _summary(matrix: Matrix) -> dict[str, Interval]:
    """The ratios on all answers together: who answers, over whom."""
    rows = {
        f"best single expert ({matrix.best_single}) over none": matrix.compare(matrix.best_single),
        "the right expert over none": matrix.compare(ORACLE),
        "the right expert over the best single one": matrix.compare(ORACLE, matrix.best_single),
        "the router's expert over none": matrix.compare(ROUTED),
        "the router's expert over the right one": matrix.compare(ROUTED, ORACLE),
    }
    if "pooled" in matrix.columns:
        rows["pooled control over none"] = matrix.compare("pooled")
        rows["the right expert over the pooled control"] = matrix.compare(ORACLE, "pooled")
    return rows


def _geometric_mean(ratios: Sequence[float]) -> float:
    import math

    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def _best_on_own(matrix: Matrix) -> list[str]:
    """The specialties whose own expert does better than every other expert."""
    experts = [name for name in matrix.columns if name in matrix.specialties]
    return [
        name
        for name in experts
        if min(experts, key=lambda column, name=name: matrix.ratio(name, column)) == name  # type: ignore[misc]
    ]


def _as_json(matrix: Matrix) -> dict[str, Any]:
    return {
        "specialties": {
            name: {
                "base_perplexity": matrix.base_perplexity(name),
                "answer_tokens": matrix.answer_tokens(name),
                "ratios": {column: matrix.ratio(name, column) for column in matrix.columns if column != NONE},
            }
            for name in matrix.specialties
        },
        "own_geometric_mean": _geometric_mean(list(matrix.own_ratios.values())),
        "best_on_own": _best_on_own(matrix),
        "routed_right": matrix.routed_right,
        "stream": {
            label: {"ratio": found.ratio, "low": found.low, "high": found.high}
            for label, found in _summary(matrix).items()
        },
    }


def _print(matrix: Matrix) -> None:
    columns = [column for column in matrix.columns if column != NONE]
    cells = [("SPECIALTY", "TOKENS", "BASE", *(column[:7] for column in columns))]
    for name in matrix.specialties:
        ratios = {column: matrix.ratio(name, column) for column in columns}
        least = min(ratios.values())
        cells.append(
            (
                name,
                f"{matrix.answer_tokens(name):,}",
                f"{matrix.base_perplexity(name):.2f}",
                *(f"{ratio:.3f}{'*' if ratio == least else ''}" for ratio in ratios.values()),
            )
        )
    for line in table(cells):
        output.write_line(line)
    own = matrix.own_ratios
    output.write_line()
    output.write_line("Perplexity over the base model's (BASE); * is the least of its row.")
    output.write_line(
        f"On their own specialty: geometric mean {_geometric_mean(list(own.values())):.3f}, greatest "
        f"{max(own.values()):.3f}; best of all experts on {len(_best_on_own(matrix))} of {len(own)}"
    )
    output.write_line()
    output.write_line("All answers as one stream, with 95 % intervals:")
    output.write_line(f"  the router names the right expert of {matrix.routed_right:.1%} of the questions")
    for label, found in _summary(matrix).items():
        output.write_line(f"  {label}: {found.ratio:.3f} ({found.low:.3f} to {found.high:.3f})")
