"""What `medpocket doctor` looks at: everything is looked at once, and judged elsewhere."""

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from medpocket import __version__, paths
from medpocket.config import Settings, load_settings
from medpocket.errors import EngineError, MedpocketError, ModelFileError
from medpocket.lockdown import network_is_refused
from medpocket.models.accelerators import Accelerator
from medpocket.models.gguf_check import check_model_file
from medpocket.models.hardware import Machine, cgroup_cores, describe_machine
from medpocket.models.installed import installed_models
from medpocket.models.judged import Judged, judge, tensor_types
from medpocket.models.locate import default_model, installed_file, locate_model
from medpocket.models.rates_file import read_rates
from medpocket.models.shape import ModelShape, shape_of
from medpocket.models.speed import MachineRates
from medpocket.models.surroundings import free_disk_bytes
from medpocket.registry import Registry, load_registry

PACKAGES = (
    "llama-cpp-python",
    "textual",
    "sqlite-utils",
    "huggingface-hub",
    "platformdirs",
    "psutil",
    "click",
    "gguf",
)
READ_ONLY = ("machine", "assets")


@dataclass(frozen=True)
class Here:
    """A model that is here, by its id or name; `error` is why it cannot be used, and then it has no shape."""

    name: str
    path: Path
    shape: ModelShape | None
    error: MedpocketError | None


@dataclass(frozen=True)
class Facts:
    """What there is. `broken` is what is wrong with the settings or the registry, which then are None.

    `versions` has None for a package that is missing; `llama_error` is why llama.cpp cannot be loaded.
    """

    versions: Mapping[str, str | None]
    machine: Machine
    folders: Mapping[str, Path]
    offline: bool
    registry: Registry | None = None
    settings: Settings | None = None
    broken: MedpocketError | None = None
    chosen: str | None = None
    chosen_error: MedpocketError | None = None
    installed: tuple[Here, ...] = ()
    judged: Judged | None = None
    rates: MachineRates | None = None
    accelerators: tuple[Accelerator, ...] = ()
    compiled_with: str = ""
    llama_error: str | None = None
    disk_free: int | None = None
    core_limit: float | None = None


def gather(*, measure: bool = True) -> Facts:
    """Look at everything; no model is loaded, and nothing that is wrong raises.

    Without `measure` the speed of this machine is what was measured before, else not known.
    """
    machine = describe_machine()
    registry, settings, broken = _read_settings()
    llama_error, devices, compiled_with = _llama(machine)
    chosen: str | None = None
    installed: tuple[Here, ...] = ()
    if registry and settings:
        try:
            chosen, installed = default_model(registry, settings.model), tuple(_here(registry))
        except ModelFileError as error:  # the record of the models cannot be read
            broken = error
    one = next((one for one in installed if one.name == chosen), None)
    spec = registry.models.get(chosen) if registry and chosen else None
    rates = read_rates(machine)
    if measure and one and one.shape and not llama_error:
        rates = _measured(one.shape, machine)
    return Facts(
        versions={"medpocket": __version__, "python": platform.python_version(), **_versions()},
        machine=machine,
        folders={
            "config": paths.config_folder(),
            "data": paths.data_folder(),
            "models": paths.models_folder(),
            "cache": paths.cache_folder(),
            "log": paths.log_folder(),
            "machine": paths.machine_config_folder(),
            "assets": paths.assets_folder(),
        },
        offline=network_is_refused(),
        registry=registry,
        settings=settings,
        broken=broken,
        chosen=chosen,
        chosen_error=_cannot_be_located(chosen, registry),
        installed=installed,
        judged=judge(spec, one.shape, machine, devices, rates) if spec and one and one.shape else None,
        rates=rates,
        accelerators=devices,
        compiled_with=compiled_with,
        llama_error=llama_error,
        disk_free=free_disk_bytes(paths.models_folder()),
        core_limit=cgroup_cores(),
    )


def can_write(folder: Path) -> bool:
    """Tell whether the folder, or the nearest of its parents that exists, can be written."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _read_settings() -> tuple[Registry | None, Settings | None, MedpocketError | None]:
    try:
        return load_registry(), load_settings(), None
    except MedpocketError as error:
        return None, None, error


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _llama(machine: Machine) -> tuple[str | None, tuple[Accelerator, ...], str]:
    try:
        from medpocket.engine.devices import accelerators
        from medpocket.engine.system import system_features

        return None, accelerators(jetson=machine.jetson is not None), system_features()
    except EngineError as error:
        return error.message, (), ""
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return type(error).__name__, (), ""


def _here(registry: Registry) -> Iterator[Here]:
    """What MedPocket brings, and what is recorded, each compared with its record. Raises ModelFileError."""
    for spec in registry.models.values():
        path = installed_file(spec) if spec.asset else None
        if path:
            yield _looked_at(spec.id, path, lambda: None)
    for entry in installed_models():
        yield _looked_at(entry.record.name, entry.path, entry.check)


def _looked_at(name: str, path: Path, check: Callable[[], None]) -> Here:
    try:
        check()
        return Here(name, path, shape_of(check_model_file(path)), None)
    except MedpocketError as error:
        return Here(name, path, None, error)


def _cannot_be_located(chosen: str | None, registry: Registry | None) -> MedpocketError | None:
    if not chosen or not registry:
        return None
    try:
        path = locate_model(chosen, registry).path
        if chosen not in registry.models:
            check_model_file(path)
        return None
    except MedpocketError as error:
        return error


def _measured(shape: ModelShape, machine: Machine) -> MachineRates | None:
    from medpocket.engine.probe import machine_rates

    try:
        return machine_rates(tensor_types([shape]), machine)
    except (MedpocketError, OSError, AttributeError):
        return None
