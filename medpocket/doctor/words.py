"""What was found, as labels and words for people."""

import platform

from medpocket.doctor.checks import Problem
from medpocket.doctor.facts import Facts
from medpocket.models.memory import gigabytes

UNTESTED = "untested: this project had no graphics processor at hand"


def machine_lines(facts: Facts) -> list[tuple[str, str]]:
    """The packages, the processor, memory, power, and whether the network is refused."""
    machine, memory = facts.machine, facts.machine.memory
    others = ", ".join(f"{name} {found or 'MISSING'}" for name, found in facts.versions.items() if name != "medpocket")
    fast = f", {machine.performance_cores} of them fast" if machine.performance_cores else ""
    limit = f", limited to {facts.core_limit:g} of time" if facts.core_limit else ""
    swap = gigabytes(memory.swap_bytes) if memory.swap_bytes else "none"
    lines = [
        ("medpocket", facts.versions["medpocket"] or ""),
        ("versions", others),
        ("system", system()),
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


def folder_lines(facts: Facts) -> list[tuple[str, str]]:
    """Where things are kept."""
    return [
        (name, f"{folder}{'' if folder.is_dir() else ' (not there yet)'}") for name, folder in facts.folders.items()
    ]


def model_lines(facts: Facts) -> list[tuple[str, str]]:
    """The models of the registry and those that are here, the one that answers marked."""
    models = {one.name: one for one in facts.installed}
    lines = []
    for name in dict.fromkeys((*(facts.registry.models if facts.registry else ()), *models)):
        mark = " default" if name == facts.chosen else ""
        lines.append((name, f"{models[name].path if name in models else 'not installed'}{mark}"))
    return lines


def fit_lines(facts: Facts) -> list[tuple[str, str]]:
    """How the model that answers runs here; nothing where that is not known."""
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


def next_step(facts: Facts, problems: list[Problem]) -> str:
    """The first thing to do."""
    if problems:
        return str(problems[0])
    registry, chosen = facts.registry, facts.chosen
    if registry and chosen and chosen in registry.models and registry.models[chosen].demonstration:
        return (
            "only the demonstration model is here, which is no clinical model: medpocket models pull gets "
            f"{registry.model(registry.default_model).title}, medpocket models import takes it from a stick"
        )
    return 'ask: medpocket ask "..."'


def system() -> str:
    """The operating system and the kind of processor."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"
