"""What can be wrong, each with what mends it: a list of checks, each of which looks at the facts."""

import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from medpocket.doctor.facts import READ_ONLY, Facts, can_write
from medpocket.models.fit import memory_short
from medpocket.models.memory import SMALLEST_CONTEXT, gigabytes

LEAST_DISK_BYTES = 200 * 10**6  # for the history, logs and what is measured
_OTHERS = 0o077
PRIVATE = ("data", "log")


@dataclass(frozen=True)
class Problem:
    """What is wrong, and the command, or the act, that mends it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}; {self.mend}"


def problems_of(facts: Facts) -> list[Problem]:
    """Run every check."""
    return [problem for check in CHECKS for problem in check(facts)]


def _settings(facts: Facts) -> Iterator[Problem]:
    if facts.broken:
        yield Problem(facts.broken.message, facts.broken.hint)


def _packages(facts: Facts) -> Iterator[Problem]:
    for name, found in facts.versions.items():
        if found is None:
            yield Problem(
                f"the package {name} is missing", f"install MedPocket again: {_python()} -m pip install {name}"
            )


def _llama(facts: Facts) -> Iterator[Problem]:
    if facts.llama_error:
        yield Problem(
            f"llama.cpp cannot be loaded ({facts.llama_error})",
            f"build it on this machine: {_python()} -m pip install --force-reinstall --no-deps llama-cpp-python",
        )


def _folders(facts: Facts) -> Iterator[Problem]:
    for name, folder in facts.folders.items():
        if name not in READ_ONLY and not can_write(folder):
            place = shlex.quote(str(folder))
            yield Problem(f"the folder {folder} cannot be written", f"chmod u+rwx {place}, or set MEDPOCKET_HOME")


def _privacy(facts: Facts) -> Iterator[Problem]:
    if sys.platform == "win32":
        return
    for name in PRIVATE:
        folder = facts.folders[name]
        if folder.is_dir() and folder.stat().st_mode & _OTHERS:
            yield Problem(f"other users can look into {folder}", f"chmod 700 {shlex.quote(str(folder))}")


def _network(facts: Facts) -> Iterator[Problem]:
    if not facts.offline:
        yield Problem("a network socket could be opened", "please report this, with the output of `medpocket doctor`")


def _disk(facts: Facts) -> Iterator[Problem]:
    if facts.disk_free is not None and facts.disk_free < LEAST_DISK_BYTES:
        folder = shlex.quote(str(facts.folders["models"]))
        yield Problem(
            f"{gigabytes(facts.disk_free)} is free on the disk of {facts.folders['models']}",
            f"free some space there: df -h {folder} shows the disk",
        )


def _chosen_model(facts: Facts) -> Iterator[Problem]:
    if facts.chosen_error:
        yield Problem(facts.chosen_error.message, facts.chosen_error.hint)


def _installed_models(facts: Facts) -> Iterator[Problem]:
    """What is wrong with files that are here; their hashes are `medpocket models verify`'s."""
    for one in facts.installed:
        if one.error:
            yield Problem(one.error.message, one.error.hint)


def _memory(facts: Facts) -> Iterator[Problem]:
    fit = facts.judged.fit if facts.judged else None
    if not fit or fit.fits:
        return
    error = memory_short(fit)
    mend = "medpocket models recommend names what fits"
    if fit.largest_context >= SMALLEST_CONTEXT:
        mend = f"write `context = {fit.largest_context}` into {facts.folders['config'] / 'config.toml'}"
    yield Problem(f"{facts.chosen}: {error.message}", mend)


def _settings_for_this_machine(facts: Facts) -> Iterator[Problem]:
    settings, machine = facts.settings, facts.machine
    if not settings:
        return
    file = facts.folders["config"] / "config.toml"
    if settings.threads and settings.threads > machine.usable_cores:
        yield Problem(
            f"`threads = {settings.threads}` is more than the {machine.usable_cores} cores that this process may use, "
            "and slower",
            f"take the line out of {file}, or write {machine.default_threads()}",
        )
    if settings.gpu_layers and not facts.accelerators:
        yield Problem(
            f"`gpu_layers = {settings.gpu_layers}` has no effect: llama.cpp sees no graphics processor",
            f"take the line out of {file}, or build llama-cpp-python for your graphics processor",
        )
    if settings.repack and "AMX_INT8 = 1" in facts.compiled_with:
        yield Problem(
            "`repack = true` is refused on this processor, whose AMX code may crash", f"take the line out of {file}"
        )


def _python() -> str:
    return shlex.quote(sys.executable)


CHECKS: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    _settings,
    _packages,
    _llama,
    _folders,
    _privacy,
    _network,
    _disk,
    _chosen_model,
    _installed_models,
    _memory,
    _settings_for_this_machine,
)
