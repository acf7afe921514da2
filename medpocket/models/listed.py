"""All models in the order in which they are shown: those of the registry, then those of the user's own."""

from dataclasses import dataclass

from medpocket.models.installed import Installed, installed_models, own_folder
from medpocket.models.locate import installed_file
from medpocket.models.pace import amount
from medpocket.models.part_file import bytes_kept
from medpocket.registry import ModelSpec, Registry


@dataclass(frozen=True)
class Listed:
    """A model: its row of the registry, its record where it is installed, or both. `state` is in words."""

    id: str
    spec: ModelSpec | None
    entry: Installed | None
    size: int | None
    state: str

    @property
    def title(self) -> str:
        return self.spec.title if self.spec else "your own"

    @property
    def licence(self) -> str:
        return (self.spec.licence if self.spec else self.entry.record.licence if self.entry else None) or "not stated"

    @property
    def size_words(self) -> str:
        """Its size, an estimate where it is not here, '' where nobody knows."""
        if self.size:
            return amount(self.size)
        estimate = self.spec.size_gb_estimate if self.spec else None
        return f"about {estimate:g} GB" if estimate else ""


def list_models(registry: Registry) -> list[Listed]:
    """Every model. Raises ModelFileError where a record cannot be read."""
    installed = {entry.record.name: entry for entry in reversed(installed_models())}  # the user's own goes first
    rows = [_of_registry(spec, installed.get(spec.id)) for spec in registry.models.values()]
    return rows + [
        Listed(name, None, entry, entry.record.size, installed_state(entry))
        for name, entry in installed.items()
        if name not in registry.models
    ]


def installed_state(entry: Installed) -> str:
    """Say whether a recorded model is whole, and where it lies."""
    if entry.record.damaged:
        return "damaged"
    where = "for all users" if entry.folder.shared else "linked" if entry.record.linked else ""
    return f"installed, {where}" if where else "installed"


def bytes_arrived(spec: ModelSpec) -> tuple[int, int] | None:
    """Of an unfinished download of the model, the bytes that are here and those of the file that they belong to."""
    for part in (own_folder().path / spec.id).glob("*.part"):
        kept = bytes_kept(part.with_suffix(""))
        if kept:
            return kept
    return None


def _of_registry(spec: ModelSpec, entry: Installed | None) -> Listed:
    size = entry.record.size if entry else None
    path = installed_file(spec) if spec.asset else None
    if path:
        size = path.stat().st_size
    return Listed(spec.id, spec, entry, size, _state(spec, entry))


def _state(spec: ModelSpec, entry: Installed | None) -> str:
    if entry:
        return installed_state(entry)
    if spec.asset:
        return "with MedPocket"
    if not spec.runs_here:
        return "does not run here"
    kept = bytes_arrived(spec)
    return f"unfinished: {amount(kept[0])} of {amount(kept[1])}" if kept else "not installed"
