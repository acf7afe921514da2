"""The models, as the Models screen shows them, and what it does with them."""

from dataclasses import dataclass

from medpocket.config import LARGEST_CONTEXT_UNASKED, load_settings
from medpocket.engine import accelerators_if_known
from medpocket.errors import InputError, MedpocketError
from medpocket.models.accelerators import Accelerator
from medpocket.models.described import describe_model
from medpocket.models.fit import Fit, fit_model
from medpocket.models.gguf_check import check_model_file
from medpocket.models.gguf_reader import read_gguf
from medpocket.models.hardware import Machine, describe_machine
from medpocket.models.judged import Judged, judge, shape_here
from medpocket.models.listed import Listed, bytes_arrived, list_models
from medpocket.models.locate import default_model, installed_named, locate_model
from medpocket.models.memory import gigabytes
from medpocket.models.pace import amount
from medpocket.models.rates_file import read_rates
from medpocket.models.remove import remove_model
from medpocket.models.shape import shape_of
from medpocket.registry import load_registry
from medpocket.tui.services.transfers import Task, Transfers


@dataclass(frozen=True)
class ModelRow:
    """A model in one line. `is_here`: it can be loaded; `state` says so in words."""

    id: str
    title: str
    quantization: str
    size: str
    fit: str
    state: str
    is_here: bool


def rows() -> list[ModelRow]:
    """Every model: the registry's, then the user's own. Raises SettingsError, and ModelFileError for a record."""
    registry, machine = load_registry(), describe_machine()
    accelerators = accelerators_if_known(machine)
    return [_row(model, machine, accelerators) for model in list_models(registry)]


def _row(model: Listed, machine: Machine, accelerators: tuple[Accelerator, ...]) -> ModelRow:
    spec, entry = model.spec, model.entry
    if spec:
        quantization, fit = spec.quantization, _judged_words(judge(spec, shape_here(spec), machine, accelerators))
    else:
        quantization, fit = _own(model, machine, accelerators)
    arrived = bytes_arrived(spec) if spec and not entry else None
    return ModelRow(
        id=model.id,
        title=model.title if spec else model.id,
        quantization=quantization,
        size=model.size_words.replace("about ", "~"),
        fit=fit,
        state=f"unfinished, {arrived[0] / arrived[1]:.0%}" if arrived else model.state,
        is_here=bool(spec and spec.asset) or bool(entry and not entry.record.damaged),
    )


def _own(model: Listed, machine: Machine, accelerators: tuple[Accelerator, ...]) -> tuple[str, str]:
    """Quantization and fit of a model that is none of the registry's, as its file has them."""
    assert model.entry
    try:
        gguf = read_gguf(model.entry.path)
        context = min(gguf.trained_context or LARGEST_CONTEXT_UNASKED, LARGEST_CONTEXT_UNASKED)
        fit = fit_model(shape_of(gguf), machine, accelerators, context=context)
    except (MedpocketError, OSError):  # damaged, or gone: its state and its details say so
        return "", "not known"
    return gguf.file_type or "", _fit_words(fit)


def _judged_words(judged: Judged) -> str:
    if not judged.spec.runs_here:
        return "no"
    if judged.fit:
        return _fit_words(judged.fit)
    if judged.memory_bytes is None:
        return "not known"
    return f"{'yes' if judged.fits else 'no'}, {gigabytes(judged.memory_bytes)}"


def _fit_words(fit: Fit) -> str:
    layers = f", {fit.gpu_layers} layers on GPU" if fit.fits and fit.gpu_layers else ""
    return f"{'yes' if fit.fits else 'no'}, {gigabytes(fit.total_bytes)}{layers}"


def details(name: str) -> list[tuple[str, str]]:
    """All about a model; its file is checked. Raises SettingsError, UnknownNameError, ModelFileError (the record)."""
    registry, machine = load_registry(), describe_machine()
    found = describe_model(name, registry, accelerators_if_known)
    spec = found.spec
    lines = [(spec.title if spec else name, "")]
    judged = None
    if spec and spec.runs_here:
        rates = read_rates(machine)  # as they were measured before: a model may be at work now
        judged = judge(spec, shape_here(spec), machine, accelerators_if_known(machine), rates)
    if judged and not judged.installed and judged.memory_bytes:
        free = gigabytes(machine.memory.available_bytes)
        fits = "fits" if judged.fits else "does NOT fit"
        lines.append(("this machine", f"it {fits}: needs about {gigabytes(judged.memory_bytes)}, {free} free"))
    if judged and judged.speed:
        speed = judged.speed
        lines.append(("speed", f"about {speed.prefill:,.0f} tokens a second read, {speed.decode:,.1f} written"))
    if name == default_model(registry, load_settings().model):
        lines.append(("at the start", "answers when MedPocket is opened"))
    return lines + found.lines


def check_loadable(name: str) -> None:
    """Compare the model with its record and check its file, before the one that answers makes way for it.

    Raises UnknownNameError and ModelFileError.
    """
    check_model_file(locate_model(name, load_registry()).path)


def removal(name: str) -> str:
    """Say what removing the model would do. Raises InputError, UnknownNameError and ModelFileError."""
    registry = load_registry()
    spec = registry.models.get(name)
    arrived = bytes_arrived(spec) if spec else None
    if arrived and spec and not any(one.entry for one in list_models(registry) if one.id == name):
        return f"{amount(arrived[0])} of {amount(arrived[1])} have come. They are deleted."
    if spec and spec.asset:
        raise InputError(f"{name} is a part of MedPocket", "it cannot be removed")
    entry = installed_named(name, registry)
    if entry.folder.shared:
        raise InputError(f"{name} belongs to the machine's models", "whoever administers them can remove it")
    if entry.record.linked:
        return f"MedPocket forgets it. Its file stays where it is: {entry.path}"
    return f"{amount(entry.record.size)} are deleted: {entry.path}"


def remove(name: str) -> str:
    """Delete a model, and say what was freed. Raises InputError, UnknownNameError, ModelFileError and OSError."""
    record = remove_model(name, load_registry())
    return f"{name} is removed" + (f", {amount(record.size)} freed" if record and not record.linked else "")


def verify(transfers: Transfers, name: str) -> None:
    """Begin to read all of a model's files. Raises InputError, UnknownNameError and ModelFileError."""
    registry = load_registry()
    if name in registry.models and registry.models[name].asset:
        raise InputError(f"{name} is a part of MedPocket, and has no record", "F8 looks at it")
    entry = installed_named(name, registry)

    def work(task: Task) -> str:
        problems = entry.verify(task.reached)
        if problems:
            raise MedpocketError(f"{name}: {'; '.join(problems)}", "get it anew: it is not loaded as it is")
        return f"{name}: good, as it was recorded"

    stopped = f"{name}: not read to its end"
    transfers.begin(Task(name, "reading", entry.record.size, writes=False, when_stopped=stopped), work)
