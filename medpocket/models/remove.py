"""Delete a model, or what is left of an unfinished download of one."""

from medpocket.errors import InputError
from medpocket.models.installed import delete_folder, find_installed, own_folder
from medpocket.models.locate import not_installed
from medpocket.models.records import Record
from medpocket.registry import Registry


def remove_model(name: str, registry: Registry) -> Record | None:
    """Delete the user's model of this name, not files that were linked; return its record where it had one.

    Raises InputError for what cannot be removed, UnknownNameError, ModelFileError for the record, and OSError.
    """
    spec, folder = registry.models.get(name), own_folder()
    if spec and spec.asset:
        raise InputError(f"{name} is a part of MedPocket", "it cannot be removed")
    entry = next((one for one in folder.entries() if one.record.name == name), None)
    unfinished = folder.path / name
    if entry:
        entry.remove()
        return entry.record
    if spec and unfinished.is_dir():
        delete_folder(unfinished)
        return None
    if find_installed(name):
        raise InputError(f"{name} belongs to the machine's models", "whoever administers them can remove it")
    raise not_installed(name, registry)
