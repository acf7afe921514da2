"""What a kit is made of, found and checked before anything is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import InputError, KitError
from medpocket.experts.library import Entry, Library
from medpocket.kit.platforms import Platform
from medpocket.kit.wheels import Wheel, choose, oldest_glibc, wheels_in
from medpocket.models.installed import Installed, find_installed
from medpocket.registry import ExpertSpec, Registry

_LLAMA = "llama-cpp-python"
# libggml-cpu-haswell.so, libggml-cpu-armv8.2_1.so: one for each kind of processor.
_CPU_VARIANT = re.compile(r"ggml-cpu-[\w.]+\.(so|dll)$")
_CUDA = "ggml-cuda"


@dataclass(frozen=True)
class Chosen:
    """A model of the kit. `installed` are its files; None for the one that is in MedPocket's own wheel."""

    title: str
    licence: str
    advisory: str | None
    installed: Installed | None


@dataclass(frozen=True)
class Contents:
    """`wheels` are those of all Pythons, by file name; `adapters` were added here, and are not in MedPocket's wheel."""

    platform: Platform
    pythons: tuple[str, ...]
    wheels: tuple[Wheel, ...]
    glibc: str | None
    room: int
    models: tuple[Chosen, ...]
    experts: tuple[ExpertSpec, ...]
    adapters: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes that the kit will have, but for its texts."""
        return (
            sum(wheel.path.stat().st_size for wheel in self.wheels)
            + sum(model.installed.record.size for model in self.models if model.installed)
            + sum(adapter.record.size for adapter in self.adapters)
        )

    def wheel(self, name: str) -> Wheel:
        return next(one for one in self.wheels if one.name == name)


def gather(
    platform: Platform,
    pythons: Sequence[str],
    folder: Path,
    models: Sequence[str],
    experts: Sequence[str] | None,
    registry: Registry,
) -> Contents:
    """Find everything that the kit needs; `experts` None stands for all. Raises KitError, InputError, ModelError."""
    found = wheels_in(folder)
    sets = {python: choose(found, platform, python) for python in pythons}
    wheels = {wheel.path.name: wheel for chosen in sets.values() for wheel in chosen.values()}
    for chosen in sets.values():
        _check_llama(chosen[_LLAMA], platform)
    named = [registry.expert(name) for name in experts] if experts is not None else list(registry.experts.values())
    wanted = {one.id for one in named}
    return Contents(
        platform=platform,
        pythons=tuple(pythons),
        wheels=tuple(wheel for _, wheel in sorted(wheels.items())),
        glibc=oldest_glibc(list(wheels.values())) if platform.system == "linux" else None,
        room=max(_room(list(chosen.values())) for chosen in sets.values()),
        models=tuple(_model(name, registry) for name in models),
        experts=tuple(named),
        adapters=tuple(one for one in Library().entries() if not one.shipped and one.record.expert in wanted),
    )


def _model(name: str, registry: Registry) -> Chosen:
    """A model of the registry, or another one that was imported here. Raises InputError and ModelFileError."""
    installed = find_installed(name)
    spec = registry.models.get(name) if installed else registry.model(name)
    if spec is not None and spec.asset:
        return Chosen(spec.title, spec.licence, spec.advisory, None)
    if spec is not None and not spec.runs_here:
        raise InputError(f"{spec.title} does not run in MedPocket", spec.runtime_note or "choose another model")
    if installed is None:
        raise InputError(f"{name} is not installed, so it cannot be put into a kit", f"`medpocket models pull {name}`")
    installed.check()
    licence = installed.record.licence or (spec.licence if spec else "not stated")
    return Chosen(spec.title if spec else name, licence, spec.advisory if spec else None, installed)


def _check_llama(wheel: Wheel, platform: Platform) -> None:
    """Raise KitError for llama.cpp compiled for another kind of machine than the platform is."""
    names = wheel.names()
    if platform.portable and not any(_CPU_VARIANT.search(name) for name in names):
        raise KitError(
            f"{wheel.path.name} has code for the processor alone that it was compiled on",
            f"build the portable one for {platform.title}: docs/kit.md",
        )
    if platform.cuda and not any(_CUDA in name for name in names):
        raise KitError(f"{wheel.path.name} was compiled without CUDA", f"build it on {platform.title}: docs/kit.md")


def _room(wheels: list[Wheel]) -> int:
    """Bytes on the disk of the installed program: the files, their compiled forms, and the files once more while pip
    unpacks them. The factor is that of the linux-x86_64 kit as it was measured, rounded up.
    """
    return int(sum(wheel.unpacked for wheel in wheels) * 1.5)
