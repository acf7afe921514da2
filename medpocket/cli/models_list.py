"""`medpocket models list` and `show`: what there is, and what is known of it."""

from dataclasses import asdict
from typing import Any

import click

from medpocket.cli import output
from medpocket.cli.model_names import complete_name
from medpocket.cli.tables import json_option, table
from medpocket.cli.transfer import gigabytes
from medpocket.errors import MedpocketError, UnknownNameError
from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_kinds import shown
from medpocket.models.installed import Installed, installed_models, own_folder, strays
from medpocket.models.locate import default_model, installed_file
from medpocket.registry import ModelSpec, Registry, load_registry

_LABEL_WIDTH = 14
_TEMPLATE_LENGTH = 200


@click.command("list")
@json_option
def list_command(as_json: bool) -> int:
    """List the models: those of the registry and those of your own."""
    registry, installed = load_registry(), {entry.record.name: entry for entry in reversed(installed_models())}
    default = _default(registry)
    rows = [_row(spec, installed.get(spec.id), default) for spec in registry.models.values()]
    rows += [_own_row(entry, default) for name, entry in installed.items() if name not in registry.models]
    loose = [str(path) for path in strays(own_folder())]
    if as_json:
        output.write_success("models list", {"models": rows, "not_recorded": loose, "default_model": default})
        return 0
    cells = [("", "ID", "MODEL", "SIZE", "STATE", "LICENCE")]
    for row in rows:
        mark = "*" if row["id"] == default else ""
        cells.append((mark, row["id"], row["title"], _size(row), row["state"], row["licence"] or "not stated"))
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


def _row(spec: ModelSpec, entry: Installed | None, default: str) -> dict[str, Any]:
    size = entry.record.size if entry else None
    path = installed_file(spec)
    if spec.asset and path:
        size = path.stat().st_size
    return {
        "id": spec.id,
        "title": spec.title,
        "size": size,
        "size_gb_estimate": spec.size_gb_estimate,
        "state": _state(spec, entry),
        "licence": spec.licence,
        "default": spec.id == default,
        "runs_here": spec.runs_here,
        "installed": installed_data(entry) if entry else None,
    }


def _own_row(entry: Installed, default: str) -> dict[str, Any]:
    record = entry.record
    return {
        "id": record.name,
        "title": "your own",
        "size": record.size,
        "size_gb_estimate": None,
        "state": _installed_state(entry),
        "licence": record.licence,
        "default": record.name == default,
        "runs_here": True,
        "installed": installed_data(entry),
    }


def _state(spec: ModelSpec, entry: Installed | None) -> str:
    if entry:
        return _installed_state(entry)
    if spec.asset:
        return "with MedPocket"
    if not spec.runs_here:
        return "does not run here"
    done = _unfinished(spec)
    return f"unfinished: {done}" if done else "not installed"


def _installed_state(entry: Installed) -> str:
    if entry.record.damaged:
        return "damaged"
    where = "for all users" if entry.folder.shared else "linked" if entry.record.linked else ""
    return f"installed, {where}" if where else "installed"


def _unfinished(spec: ModelSpec) -> str | None:
    from medpocket.models.part_file import bytes_kept

    for part in (own_folder().path / spec.id).glob("*.part"):
        kept = bytes_kept(part.with_suffix(""))
        if kept:
            return f"{gigabytes(kept[0])} of {gigabytes(kept[1])}"
    return None


def _size(row: dict[str, Any]) -> str:
    if row["size"]:
        return gigabytes(row["size"])
    return f"about {row['size_gb_estimate']:g} GB" if row["size_gb_estimate"] else ""


def installed_data(entry: Installed) -> dict[str, Any]:
    """An installed model as plain values."""
    return asdict(entry.record) | {"path": str(entry.path), "size": entry.record.size, "machine": entry.folder.shared}


