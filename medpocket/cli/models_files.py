"""`medpocket models import`, `verify`, `remove` and `path`: models as files."""

from pathlib import Path

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.model_names import complete_name
from medpocket.cli.tables import json_option
from medpocket.cli.transfer import Transfer
from medpocket.errors import InputError
from medpocket.models.installed import installed_models, machine_folder, own_folder
from medpocket.models.locate import installed_named, locate_model
from medpocket.models.pace import amount
from medpocket.models.remove import remove_model
from medpocket.registry import load_registry


@click.command("import")
@click.argument("path", metavar="PATH|DIR|KIT", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="The name to keep it under; default: its id, or one made from its file.")
@click.option("--link", is_flag=True, help="Use the file where it lies: nothing is copied, and it must stay there.")
@click.option("--replace", "replaces", is_flag=True, help="Take it in the place of the one of this name.")
@click.option("--machine", is_flag=True, help="For every user: into the machine's folder of models.")
@json_option
def import_command(path: Path, name: str | None, link: bool, replaces: bool, machine: bool, as_json: bool) -> int:
    """Take a model from a stick or a share, with no network.

    A model of the registry is recognised by its shape, its quantization and its name; any other GGUF model is kept
    under a name of its own. The copy is hashed while it is made, and compared with the hash that came with the file:
    that of the models folder it was copied from, a SHA256SUMS, or a FILE.sha256. Of a KIT (medpocket bundle) all models
    and adapters are taken that are not here, each under its own name.
    """
    from medpocket.kit.manifest import is_kit
    from medpocket.models.import_files import import_model, name_for
    from medpocket.models.import_source import read_source

    path = path.expanduser()
    if is_kit(path):
        from medpocket.cli.models_kit import import_kit

        if name or link:
            raise InputError("the models of a kit are copied, under their own names", "leave out --name and --link")
        return import_kit(path, machine_folder() if machine else own_folder(), replaces=replaces, as_json=as_json)
    registry = load_registry()
    source = read_source(path, registry)
    called, spec = name_for(source, registry, name)
    if spec and spec.advisory:
        diagnostics.notice(f"{spec.title}, licence {spec.licence}: {spec.advisory}")
    folder = machine_folder() if machine else own_folder()
    transfer = Transfer(f"{'reading' if link else 'copying'} {source.paths[0].name}", source.size)
    try:
        entry = import_model(source, called, spec, folder, link=link, replaces=replaces, report=transfer.show)
    finally:
        diagnostics.clear_progress()
    if not source.expected:
        diagnostics.notice("no hash came with the file: it is recorded as it is, and verified against that from now on")
    if as_json:
        from medpocket.cli.models_list import installed_data

        output.write_success("models import", installed_data(entry))
    else:
        kind = spec.title if spec else "a model of your own"
        output.write_line(f"{called} is installed: {kind}, {amount(entry.record.size)}, {entry.path}")
    return 0


@click.command("verify")
@click.argument("names", metavar="[ID]...", nargs=-1, shell_complete=complete_name)
@json_option
def verify_command(names: tuple[str, ...], as_json: bool) -> int:
    """Read every file of the models, or of those named, and compare its SHA-256 with the record.

    A damaged file is named, set aside and never loaded. Exits with 1 when there is one.
    """
    entries = [installed_named(name, load_registry()) for name in names] or installed_models()
    rows = []
    for entry in entries:
        transfer = Transfer(f"reading {entry.record.name}", entry.record.size)
        try:
            problems = entry.verify(transfer.show)
        finally:
            diagnostics.clear_progress()
        rows.append({"name": entry.record.name, "path": str(entry.path), "problems": problems})
        if not as_json:
            output.write_line(f"{entry.record.name}: {'; '.join(problems) or 'good'}")
    if as_json:
        output.write_success("models verify", {"models": rows})
    elif not rows:
        output.write_line("no model is installed; the demonstration model is part of MedPocket")
    return 1 if any(row["problems"] for row in rows) else 0


@click.command("remove")
@click.argument("name", metavar="ID", shell_complete=complete_name)
@json_option
def remove_command(name: str, as_json: bool) -> int:
    """Delete a model, what is left of an unfinished download of it too. Files that were linked stay where they are."""
    record = remove_model(name, load_registry())
    if as_json:
        output.write_success("models remove", {"removed": name, "size": record.size if record else 0})
    else:
        freed = f", {amount(record.size)}" if record and not record.linked else ""
        output.write_line(f"removed {name}{freed}")
    return 0


@click.command("path")
@click.argument("name", metavar="[ID]", required=False, shell_complete=complete_name)
@json_option
def path_command(name: str | None, as_json: bool) -> int:
    """Print where a model's file is; without ID, the folder of models."""
    path = locate_model(name, load_registry()).path if name else own_folder().path
    if as_json:
        output.write_success("models path", {"path": str(path)})
    else:
        output.write_line(str(path))
    return 0
