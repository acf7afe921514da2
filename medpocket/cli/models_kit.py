"""`medpocket models import KIT`: the models and adapters of a kit."""

from pathlib import Path

from medpocket.cli import diagnostics, output
from medpocket.cli.models_list import installed_data
from medpocket.cli.transfer import Transfer
from medpocket.errors import InputError
from medpocket.kit.manifest import read_manifest
from medpocket.kit.take import is_taken, take_adapters, take_model
from medpocket.models.installed import ModelFolder
from medpocket.models.pace import amount


def import_kit(kit: Path, folder: ModelFolder, *, replaces: bool, as_json: bool) -> int:
    """Take every model and adapter that is not here yet."""
    manifest = read_manifest(kit)
    if not manifest.models and not any(path.startswith("experts/") for path in manifest.files):
        raise InputError("this kit has no models but the demonstration model", "it is part of MedPocket itself")
    models = []
    for model in manifest.models:
        entry = is_taken(model, folder)
        if entry is None:
            if model.advisory:
                diagnostics.notice(f"{model.title}, licence {model.licence}: {model.advisory}")
            transfer = Transfer(f"copying {model.name}", model.size)
            try:
                entry = take_model(kit, model, folder, replaces=replaces, report=transfer.show)
            finally:
                diagnostics.clear_progress()
            _line(f"{model.name} is installed: {model.title}, {amount(model.size)}, {entry.path}", as_json)
        else:
            _line(f"{model.name} is here already", as_json)
        models.append(installed_data(entry))
    adapters = take_adapters(kit, manifest)
    for adapter in adapters:
        _line(f"{adapter.record.expert} has an adapter for {adapter.record.base_name}", as_json)
    if as_json:
        experts = [adapter.record.expert for adapter in adapters]
        output.write_success("models import", {"models": models, "experts": experts})
    return 0


def _line(text: str, as_json: bool) -> None:
    if not as_json:
        output.write_line(text)
