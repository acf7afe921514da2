"""`medpocket models list` and `show`: what there is, and what is known of it."""

from dataclasses import asdict
from typing import Any

import click

from medpocket.cli import output
from medpocket.cli.model_names import complete_name
from medpocket.cli.tables import json_option, table
from medpocket.models.installed import Installed, own_folder, strays
from medpocket.models.listed import Listed, list_models
from medpocket.models.locate import default_model
from medpocket.registry import Registry, load_registry

_LABEL_WIDTH = 14


@click.command("list")
@json_option
def list_command(as_json: bool) -> int:
    """List the models: those of the registry and those of your own."""
    registry = load_registry()
    models, default = list_models(registry), _default(registry)
    loose = [str(path) for path in strays(own_folder())]
    if as_json:
        rows = [_data(model, default) for model in models]
        output.write_success("models list", {"models": rows, "not_recorded": loose, "default_model": default})
        return 0
    cells = [("", "ID", "MODEL", "SIZE", "STATE", "LICENCE")]
    for model in models:
        mark = "*" if model.id == default else ""
        cells.append((mark, model.id, model.title, model.size_words, model.state, model.licence))
    for line in table(cells):
        output.write_line(line)
    output.write_line()
    output.write_line("* answers when a command names no model; `medpocket models pull ID` gets one")
    for path in loose:
        output.write_line(f"not recorded, never used by a name: {path}")
    return 0


def _default(registry: Registry) -> str:
    from medpocket.config import load_settings

    return default_model(registry, load_settings().model)


def _data(model: Listed, default: str) -> dict[str, Any]:
    spec, entry = model.spec, model.entry
    return {
        "id": model.id,
        "title": model.title,
        "size": model.size,
        "size_gb_estimate": spec.size_gb_estimate if spec else None,
        "state": model.state,
        "licence": spec.licence if spec else entry.record.licence if entry else None,
        "default": model.id == default,
        "runs_here": spec.runs_here if spec else True,
        "installed": installed_data(entry) if entry else None,
    }


def installed_data(entry: Installed) -> dict[str, Any]:
    """An installed model as plain values."""
    return asdict(entry.record) | {"path": str(entry.path), "size": entry.record.size, "machine": entry.folder.shared}


@click.command("show")
@click.argument("name", metavar="ID", shell_complete=complete_name)
@json_option
def show_command(name: str, as_json: bool) -> int:
    """Say all that is known about a model: its file, its template, its licence, where it comes from."""
    from medpocket.engine import accelerators_of
    from medpocket.models.described import describe_model

    found = describe_model(name, load_registry(), accelerators_of)
    if as_json:
        installed = installed_data(found.entry) if found.entry else None
        output.write_success("models show", {"id": name, "installed": installed, "about": dict(found.lines)})
        return 0
    output.write_line(f"{found.spec.title if found.spec else 'a model of your own'} ({name})")
    for label, text in found.lines:
        output.write_line(f"{label:<{_LABEL_WIDTH}}{text}")
    return 0
