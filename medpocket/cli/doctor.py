"""`medpocket doctor`: what this machine has, what is installed, what is wrong, what to do."""

import platform
from typing import Any

import click

from medpocket.cli import output
from medpocket.cli.doctor_checks import Problem, problems_of
from medpocket.cli.doctor_facts import READ_ONLY, Facts, can_write, gather
from medpocket.cli.tables import json_option
from medpocket.models.memory import gigabytes

_LABEL_WIDTH = 12
UNTESTED = "untested: this project had no graphics processor at hand"


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
            "system": _system(),
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
        "next": _next_step(facts, problems),
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


def _next_step(facts: Facts, problems: list[Problem]) -> str:
    if problems:
        return str(problems[0])
    registry, chosen = facts.registry, facts.chosen
    if registry and chosen and chosen in registry.models and registry.models[chosen].demonstration:
        return (
            "only the demonstration model is here, which is no clinical model: medpocket models pull gets "
            f"{registry.model(registry.default_model).title}, medpocket models import takes it from a stick"
        )
    return 'ask: medpocket ask "..."'


def _print(facts: Facts, problems: list[Problem]) -> None:
    for label, text in _machine_lines(facts):
        _line(label, text)
    output.write_line()
    for name, folder in facts.folders.items():
        _line(name, f"{folder}{'' if folder.is_dir() else ' (not there yet)'}")
    output.write_line()
    models = {one.name: one for one in facts.installed}
    for name in dict.fromkeys((*(facts.registry.models if facts.registry else ()), *models)):
        mark = "default" if name == facts.chosen else ""
        state = str(models[name].path) if name in models else "not installed"
        _line(name, f"{state} {mark}".rstrip(), width=22)
    for label, text in _fit_lines(facts):
        _line(label, text)
    output.write_line()
    for problem in problems:
        _line("wrong", problem.what)
        _line("mend", problem.mend)
    _line("next", _next_step(facts, problems))


def _machine_lines(facts: Facts) -> list[tuple[str, str]]:
    machine, memory = facts.machine, facts.machine.memory
    others = ", ".join(f"{name} {found or 'MISSING'}" for name, found in facts.versions.items() if name != "medpocket")
    fast = f", {machine.performance_cores} of them fast" if machine.performance_cores else ""
    limit = f", limited to {facts.core_limit:g} of time" if facts.core_limit else ""
    swap = gigabytes(memory.swap_bytes) if memory.swap_bytes else "none"
    lines = [
        ("medpocket", facts.versions["medpocket"] or ""),
        ("versions", others),
        ("system", _system()),
        (
            "processor",
            f"{machine.cpu_model}, {machine.physical_cores} cores{fast}, {machine.usable_cores} usable{limit}",
        ),
        ("features", " ".join(machine.cpu_features) or "none known"),
        ("memory", f"{gigabytes(memory.available_bytes)} free of {gigabytes(memory.total_bytes)}; swap: {swap}"),
        ("disk", f"{gigabytes(facts.disk_free)} free for models" if facts.disk_free is not None else "not known"),
    ]
    if machine.power:
        source = "mains" if machine.power.on_mains else "battery: computing is slower, and empties it"
        lines.append(("power", f"{source} ({machine.power.percent:.0f} %)"))
    if machine.jetson:
        lines.append(("board", f"{machine.jetson}: its processors share the memory"))
    for one in facts.accelerators:
        shared = ", shared with the processor" if one.shares_memory else ""
        size = f"{gigabytes(one.free_bytes)} free of {gigabytes(one.total_bytes)}{shared}"
        lines.append(("offload", f"{one.backend}: {one.description}, {size} ({UNTESTED})"))
    if not facts.accelerators:
        lines.append(("offload", "none: this llama.cpp computes on the processor"))
    lines.append(("network", "refused, verified" if facts.offline else "NOT refused"))
    return lines


def _fit_lines(facts: Facts) -> list[tuple[str, str]]:
    judged = facts.judged
    if not judged or not judged.fit:
        return []
    fit, speed = judged.fit, judged.speed
    fits = (
        f"fits: needs {gigabytes(fit.host_bytes)}" if fit.fits else f"does NOT fit: needs {gigabytes(fit.host_bytes)}"
    )
    lines = [("", ""), (judged.spec.id, f"{fits} for {fit.context:,} tokens of context")]
    lines += [("", reason) for reason in fit.reasons]
    if speed:
        busy = ", measured while the machine was busy" if facts.rates and facts.rates.busy else ""
        lines.append(("", f"expected to read {speed.prefill:,.1f} and write {speed.decode:,.1f} tokens a second{busy}"))
    return lines


def _system() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def _line(label: str, text: str, width: int = _LABEL_WIDTH) -> None:
    output.write_line(f"{label:<{width}} {text}".rstrip())
