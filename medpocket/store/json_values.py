"""Frozen values as JSON and back, by the types of their fields, without loss."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


class MisfitError(Exception):
    """A value is not of the type of its field; `where` names the field."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def as_json(value: Any) -> Any:
    """Return what `from_json` makes `value` of again."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_json(item) for item in value]
    return value


def from_json(kind: Any, value: Any, where: str = "") -> Any:
    """Make a value of a type. Raises MisfitError; keys that the type does not have are a misfit too."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in parts:
            return None
        kind = next(part for part in parts if part is not type(None))
        origin, parts = get_origin(kind), get_args(kind)
    if origin is not None:
        return _many_from(origin, parts, value, where)
    if is_dataclass(kind):
        return _dataclass_from(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, (Enum, datetime)):
        return _named(kind, value, where)
    if kind is float:
        return float(_checked(type(value) in (int, float), value, where))
    return _checked(type(value) is kind, value, where)


def _many_from(origin: Any, parts: tuple[Any, ...], value: Any, where: str) -> Any:
    if origin is Literal:
        return _checked(isinstance(value, str) and value in parts, value, where)
    if issubclass(origin, Mapping):
        _checked(isinstance(value, dict), value, where)
        return {key: from_json(parts[1], item, f"{where}.{key}") for key, item in value.items()}
    _checked(isinstance(value, list), value, where)
    return tuple(from_json(parts[0], item, f"{where}[{place}]") for place, item in enumerate(value))


def _dataclass_from(kind: Any, value: Any, where: str) -> Any:
    _checked(isinstance(value, dict), value, where)
    known = fields(kind)
    unknown = set(value) - {one.name for one in known}
    if unknown:
        raise MisfitError(f"{where}.{min(unknown)}")
    hints = _hints(kind)
    given = {}
    for one in known:
        place = f"{where}.{one.name}"
        if one.name in value:
            given[one.name] = from_json(hints[one.name], value[one.name], place)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise MisfitError(place)
    return kind(**given)


def _named(kind: Any, value: Any, where: str) -> Any:
    _checked(isinstance(value, str), value, where)
    try:
        made = datetime.fromisoformat(value) if kind is datetime else kind(value)
    except ValueError:
        raise MisfitError(where) from None
    return _checked(not isinstance(made, datetime) or made.tzinfo is not None, made, where)


def _checked(fits: bool, value: Any, where: str) -> Any:
    if not fits:
        raise MisfitError(where)
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
