"""The settings as the app shows and changes them."""

import os
from dataclasses import dataclass
from typing import Any

from medpocket.config import AT_ONCE, MACHINE_DECIDES, Settings, as_toml, load_settings, machine_file, user_file
from medpocket.config import unless_set as words_unless_set
from medpocket.errors import InputError, MedpocketError
from medpocket.models.locate import locate_model
from medpocket.registry import load_registry
from medpocket.settings_file import Source, Standing, change, standing
from medpocket.toml_file import Choice, Flag, Number, Rule, keys_of, kind_of

KEYS = "keys"  # the table that has a screen of its own
_FIELDS = {entry.name: entry for entry in keys_of(Settings)}


@dataclass(frozen=True)
class SettingRow:
    """A setting in one line. `own` is what the user's file says of it, `choices` what may be chosen where it is few."""

    name: str
    value: str
    source: str
    own: object
    decided: bool
    choices: tuple[str, ...]


def rows() -> list[SettingRow]:
    """Every setting, as the files have it now. Raises SettingsError."""
    return [_row(one) for one in standing().values()]


def _row(one: Standing) -> SettingRow:
    value, source = _shown(one.name, one.value), one.source.value
    if one.problem:
        value = f"{value}  (refused)"
    if one.name == "theme" and "NO_COLOR" in os.environ:
        value, source = "no colours", "environment: NO_COLOR"
    return SettingRow(one.name, value, source, one.own, one.decided, _choices(_rule(one.name)))


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return as_toml(value)
    if name == KEYS and isinstance(value, dict):
        return f"{len(value)} of your own" if value else "as they are"
    return str(value) if isinstance(value, (int, float, str)) else "as they are" if name == KEYS else kind_of(value)


def _choices(rule: Rule) -> tuple[str, ...]:
    if isinstance(rule, Flag):
        return ("true", "false")
    return rule.words if isinstance(rule, Choice) else ()


def details(name: str) -> list[tuple[str, str]]:
    """All about a setting, read anew. Raises SettingsError."""
    one, known = standing()[name], _FIELDS[name].metadata
    file = {Source.USER: user_file(), Source.MACHINE: machine_file(), Source.DEFAULT: None}[one.source]
    lines = [(name, ""), ("", known["doc"]), ("", "")]
    if one.problem:
        lines.append(("refused", f"{one.problem}; nothing runs with it: mend it here"))
    lines += [
        ("now", _shown(name, one.value)),
        ("from", f"{one.source.value}: {file}" if file else one.source.value),
        ("must be", _rule(name).describe()),
        ("unless set", words_unless_set(_FIELDS[name])),
        ("this app takes it", known["in_app"]),
    ]
    if one.decided:
        lines.append(("", "This machine's file decides it: who looks after the machine can change it there."))
    elif name in MACHINE_DECIDES:
        lines.append(("", "Where this machine's file decides it, yours may not say otherwise."))
    if name == "theme" and "NO_COLOR" in os.environ:
        lines.append(("", "NO_COLOR is set in the environment of this app: no colours, whatever the theme."))
    return lines


def must_be(name: str) -> str:
    """Say what a value must be."""
    return _rule(name).describe()


def set_to(name: str, text: str, seen: object) -> None:
    """Write what was typed for a setting into the user's file, where the user saw `seen`. Raises MedpocketError."""
    change(name, _parsed(name, text), seen)


def unset(name: str, seen: object) -> None:
    """Take a setting out of the user's file. Raises MedpocketError."""
    change(name, None, seen)


def set_key(id_: str, keys: str | None, seen: object) -> None:
    """Give an action other keys, or with None its own again. Raises MedpocketError."""
    change(KEYS, keys, seen, id_)


def own_keys() -> dict[str, Any]:
    """Return the keys of the user's file by id, as they stand there. Raises SettingsError."""
    own = standing()[KEYS].own
    return dict(own) if isinstance(own, dict) else {}


def chosen() -> Settings:
    """Return all settings as they hold now. Raises SettingsError."""
    return load_settings()


def written(name: str, what: str) -> str:
    """Say what was written, and when this app takes it."""
    when = _FIELDS[name].metadata["in_app"]
    place = f"{what}, in {user_file()}."
    return f"{place} It holds now." if when == AT_ONCE else f"{place} This app takes it {when}."


def _rule(name: str) -> Rule:
    rule: Rule = _FIELDS[name].metadata["rule"]
    return rule


def _parsed(name: str, text: str) -> object:
    """Read a value as typed. Raises InputError, to stand beside the field, and what `locate_model` raises."""
    rule, text = _rule(name), text.strip()
    value: object = text
    if isinstance(rule, Flag):
        value = {"true": True, "false": False}.get(text)
    elif isinstance(rule, Number):
        try:
            value = rule.parse(text)
        except ValueError as error:
            raise InputError(str(error), _unset_hint(name)) from None
    if not rule.fits(value):
        raise InputError(f"must be {rule.describe()}", _unset_hint(name))
    if name == "model":
        _check_model(text)
    return value


def _check_model(name: str) -> None:
    """Refuse a model that could not be loaded, now and not at the next start. Raises MedpocketError."""
    located = locate_model(name, load_registry())
    if not located.path.is_file():
        raise MedpocketError("there is no such file", "`medpocket models list` lists the models")


def _unset_hint(name: str) -> str:
    return f"left to MedPocket it is: {words_unless_set(_FIELDS[name])}"