@click.command("show")
@click.argument("name", metavar="ID", shell_complete=complete_name)
@json_option
def show_command(name: str, as_json: bool) -> int:
    """Say all that is known about a model: its file, its template, its licence, where it comes from."""
    registry = load_registry()
    entry = next((one for one in installed_models() if one.record.name == name), None)
    spec = registry.models.get(name)
    if spec is None and entry is None:
        known = [*registry.models, *(one.record.name for one in installed_models())]
        raise UnknownNameError("model", name, known, "`medpocket models list` lists them")
    gguf, problem = _read(spec, entry)
    lines = [*_registry_lines(spec), *_record_lines(entry), *_file_lines(gguf, spec)]
    if problem:
        lines.append(("problem", f"{problem.message}; {problem.hint}"))
    if as_json:
        data = {"id": name, "installed": installed_data(entry) if entry else None, "about": dict(lines)}
        output.write_success("models show", data)
        return 0
    output.write_line(f"{spec.title if spec else 'a model of your own'} ({name})")
    for label, text in lines:
        output.write_line(f"{label:<{_LABEL_WIDTH}}{text}")
    return 0


def _read(spec: ModelSpec | None, entry: Installed | None) -> tuple[GgufFile | None, MedpocketError | None]:
    from medpocket.models.gguf_check import check_model_file

    try:
        if entry:
            entry.check()
        path = entry.path if entry else installed_file(spec) if spec else None
        return (check_model_file(path) if path else None), None
    except MedpocketError as error:
        return None, error


def _registry_lines(spec: ModelSpec | None) -> list[tuple[str, str]]:
    if spec is None:
        return []
    accuracy = spec.accuracy
    scores = ", ".join(f"{name} {score:g}" for name, score in accuracy.scores.items()) if accuracy else ""
    setting = f" ({accuracy.setting})" if accuracy and accuracy.setting else ""
    file = spec.file or (f"whatever matches {spec.file_pattern}" if spec.file_pattern else "")
    lines = [
        ("model", f"{spec.architecture}, {spec.parameters}, {spec.quantization}"),
        ("licence", spec.licence),
        ("advisory", spec.advisory),
        ("runs", spec.runtime_note if not spec.runs_here else None),
        ("memory", f"about {spec.memory_gb_estimate:g} GB: {spec.memory_basis}" if spec.memory_gb_estimate else None),
        ("published", f"{scores}{setting}" if scores else None),
        ("hub", f"{spec.repository}, {file}" if spec.repository and file else spec.repository),
        ("note", spec.note),
    ]
    return [(label, text) for label, text in lines if text]


def _record_lines(entry: Installed | None) -> list[tuple[str, str]]:
    if entry is None:
        return [("installed", "no")]
    record = entry.record
    origin = f"{record.source}, commit {record.commit}" if record.commit and record.origin == "pull" else record.source
    lines = [
        ("installed", f"{_installed_state(entry)}, {record.added}"),
        ("from", f"{record.origin}: {origin}"),
        ("path", str(entry.path)),
        ("size", f"{record.size:,} bytes in {len(record.files)} file{'s' if len(record.files) > 1 else ''}"),
    ]
    return lines + [("SHA-256", f"{file.sha256} {file.name}") for file in record.files]


def _file_lines(gguf: GgufFile | None, spec: ModelSpec | None) -> list[tuple[str, str]]:
    if gguf is None:
        return []
    from medpocket.engine.devices import accelerators
    from medpocket.models.fit import fit_model
    from medpocket.models.hardware import describe_machine
    from medpocket.models.shape import shape_of

    context = min(gguf.trained_context or 2048, spec.trained_context if spec else 2048)
    machine = describe_machine()
    fit = fit_model(shape_of(gguf), machine, accelerators(jetson=machine.jetson is not None), context=context)
    in_file = f"in the file: {shown(gguf.chat_template, _TEMPLATE_LENGTH)}" if gguf.chat_template else None
    template = in_file or (f"{spec.prompt}, of the registry" if spec else "none")
    return [
        ("name in file", shown(gguf.name or "none")),
        ("architecture", f"{shown(gguf.architecture or '')}, {gguf.parameters / 1e9:.2f} billion parameters"),
        ("layers", f"{gguf.block_count} of {gguf.embedding_length}, vocabulary {gguf.vocabulary_size or 0:,}"),
        ("quantization", gguf.file_type or "not stated"),
        ("context", f"{gguf.trained_context or 0:,} tokens in the file"),
        ("template", template),
        (
            "fits",
            f"{'yes' if fit.fits else 'no'}: {gigabytes(fit.host_bytes)} for {context:,} tokens, "
            f"{gigabytes(fit.available_bytes)} free",
        ),
    ]
