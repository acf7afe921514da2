"""`medpocket models recommend`: which of the report's systems this machine can run, how fast, and which to take."""

from typing import TYPE_CHECKING, Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.tables import json_option, table
from medpocket.engine import accelerators_if_known
from medpocket.errors import EngineError
from medpocket.models.hardware import Machine, describe_machine
from medpocket.models.judged import Judged, judge, shape_here, tensor_types
from medpocket.models.memory import gigabytes
from medpocket.models.recommend import USES, Recommendation, recommend
from medpocket.registry import PublishedAccuracy, Registry, load_registry

if TYPE_CHECKING:
    from medpocket.models.speed import MachineRates


@click.command("recommend")
@click.option("--use", type=click.Choice(list(USES)), help="What it is for; without it, all four uses.")
@click.option("--measure-again", is_flag=True, help="Measure this machine's speed anew, a second's work.")
@json_option
def recommend_command(use: str | None, measure_again: bool, as_json: bool) -> int:
    """Say which systems of the report this machine can run, and which to take for what.

    Memory and speed are worked out for models that are not here, from the sizes of their layers ("estimated"). Speed is
    expected from a short measurement of this machine; accuracy is what others published, never measured here.
    """
    registry, machine = load_registry(), describe_machine()
    judged, rates = judge_models(registry, machine, anew=measure_again)
    available = machine.memory.available_bytes
    uses = [one for one in USES if use in (None, one)]
    answers = [recommend(one, judged, registry, available) for one in uses]
    if as_json:
        output.write_success("models recommend", _data(machine, rates, judged, answers))
    else:
        _print(machine, rates, judged, answers)
    return 0


def judge_models(
    registry: Registry, machine: Machine, *, demonstration: bool = False, anew: bool = False
) -> "tuple[list[Judged], MachineRates | None]":
    """Every model of the registry judged for this machine, the demonstration model too where asked; and its rates."""
    specs = [spec for spec in registry.models.values() if demonstration or not spec.demonstration]
    shapes = {spec.id: shape_here(spec) for spec in specs}
    rates = rates_here(tensor_types(shapes.values()), machine, anew=anew)
    devices = accelerators_if_known(machine)
    return [judge(spec, shapes[spec.id], machine, devices, rates) for spec in specs], rates


def rates_here(types: list[str], machine: Machine, *, anew: bool = False) -> "MachineRates | None":
    """The rates of this machine; None, with a notice, where llama.cpp cannot be asked."""
    try:
        from medpocket.engine.probe import machine_rates

        return machine_rates(types, machine, anew=anew)
    except (EngineError, ImportError, OSError, RuntimeError, AttributeError) as error:
        diagnostics.notice(f"no speed can be expected: {type(error).__name__}; `medpocket doctor` looks for the reason")
        return None


def _data(
    machine: Machine, rates: "MachineRates | None", judged: list[Judged], answers: list[Recommendation]
) -> dict[str, Any]:
    return {
        "memory_available": machine.memory.available_bytes,
        "memory_total": machine.memory.total_bytes,
        "threads": machine.default_threads(),
        "measured_while_busy": rates.busy if rates else None,
        "systems": [_system(one) for one in judged],
        "uses": [
            {
                "use": answer.use,
                "title": USES[answer.use],
                "report_pick": answer.report_pick.id if answer.report_pick else None,
                "pick": answer.pick.spec.id if answer.pick else None,
                "reason": answer.reason,
            }
            for answer in answers
        ],
    }


def _system(judged: Judged) -> dict[str, Any]:
    spec, fit, accuracy = judged.spec, judged.fit, judged.spec.accuracy
    return {
        "id": spec.id,
        "title": spec.title,
        "report_system": spec.report_system,
        "installed": judged.installed,
        "runs_here": spec.runs_here,
        "memory_bytes": judged.memory_bytes,
        "estimated": judged.estimated,
        "fits": judged.fits,
        "context": fit.context if fit else None,
        "largest_context": fit.largest_context if fit else None,
        "gpu_layers": fit.gpu_layers if fit else None,
        "prefill_tokens_s": round(judged.speed.prefill, 2) if judged.speed else None,
        "decode_tokens_s": round(judged.speed.decode, 2) if judged.speed else None,
        "accuracy": None
        if accuracy is None
        else {
            "scores": dict(accuracy.scores),
            "setting": accuracy.setting,
            "note": accuracy.note,
            "source": accuracy.source,
        },
        "licence": spec.licence,
        "advisory": spec.advisory,
        "note": spec.runtime_note or spec.note,
    }


def _print(machine: Machine, rates: "MachineRates | None", judged: list[Judged], answers: list[Recommendation]) -> None:
    free = gigabytes(machine.memory.available_bytes)
    output.write_line(f"{free} of memory free, {machine.default_threads()} threads")
    output.write_line()
    cells: list[tuple[str, ...]] = [("SYSTEM", "MEMORY", "FITS", "READS", "WRITES", "LICENCE")]
    cells += [_cells(one) for one in judged]
    for line in table(cells):
        output.write_line(line)
    output.write_line()
    output.write_line("MEMORY with ~ is estimated: the file is not here. READS, WRITES: expected tokens per second.")
    if rates and rates.busy:
        output.write_line(
            "This machine was busy while it was measured: it is faster than this. Ask again when it rests."
        )
    output.write_line()
    output.write_line("Published accuracy, percent; for the models, not for their 4-bit files:")
    for one in judged:
        output.write_line(f"  {one.spec.title}: {_accuracy(one.spec.accuracy)}")
    output.write_line()
    for answer in answers:
        output.write_line(f"For {USES[answer.use]} ({answer.use}):")
        pick = f"{answer.pick.spec.title} (-m {answer.pick.spec.id})" if answer.pick else "none"
        output.write_line(f"  {pick}: {answer.reason}")
        if answer.pick and answer.pick.spec.advisory:
            output.write_line(f"  {answer.pick.spec.advisory}")


def _cells(judged: Judged) -> tuple[str, ...]:
    memory = gigabytes(judged.memory_bytes) if judged.memory_bytes else "not known"
    fits = "yes" if judged.fits else "no" if judged.spec.runs_here else "no: not llama.cpp's"
    if judged.fit and judged.fits and judged.fit.gpu_layers:
        fits = f"yes, {judged.fit.gpu_layers} layers on the GPU"
    reads, writes = (f"{one:.1f}" for one in (judged.speed.prefill, judged.speed.decode)) if judged.speed else ("", "")
    mark = "~" if judged.estimated and judged.memory_bytes else ""
    return judged.spec.title, f"{mark}{memory}", fits, reads, writes, judged.spec.licence


def _accuracy(accuracy: PublishedAccuracy | None) -> str:
    if accuracy is None:
        return "none found"
    scores = ", ".join(f"{name} {score:g}" for name, score in accuracy.scores.items())
    more = "; ".join(one for one in (accuracy.setting, accuracy.source or "source not recorded") if one)
    return f"{scores} ({more})"
