"""Models that are to come: from the hub, through the one process that may reach it, or from a stick."""

from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import InputError
from medpocket.models.download import Line
from medpocket.models.hub_files import Found
from medpocket.models.import_files import import_model, name_for
from medpocket.models.import_source import ImportSource, read_source
from medpocket.models.installed import find_installed, own_folder
from medpocket.models.listed import bytes_arrived
from medpocket.models.pace import amount, duration
from medpocket.models.pull import Pulled, bytes_to_come, check_room, installed_already, look_up, pull, sought_for
from medpocket.models.surroundings import free_disk_bytes
from medpocket.registry import ModelSpec, load_registry
from medpocket.tui.services.transfers import Task, Transfers, busy


@dataclass(frozen=True)
class Offer:
    """What the hub has of a model. `text` is what the user must know; `is_accepted` whether there is nothing to ask."""

    spec: ModelSpec
    found: Found
    line: Line
    text: str
    is_accepted: bool


@dataclass(frozen=True)
class Brought:
    """A model that lies at a path, the name that it will have, and its row of the registry where it has one."""

    source: ImportSource
    name: str
    spec: ModelSpec | None
    text: str
    replaces: bool


def ask_hub(transfers: Transfers, name: str) -> Offer:
    """Look a model up at the hub. Raises InputError, DownloadError, DiskShortError and OSError."""
    spec, folder = load_registry().model(name), own_folder()
    going_on = transfers.of(name)
    if going_on:
        raise busy(going_on)
    sought_for(spec)  # what cannot be pulled is said before the network is touched
    line = Line.configured(None)
    found = look_up(spec, line)
    if installed_already(spec, found, folder, lambda entry: [""] if entry.record.damaged else []):
        raise InputError(f"{spec.title} is installed, as the hub has it", "Verify reads all of it")
    check_room(spec, found, folder, transfers.bytes_to_come())
    advisory = spec.advisory or ""
    accepted = folder.accepted(spec.id, spec.licence, advisory)
    return Offer(spec, found, line, _offer_text(spec, found), accepted and bytes_arrived(spec) is not None)


def _offer_text(spec: ModelSpec, found: Found) -> str:
    folder = own_folder()
    size, free = sum(file.size for file in found.files), free_disk_bytes(folder.path)
    to_come = bytes_to_come(spec, found, folder)
    still = f", {amount(to_come)} of it still to come" if to_come < size else ""
    names = ", ".join(file.name for file in found.files[:2]) + (", ..." if len(found.files) > 2 else "")
    return "\n".join(
        filter(
            None,
            (
                f"{names}, {amount(size)}{still}",
                f"from {found.repository}, commit {found.commit[:12]}",
                f"{amount(free)} free on the disk" if free is not None else "",
                f"licence: {spec.licence}",
                spec.advisory,
            ),
        )
    )


def download(transfers: Transfers, offer: Offer) -> None:
    """Begin to fetch what the hub offered, or go on with it; the licence counts as accepted. Raises InputError."""
    spec, found, folder = offer.spec, offer.found, own_folder()
    starts, size = {}, 0
    for file in found.files:
        starts[file.name] = size
        size += file.size

    def work(task: Task) -> str:
        folder.accept(spec.id, spec.licence, spec.advisory or "")
        for event in pull(spec, found, offer.line, folder, task.stop):
            if isinstance(event, Pulled):
                continue
            match event["event"]:
                case "progress":
                    task.reached(starts[event["file"]] + event["done"], event["doing"])
                case "waiting":
                    pause = f"; going on in {duration(event['seconds'])}" if "seconds" in event else "; waiting for it"
                    task.say(f"{event['reason']}{pause}")
                case "notice":
                    task.say(event["text"])
        return f"{spec.title} is installed and verified. Models, Enter: it answers"

    stopped = f"{spec.title}: stopped. What came is kept, and Download goes on with it"
    transfers.begin(Task(spec.id, "fetching", size, writes=True, when_stopped=stopped), work)


def look_at(path: str, given: str = "") -> Brought:
    """Find and check the model at a path, a file or a folder; it is to have the given name, or one of its own.

    Raises ModelFileError and InputError.
    """
    if not path:
        raise InputError("no path was given", "type the path of a GGUF file, or of a folder with one")
    registry = load_registry()
    source = read_source(Path(path).expanduser(), registry)
    name, spec = name_for(source, registry, given or None)
    text = f"{source.paths[0].name}, {amount(source.size)}: {spec.title if spec else 'a model of your own'}"
    if spec:
        text = "\n".join(filter(None, (text, f"licence: {spec.licence}", spec.advisory)))
    installed = find_installed(name)
    return Brought(source, name, spec, text, bool(installed and not installed.folder.shared))


def bring(transfers: Transfers, brought: Brought, *, link: bool) -> None:
    """Begin to copy the model, or to read it where it lies. Raises InputError."""
    source, name = brought.source, brought.name

    def work(task: Task) -> str:
        import_model(
            source, name, brought.spec, own_folder(), link=link, replaces=brought.replaces, report=task.reached
        )
        trusted = "" if source.expected else "; no hash came with it, so it is recorded as it is"
        return f"{name} is installed{trusted}. Models, Enter: it answers"

    doing, stopped = "reading" if link else "copying", f"{name}: stopped, nothing was taken over"
    transfers.begin(Task(name, doing, source.size, writes=not link, when_stopped=stopped), work)
