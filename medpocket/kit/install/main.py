"""`install.sh`: what it takes on its command line, its steps in order, and what becomes of errors."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from medpocket.errors import KitError, unexpected
from medpocket.exclusive import exclusive
from medpocket.kit.checking import check_files, require_whole
from medpocket.kit.install.machine import check_machine, check_room, check_version
from medpocket.kit.install.places import WINDOWS, Places, executable_of
from medpocket.kit.install.program import Installer
from medpocket.kit.install.removal import remove
from medpocket.kit.install.shown import show
from medpocket.kit.manifest import Manifest, read_manifest
from medpocket.kit.signature import check_signature, signature_of
from medpocket.text import printable

INTERRUPTED = 130
_CARRIED = "installer"  # in the kit, and beside the installed program, which removes it without the kit


def main(kit: str, arguments: Sequence[str]) -> int:
    """Install or remove; return the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    os.umask(0o077)
    for one in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, one):
            signal.signal(getattr(signal, one), signal.default_int_handler)
    options = _read(arguments)
    try:
        places = Places.of_this_user()
        if options.uninstall or options.remove_data:
            remove(places, data=options.remove_data, confirmed=options.yes, say=_say)
        else:
            _install(Path(kit), places, options)
    except KeyboardInterrupt:
        _complain("stopped: nothing was changed, and what was there before still works")
        return INTERRUPTED
    except Exception as error:
        problem = unexpected(error)
        _complain(f"{problem.message}\n{problem.hint}")
        return problem.exit_code
    return 0


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    script = "install.ps1" if WINDOWS else "install.sh"
    parser = argparse.ArgumentParser(
        prog=script,
        description="Install MedPocket from this kit, for this user alone: no network, no administrator, no compiler.",
        allow_abbrev=False,
    )
    parser.add_argument("--key", metavar="FILE", type=Path, help="the public key that must have signed the kit")
    parser.add_argument("--older", action="store_true", help="install this kit over a newer one")
    parser.add_argument("--uninstall", action="store_true", help="remove MedPocket; history, settings and models stay")
    parser.add_argument("--remove-data", action="store_true", help="remove it with history, settings and models")
    parser.add_argument("--yes", action="store_true", help="with --remove-data: do not ask")
    return parser.parse_args(list(arguments))


def _install(kit: Path, places: Places, options: argparse.Namespace) -> None:
    manifest = read_manifest(kit)
    _say(f"MedPocket {manifest.medpocket} for {manifest.platform}{'' if manifest.tested else ', UNTESTED'}")
    check_machine(manifest)
    if options.key:
        check_signature(kit, options.key)
        _say(f"the kit is signed by the owner of {options.key}")
    elif signature_of(kit):
        _say("the kit is signed; --key FILE checks by whom")
    require_whole(check_files(kit, manifest, _progress("checking every file", manifest.size)))
    _say(f"all {len(manifest.files)} files of the kit are as they were made")
    check_room(manifest, places)
    check_version(manifest, places, options.older)
    with _alone(places):
        _make(kit, manifest, places)
    _take_models(kit, manifest, places)
    _end(places)


def _make(kit: Path, manifest: Manifest, places: Places) -> None:
    """Make a new installation and use it; whatever stops that leaves no trace of it but the log."""
    if places.command_is_foreign():
        raise KitError(
            f"{places.command} is there already, and no kit put it there",
            "remove it first (`pipx uninstall medpocket`, if pipx did), or move it away",
        )
    upgrading = places.current() is not None
    places.log.unlink(missing_ok=True)
    installation = places.new_installation()
    try:
        installer = Installer(kit, places, installation)
        _say("installing (1 of 3): pipx and virtualenv")
        installer.install_tools()
        _say("installing (2 of 3): MedPocket and what it needs")
        installer.install_medpocket(manifest.medpocket)
        _say("installing (3 of 3): trying it")
        installer.try_it()
        _keep_installer(kit, installation)
        shutil.rmtree(installer.temporary, ignore_errors=True)
        places.use(installation)
        show(places, installation)
    except BaseException:
        shutil.rmtree(installation, ignore_errors=True)
        raise
    _say("upgraded; history and settings are as they were" if upgrading else "installed")


def _keep_installer(kit: Path, installation: Path) -> None:
    """Put what removes MedPocket into the installation, so that it does not take the kit."""
    script = "install.ps1" if WINDOWS else "install.sh"
    shutil.copytree(kit / _CARRIED, installation / _CARRIED)
    shutil.copyfile(kit / script, installation / script)


def _take_models(kit: Path, manifest: Manifest, places: Places) -> None:
    if not manifest.models and not (kit / "experts").is_dir():
        return
    current = places.current()
    taken = current and subprocess.run(
        [executable_of(current), "models", "import", str(kit), "--replace"], stdin=subprocess.DEVNULL, check=False
    )
    if not taken or taken.returncode:
        raise KitError(
            "MedPocket is installed, but the models of the kit are not",
            f"`medpocket models import {kit}` takes them when what stands above is mended",
        )


def _end(places: Places) -> None:
    """Show what the doctor says, and what to type now."""
    current = places.current()
    if current:
        sys.stdout.flush()
        subprocess.run([executable_of(current), "doctor"], stdin=subprocess.DEVNULL, check=False)
    _say("")
    _say(f"Done. To start it, type:  {'medpocket' if places.on_path() else _quoted(places.command)}")
    if not places.on_path():
        _say(f"When {places.commands} is on your PATH (often after the next login), `medpocket` is enough.")


def _quoted(path: Path) -> str:
    import shlex

    return f'& "{path}"' if WINDOWS else shlex.quote(str(path))


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Keep other installers of this user out. Raises KitError where one is at work."""
    places.program.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusive(places.lock) as held:
        if not held:
            raise KitError("another installation is at work", "wait until it is done, then try again")
        yield


class _Progress:
    """Shows the share that is done on one line of a terminal."""

    def __init__(self, doing: str, total: int) -> None:
        self.doing, self.total, self.shown = doing, total, -1

    def __call__(self, done: int) -> None:
        percent = done * 100 // self.total if self.total else 100
        if percent != self.shown and sys.stderr.isatty():
            self.shown = percent
            sys.stderr.write(f"\r{self.doing}: {percent}%" + ("\r\x1b[K" if percent == 100 else ""))
            sys.stderr.flush()


def _progress(doing: str, total: int) -> _Progress:
    return _Progress(doing, total)


def _say(text: str) -> None:
    print(printable(text), flush=True)  # noqa: T201 - this is a program of its own


def _complain(text: str) -> None:
    sys.stdout.flush()
    print(printable(f"install: {text}"), file=sys.stderr, flush=True)  # noqa: T201
