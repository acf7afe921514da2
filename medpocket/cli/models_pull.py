"""`medpocket models pull`: a model from the hub."""

import sys

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.events import EventsShown
from medpocket.cli.model_names import complete_name
from medpocket.cli.tables import json_option
from medpocket.cli.transfer import Transfer
from medpocket.errors import InputError
from medpocket.models.download import Line
from medpocket.models.hub_files import Found
from medpocket.models.installed import Installed, ModelFolder, machine_folder, own_folder
from medpocket.models.pace import amount
from medpocket.models.pull import Pulled, check_room, installed_already, look_up, pull, sought_for
from medpocket.registry import ModelSpec, load_registry


@click.command("pull")
@click.argument("model", metavar="[ID]", required=False, shell_complete=complete_name)
@click.option("--revision", metavar="NAME", help="A branch, tag or commit of the repository; default: its newest.")
@click.option("--file", metavar="PATH", help="The file in the repository, where more than one would do.")
@click.option("--endpoint", metavar="URL", help="Another hub, such as a hospital's mirror; else HF_ENDPOINT.")
@click.option("--machine", is_flag=True, help="For every user: into the machine's folder of models.")
@click.option("--yes", "-y", is_flag=True, help="Accept the licence and the advisory without being asked.")
@json_option
def pull_command(
    model: str | None,
    revision: str | None,
    file: str | None,
    endpoint: str | None,
    machine: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Get a model from the hub; without ID the default, BioMistral-7B Q4_K_M.

    It goes on where it stopped, however that came. What arrives is compared with the size and SHA-256 that the hub
    gives for this commit, and recorded. HF_TOKEN is used for models behind an account; HTTPS_PROXY is honoured.
    """
    registry = load_registry()
    spec = registry.model(model or registry.default_model)
    sought_for(spec, file)  # what cannot be pulled is said before the network is touched
    folder = machine_folder() if machine else own_folder()
    line = Line.configured(endpoint)
    found = look_up(spec, line, revision=revision, file=file)
    installed = installed_already(spec, found, folder, _verify)
    if installed is None:
        _describe(spec, found)
        _accept(spec, folder, yes)
        check_room(spec, found, folder)
        installed = _pull(spec, found, line, folder)
    if as_json:
        from medpocket.cli.models_list import installed_data

        output.write_success("models pull", installed_data(installed))
    else:
        output.write_line(f"{spec.title} is installed and verified: {installed.path}")
    return 0


def _verify(entry: Installed) -> list[str]:
    total = Transfer(f"reading {entry.path.name}", entry.record.size)
    problems = entry.verify(total.show)
    diagnostics.clear_progress()
    for problem in problems:
        diagnostics.notice(problem)
    return problems


def _describe(spec: ModelSpec, found: Found) -> None:
    size = amount(sum(file.size for file in found.files))
    names = ", ".join(file.path for file in found.files[:2]) + (", ..." if len(found.files) > 2 else "")
    diagnostics.notice(f"{spec.title}: {names} of {found.repository}, {size}, commit {found.commit[:12]}")


def _accept(spec: ModelSpec, folder: ModelFolder, yes: bool) -> None:
    """Show licence and advisory; have them accepted once. Raises InputError."""
    advisory = spec.advisory or ""
    diagnostics.notice(f"licence: {spec.licence}")
    if advisory:
        diagnostics.notice(advisory)
    if folder.accepted(spec.id, spec.licence, advisory):
        return
    if not yes:
        if not sys.stdin.isatty():
            raise InputError(f"the licence of {spec.title} is not accepted yet", "read it, then give --yes")
        if not click.confirm("Do you accept this?", err=True):
            raise InputError("the licence was not accepted", "nothing was downloaded")
    folder.accept(spec.id, spec.licence, advisory)


def _pull(spec: ModelSpec, found: Found, line: Line, folder: ModelFolder) -> Installed:
    shown = EventsShown()
    try:
        for event in pull(spec, found, line, folder):
            if isinstance(event, Pulled):
                return event.installed
            shown.take(event)
    except KeyboardInterrupt:
        diagnostics.clear_progress()
        diagnostics.notice("stopped; what came is kept, and the same command goes on")
        raise
    finally:
        diagnostics.clear_progress()
    raise RuntimeError("the pull ended without a model")
