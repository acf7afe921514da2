"""`medpocket doctor`: what this machine has, what is installed, what is wrong, what to do."""

from typing import Any

import click

from medpocket.cli import output
from medpocket.cli.tables import json_option
from medpocket.doctor.checks import Problem, problems_of
from medpocket.doctor.facts import READ_ONLY, Facts, can_write, gather
from medpocket.doctor.words import fit_lines, folder_lines, machine_lines, model_lines, next_step, system

_LABEL_WIDTH = 12


@click.command()
@json_option
def doctor(as_json: bool) -> int:
    """Say what this machine has, what is installed, what is wrong, and what to do next.

    Each problem comes with what mends it. Exits with 1 when something is wrong. It loads no model and shows no text of
    a conversation; the first time, it measures this machine's speed for a second.
    """
    facts = gather()
    problems = problems_of(facts)
    if as_json:
        output.write_success("doctor", report(facts, problems))
    else:
        _print(facts, problems)
    return 1 if problems else 0


def report(facts: Facts, problems: list[Problem]) -> dict[str, Any]:
    """Everything as plain values: sizes in bytes, rates per second."""
    machine = facts.machine
    models = {one.name: one for one in facts.installed}
    titles = {spec.id: spec.title for spec in facts.registry.models.values()} if facts.registry else {}
    return {
        "versions": {name: found for name, found in facts.versions.items() if found},
        "machine": {
            "system": system(),
            "cpu": machine.cpu_model,
            "cpu_features": list(machine.cpu_features),
            "physical_cores": machine.physical_cores,
            "performance_cores": machine.performance_cores,
            "usable_cores": machine.usable_cores,
            "core_limit": facts.core_limit,
            "threads": machine.default_threads(),
            "memory_total": machine.memory.total_bytes,
            "memory_available": machine.memory.available_bytes,
            "swap_total": machine.memory.swap_bytes,
            "disk_free": facts.disk_free,
            "on_mains": machine.power.on_mains if machine.power else None,
            "battery_percent": machine.power.percent if machine.power else None,
            "jetson": machine.jetson,
        },
        "offload": {
            "devices": [vars(one) for one in facts.accelerators],
            "tested": False,
            "compiled_with": facts.compiled_with,
        },
        "folders": {
            name: {
                "path": str(folder),
                "exists": folder.is_dir(),
                "writable": name not in READ_ONLY and can_write(folder),
            }
            for name, folder in facts.folders.items()
        },
        "models": {
            name: {"title": titles.get(name, name), "path": str(models[name].path) if name in models else None}
            for name in (*titles, *(name for name in models if name not in titles))
        },
        "default_model": facts.chosen,
        "fit": _fit(facts),
        "offline": facts.offline,
        "problems": [{"problem": one.what, "mend": one.mend} for one in problems],
        "next": next_step(facts, problems),
    }


def _fit(facts: Facts) -> dict[str, Any] | None:
    """How the model that answers runs here; None where it is not one of the registry's, or cannot be read."""
    judged = facts.judged
    if not judged or not judged.fit:
        return None
    fit, speed = judged.fit, judged.speed
    return {
        "fits": fit.fits,
        "memory": fit.host_bytes,
        "device_memory": fit.device_bytes,
        "context": fit.context,
        "largest_context": fit.largest_context,
        "gpu_layers": fit.gpu_layers,
        "threads": fit.threads,
        "mapped": fit.mapped,
        "repacked": fit.repacked,
        "reasons": list(fit.reasons),
        "prefill_tokens_s": round(speed.prefill, 2) if speed else None,
        "decode_tokens_s": round(speed.decode, 2) if speed else None,
        "measured_while_busy": facts.rates.busy if facts.rates else None,
    }


def _print(facts: Facts, problems: list[Problem]) -> None:
    for label, text in machine_lines(facts):
        _line(label, text)
    output.write_line()
    for label, text in folder_lines(facts):
        _line(label, text)
    output.write_line()
    for label, text in model_lines(facts):
        _line(label, text, width=22)
    for label, text in fit_lines(facts):
        _line(label, text)
    output.write_line()
    for problem in problems:
        _line("wrong", problem.what)
        _line("mend", problem.mend)
    _line("next", next_step(facts, problems))


def _line(label: str, text: str, width: int = _LABEL_WIDTH) -> None:
    output.write_line(f"{label:<{width}} {text}".rstrip())
