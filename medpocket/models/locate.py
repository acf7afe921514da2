"""From what the user names, an id or a path, to a file."""

from dataclasses import dataclass
from pathlib import Path

from medpocket import paths
from medpocket.errors import InputError, ModelFileError, UnknownNameError
from medpocket.models.installed import Installed, find_installed, installed_models
from medpocket.models.records import NAME
from medpocket.registry import ModelSpec, Registry


@dataclass(frozen=True)
class LocatedModel:
    """A model's file, and its row in the registry where it has one. `sha256` is its recorded hash, or empty."""

    path: Path
    spec: ModelSpec | None
    sha256: str = ""


def locate_model(name: str, registry: Registry) -> LocatedModel:
    """Find the model with this id, the installed one of this name, or the file at this path.

    An installed model is compared with its record: size, time and fingerprint. A file that has the name of a registry
    row's file is taken for that model, wherever it lies.
    Raises ModelFileError (not installed, not as recorded, or no such file) and UnknownNameError.
    """
    spec = registry.models.get(name)
    if spec and spec.asset:
        return LocatedModel(_shipped(spec), spec)
    installed = find_installed(name) if NAME.fullmatch(name) else None
    if installed:
        installed.check()
        return LocatedModel(installed.path, spec, installed.record.files[0].sha256)
    if spec:
        raise ModelFileError(f"{spec.title} is not installed", _how_to_install(spec))
    path = Path(name).expanduser()
    if name and (path.exists() or path.suffix == ".gguf" or len(path.parts) > 1):
        return _at_path(path, registry)
    raise unknown_model(name, registry, "; a path works too")


def installed_named(name: str, registry: Registry) -> Installed:
    """Return the installed model of this name. Raises InputError, or UnknownNameError with the nearest."""
    entry = find_installed(name)
    if entry is None:
        raise not_installed(name, registry)
    return entry


def not_installed(name: str, registry: Registry) -> InputError:
    """An error that says how to get the model, or which one is the nearest. Raises ModelFileError for the record."""
    if name in registry.models:
        return InputError(f"{name} is not installed", f"`medpocket models pull {name}` gets it")
    return unknown_model(name, registry)


def unknown_model(name: str, registry: Registry, more: str = "") -> UnknownNameError:
    """An error that names the nearest model. Raises ModelFileError for the record."""
    known = [*registry.models, *(entry.record.name for entry in installed_models())]
    return UnknownNameError("model", name, known, f"`medpocket models list` lists them{more}")


def _at_path(path: Path, registry: Registry) -> LocatedModel:
    installed = _installed_at(path)
    if installed:
        installed.check()
        return LocatedModel(path, registry.models.get(installed.record.name), installed.record.files[0].sha256)
    spec_by_file = {Path(spec.file).name: spec for spec in registry.models.values() if spec.file}
    return LocatedModel(path, spec_by_file.get(path.name))


def _installed_at(path: Path) -> Installed | None:
    """The installed model that this very file belongs to."""
    try:
        return next((entry for entry in installed_models() if path.exists() and path.samefile(entry.path)), None)
    except OSError:
        return None


def installed_file(spec: ModelSpec) -> Path | None:
    """Return where the model's file lies, None when it is not on this machine. Raises ModelFileError for the record."""
    if spec.asset:
        path = paths.assets_folder() / spec.asset
        return path if path.exists() else None
    installed = find_installed(spec.id)
    return installed.path if installed else None


def _shipped(spec: ModelSpec) -> Path:
    path = installed_file(spec)
    if path is None:
        raise ModelFileError(
            f"{spec.title} is not installed", "a part of MedPocket itself is missing: install it again"
        )
    return path


def default_model(registry: Registry, configured: str | None) -> str:
    """Return the configured model, else the registry's default where it is installed, else the demonstration."""
    if configured:
        return configured
    default = registry.model(registry.default_model)
    if installed_file(default):
        return default.id
    return next((spec.id for spec in registry.models.values() if spec.demonstration), default.id)


def smaller_choice(registry: Registry, available_bytes: int) -> str:
    """Name the largest model of the registry that runs in so much memory, as far as the registry knows."""
    fitting = [
        spec
        for spec in registry.models.values()
        if spec.runs_here and spec.memory_gb_estimate and spec.memory_gb_estimate * 1e9 <= available_bytes
    ]
    if not fitting:
        return "close other programs, or show how it works with the demonstration model: -m demo"
    largest = max(fitting, key=lambda spec: spec.memory_gb_estimate or 0)
    return f"close other programs, or take {largest.title}, which needs about {largest.memory_gb_estimate:.1f} GB"


def _how_to_install(spec: ModelSpec) -> str:
    if spec.runtime_note:
        return spec.runtime_note
    file = f"{spec.file} of {spec.repository}" if spec.file else f"a GGUF file of it from {spec.repository}"
    return f"`medpocket models pull {spec.id}` gets it; or bring {file} on a stick: `medpocket models import PATH`"
