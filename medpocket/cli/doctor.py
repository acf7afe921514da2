"""`medpocket doctor`: what this machine has, what is installed, what is wrong, what to do."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from medpocket import __version__, paths
from medpocket.cli import output
from medpocket.config import load_settings
from medpocket.errors import MedpocketError
from medpocket.models.hardware import describe_machine
from medpocket.models.locate import default_model, installed_file
from medpocket.registry import Registry, load_registry

_PACKAGES = (
    "llama-cpp-python",
    "textual",
    "sqlite-utils",
    "huggingface-hub",
    "platformdirs",
    "psutil",
    "click",
    "gguf",
)
_LABEL_WIDTH = 12


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(as_json: bool) -> int:
    """Say what this machine has, what is installed, what is wrong, and what to do next.

    Exits with 1 when something is wrong. It loads no model and shows no text of a conversation.
    """
    report = examine()
    if as_json:
        output.write_success("doctor", report)
    else:
        _print(report)
    return 1 if report["problems"] else 0


def examine() -> dict[str, Any]:
    """Return the report as plain values: sizes in bytes."""
    problems: list[str] = []
    registry, configured = _read_settings(problems)
    models = _models(registry) if registry else {}
    chosen = default_model(registry, configured) if registry else None
    report: dict[str, Any] = {
        "versions": _versions(problems),
        "machine": _machine(),
        "offload": _offload(problems),
        "folders": _folders(problems),
        "models": models,
        "default_model": chosen,
        "offline": _offline(problems),
        "problems": problems,
    }
    report["next"] = _next_step(registry, chosen, problems)
    return report


def _read_settings(problems: list[str]) -> tuple[Registry | None, str | None]:
    try:
        return load_registry(), load_settings().model
    except MedpocketError as error:
        problems.append(f"{error.message}; {error.hint}")
        return None, None


def _versions(problems: list[str]) -> dict[str, str]:
    found = {"medpocket": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            problems.append(f"the package {name} is missing; install MedPocket again")
    return found


def _machine() -> dict[str, Any]:
    machine = describe_machine()
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": machine.cpu_model,
        "cpu_features": list(machine.cpu_features),
        "physical_cores": machine.physical_cores,
        "usable_cores": machine.usable_cores,
        "memory_total": machine.memory.total_bytes,
        "memory_available": machine.memory.available_bytes,
        "swap_total": machine.memory.swap_bytes,
    }


def _offload(problems: list[str]) -> dict[str, Any]:
    try:
        from medpocket.engine.system import offload_devices, system_features
    except (ImportError, OSError, RuntimeError) as error:
        problems.append(f"llama.cpp cannot be loaded ({type(error).__name__}); install MedPocket again on this machine")
        return {"devices": [], "compiled_with": ""}
    return {"devices": offload_devices(), "compiled_with": system_features()}


def _folders(problems: list[str]) -> dict[str, dict[str, Any]]:
    folders = {
        "config": paths.config_folder(),
        "data": paths.data_folder(),
        "models": paths.models_folder(),
        "log": paths.log_folder(),
        "machine": paths.machine_config_folder(),
        "assets": paths.assets_folder(),
    }
    report = {}
    for name, folder in folders.items():
        read_only = name in ("machine", "assets")
        usable = read_only or _can_write(folder)
        if not usable:
            problems.append(f"the folder {folder} cannot be written; change its permissions, or set MEDPOCKET_HOME")
        report[name] = {"path": str(folder), "exists": folder.is_dir(), "writable": not read_only and usable}
    return report


def _can_write(folder: Path) -> bool:
    """Tell whether the folder, or the nearest of its parents that exists, can be written."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _models(registry: Registry) -> dict[str, dict[str, Any]]:
    return {
        spec.id: {"title": spec.title, "path": str(path) if (path := installed_file(spec)) else None}
        for spec in registry.models.values()
    }


def _offline(problems: list[str]) -> bool:
    """Try to open a network socket; it must be refused."""
    import socket

    from medpocket.errors import OfflineError

    try:
        socket.socket(socket.AF_INET).close()
    except OfflineError:
        return True
    problems.append("a network socket could be opened; please report this")
    return False


def _next_step(registry: Registry | None, chosen: str | None, problems: list[str]) -> str:
    if problems:
        return problems[0]
    if registry and chosen and chosen in registry.models and registry.models[chosen].demonstration:
        default = registry.model(registry.default_model)
        return (
            f"only the demonstration model is here, which is no clinical model: put {default.file} of "
            f"{default.repository} into {paths.models_folder()}, or ask with -m PATH"
        )
    return 'ask: medpocket ask "..."'


def _print(report: dict[str, Any]) -> None:
    versions, machine, offload = report["versions"], report["machine"], report["offload"]
    others = ", ".join(f"{name} {found}" for name, found in versions.items() if name != "medpocket")
    _line("medpocket", versions["medpocket"])
    _line("versions", others)
    _line("system", machine["system"])
    _line("processor", f"{machine['cpu']}, {machine['physical_cores']} cores, {machine['usable_cores']} usable")
    _line("features", " ".join(machine["cpu_features"]) or "none known")
    _line("memory", f"{machine['memory_available'] / 1e9:.1f} GB free of {machine['memory_total'] / 1e9:.1f} GB")
    _line("offload", ", ".join(offload["devices"]) or "none: this llama.cpp computes on the processor")
    _line("network", "refused, verified" if report["offline"] else "NOT refused")
    for name, folder in report["folders"].items():
        state = "" if folder["exists"] else " (not there yet)"
        _line(name, f"{folder['path']}{state}")
    output.write_line()
    for name, model in report["models"].items():
        mark = "default" if name == report["default_model"] else ""
        _line(name, f"{model['path'] or 'not installed'} {mark}".rstrip(), width=22)
    output.write_line()
    for problem in report["problems"]:
        _line("wrong", problem)
    _line("next", report["next"])


def _line(label: str, text: str, width: int = _LABEL_WIDTH) -> None:
    output.write_line(f"{label:<{width}} {text}")
