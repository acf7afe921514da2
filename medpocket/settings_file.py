"""The user's config.toml, changed one setting at a time: comments, order and everything unknown in it stay."""

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from medpocket import paths
from medpocket.config import MACHINE_DECIDES, Settings, machine_file, user_file
from medpocket.errors import DiskShortError, MedpocketError, SettingsError
from medpocket.exclusive import exclusive
from medpocket.toml_file import broken, dotted, read_toml, read_toml_if_there, table_of

_WAIT_S = 5.0


class Source(str, Enum):
    """Where a setting's value comes from."""

    DEFAULT = "built in"
    MACHINE = "this machine's file"
    USER = "your file"


@dataclass(frozen=True)
class Standing:
    """A setting as the files have it now.

    `value` is what holds, None where it is left to MedPocket; `own` is what the user's file says, None where it says
    nothing. `decided` means that the machine's file alone says it; `problem` is why the user's file is refused here.
    """

    name: str
    value: Any
    source: Source
    own: Any = None
    decided: bool = False
    problem: str = ""


def standing() -> dict[str, Standing]:
    """Return every setting by its name. Raises SettingsError where a file is no TOML, or the machine's is refused."""
    machine = read_toml_if_there(machine_file()) or {}
    table_of(Settings).check(machine_file(), "", machine)
    own = read_toml_if_there(user_file()) or {}
    built_in = Settings()
    return {name: _standing(name, getattr(built_in, name), machine, own) for name in table_of(Settings).keys}


def _standing(name: str, built_in: object, machine: Mapping[str, Any], own: Mapping[str, Any]) -> Standing:
    decided = name in MACHINE_DECIDES and name in machine
    source = Source.USER if name in own and not decided else Source.MACHINE if name in machine else Source.DEFAULT
    value = own[name] if source is Source.USER else machine.get(name, built_in)
    problem = ""
    if name in own:
        try:
            table_of(Settings).keys[name].check(user_file(), name, own[name])
        except SettingsError as error:
            problem = error.message.removeprefix(f"{user_file()}: ")
        if decided and own[name] != machine[name]:
            problem = f"this is decided for this machine, in {machine_file()}"
    return Standing(name, value, source, own.get(name), decided, problem)


def change(name: str, value: object, seen: object, key: str = "") -> None:
    """Write a setting into the user's file, or with None take it out; with `key`, one entry of a table.

    `seen` is what the user was shown to be in the file there, None for nothing.
    Raises SettingsError where the value does not fit, the machine decides, the file is broken, or it says something
    else by now; DiskShortError; MedpocketError where it cannot be written. The file is then as it was.
    """
    place = (name, key) if key else (name,)
    path = user_file()
    if value is not None:
        table_of(Settings).check(path, "", {name: {key: value} if key else value})
    machine = read_toml_if_there(machine_file()) or {}
    if name in MACHINE_DECIDES and name in machine:
        raise broken(path, name, f"is decided for this machine, in {machine_file()}", "ask who looks after it")
    try:
        paths.make_private(path.parent)
        with exclusive(path.parent / ".lock", _WAIT_S) as held:
            if not held:
                raise SettingsError(f"{path}: another process is writing it", "try again")
            before = read_toml_if_there(path)
            if _at(before or {}, place) != seen:
                raise SettingsError(
                    f"{path}: {dotted(name, key) if key else name} was changed by another program meanwhile",
                    "look at what it says now, then change it",
                )
            inherited = machine.get(name, {}) if key and name not in (before or {}) else {}
            _write(path, before, place, value, inherited)
    except OSError as error:
        raise _unwritten(path, error) from None


def _unwritten(path: Path, error: OSError) -> MedpocketError:
    if error.errno == errno.ENOSPC:
        return DiskShortError(f"the disk is full: {path} is as it was", "free some space and try again")
    reason = error.strerror or type(error).__name__
    return broken(path, "", f"cannot be written: {reason}", "check the permissions of the file and its folder")


def _at(content: Mapping[str, Any], place: tuple[str, ...]) -> object:
    """What stands at `place`, None for nothing."""
    found: Any = content
    for name in place:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _write(
    path: Path, before: dict[str, Any] | None, place: tuple[str, ...], value: object, inherited: Mapping[str, Any]
) -> None:
    """Write the file anew beside itself, and rename it into its place. A link stays one: its target is written."""
    target = Path(os.path.realpath(path))
    old = b"" if before is None else target.read_bytes()
    new = _changed(old.decode("utf-8"), place, value, inherited).encode("utf-8")
    unfinished = target.with_name(f".{target.name}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        # The same values as before and the new one: no slip in writing TOML may cost a setting.
        if read_toml(unfinished) != _expected(before or {}, place, value, inherited):
            raise broken(path, place[0], "cannot be changed without touching other lines", "change it in an editor")
        if before is not None and target.read_bytes() != old:
            raise SettingsError(f"{path}: another program is writing it", "try again")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _changed(text: str, place: tuple[str, ...], value: object, inherited: Mapping[str, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    try:
        document: Any = tomlkit.parse(text)
        table = document
        if len(place) == 2:
            if place[0] not in document:
                document[place[0]] = dict(inherited)
            table = document[place[0]]
        if value is None:
            table.pop(place[-1], None)
        else:
            table[place[-1]] = value
        written = tomlkit.dumps(document)
    except (TOMLKitError, RecursionError, KeyError, TypeError, AttributeError):
        raise broken(
            user_file(), place[0], "cannot be changed as the file is written", "change it in an editor"
        ) from None
    if "\r\n" in text and "\n" not in text.replace("\r\n", ""):
        written = written.replace("\r\n", "\n").replace("\n", "\r\n")
    return mark + written


def _expected(
    before: Mapping[str, Any], place: tuple[str, ...], value: object, inherited: Mapping[str, Any]
) -> dict[str, Any]:
    after = dict(before)
    table = after
    if len(place) == 2:
        table = after[place[0]] = {**inherited, **after.get(place[0], {})}
    if value is None:
        table.pop(place[-1], None)
    else:
        table[place[-1]] = value
    return after
