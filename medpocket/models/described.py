"""All that is known of a model, as labels and words for people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medpocket.errors import MedpocketError
from medpocket.models.accelerators import Accelerator
from medpocket.models.fit import fit_model
from medpocket.models.gguf_check import check_model_file
from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_kinds import shown
from medpocket.models.hardware import Machine, describe_machine
from medpocket.models.installed import Installed, find_installed
from medpocket.models.listed import installed_state
from medpocket.models.locate import installed_file, unknown_model
from medpocket.models.memory import gigabytes
from medpocket.models.shape import shape_of
from medpocket.registry import ModelSpec, Registry

_TEMPLATE_LENGTH = 200
_CONTEXT = 2048  # tokens, where neither the registry nor the file says what the model was trained for

Accelerators = Callable[[Machine], Sequence[Accelerator]]


@dataclass(frozen=True)
class Description:
    """A model's row of the registry, its record, and what there is to say of both and of its file."""

    spec: ModelSpec | None
    entry: Installed | None
    lines: list[tuple[str, str]]


def describe_model(name: str, registry: Registry, accelerators: Accelerators) -> Description:
    """Say all that is known of a model; its file is checked. Raises UnknownNameError and ModelFileError (the record).

    `accelerators` is asked for the graphics processors where there is a file.
    """
    entry, spec = find_installed(name), registry.models.get(name)
    if spec is None and entry is None:
        raise unknown_model(name, registry)
    gguf, problem = _read(spec, entry)
    lines = [*_registry_lines(spec), *_record_lines(entry, spec), *_file_lines(gguf, spec, accelerators)]
    if problem:
        lines.append(("problem", f"{problem.message}; {problem.hint}"))
    return Description(spec, entry, lines)


def _read(spec: ModelSpec | None, entry: Installed | None) -> tuple[GgufFile | None, MedpocketError | None]:
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


def _record_lines(entry: Installed | None, spec: ModelSpec | None) -> list[tuple[str, str]]:
    if entry is None:
        return [("installed", "with MedPocket" if spec and spec.asset else "no")]
    record = entry.record
    origin = f"{record.source}, commit {record.commit}" if record.commit and record.origin == "pull" else record.source
    lines = [
        ("installed", f"{installed_state(entry)}, {record.added}"),
        ("from", f"{record.origin}: {origin}"),
        ("path", str(entry.path)),
        ("size", f"{record.size:,} bytes in {len(record.files)} file{'s' if len(record.files) > 1 else ''}"),
    ]
    return lines + [("SHA-256", f"{file.sha256} {file.name}") for file in record.files]


def _file_lines(gguf: GgufFile | None, spec: ModelSpec | None, accelerators: Accelerators) -> list[tuple[str, str]]:
    if gguf is None:
        return []
    context = min(gguf.trained_context or _CONTEXT, spec.trained_context if spec else _CONTEXT)
    machine = describe_machine()
    fit = fit_model(shape_of(gguf), machine, accelerators(machine), context=context)
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
