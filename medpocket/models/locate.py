"""From what the user names, an id or a path, to a file."""

from dataclasses import dataclass
from pathlib import Path

from medpocket import paths
from medpocket.errors import ModelFileError, UnknownNameError
from medpocket.registry import ModelSpec, Registry


@dataclass(frozen=True)
class LocatedModel:
    """A model's file, and its row in the registry where it has one."""

    path: Path
    spec: ModelSpec | None


def locate_model(name: str, registry: Registry) -> LocatedModel:
    """Find the model with this id, or the file at this path.

    A file that has the name of a registry row's file is taken for that model, wherever it lies.
    Raises ModelFileError (not installed, or no such file) and UnknownNameError.
    """
    if name in registry.models:
        spec = registry.models[name]
        path = installed_file(spec)
        if path is None:
            raise ModelFileError(f"{spec.title} is not installed", _how_to_install(spec))
        return LocatedModel(path, spec)
    path = Path(name).expanduser()
    if name and (path.exists() or path.suffix == ".gguf" or len(path.parts) > 1):
        spec_by_file = {Path(spec.file).name: spec for spec in registry.models.values() if spec.file}
        return LocatedModel(path, spec_by_file.get(path.name))
    raise UnknownNameError("model", name, registry.models, "`medpocket doctor` lists the models; a path works too")


def installed_file(spec: ModelSpec) -> Path | None:
    """Return where the model's file lies, None when it is not on this machine."""
    if spec.asset:
        path = paths.assets_folder() / spec.asset
    elif spec.file:
        path = paths.models_folder() / Path(spec.file).name
    else:
        return None
    return path if path.exists() else None


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
    if spec.asset:
        return "a part of MedPocket itself is missing: install it again"
    if not spec.file:
        return f"get a GGUF file of it from {spec.repository}, and give its path with -m"
    return f"put {spec.file} of {spec.repository} into {paths.models_folder()}, or give its path with -m"
