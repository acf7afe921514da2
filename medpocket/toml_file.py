"""Read a TOML file and check it against rules: every complaint names the file, the key and the reason.

A rule says what a value must be, in words for people (`describe`) and in code (`check`). The tables of the
registry and of the settings are rules made from the fields of their dataclasses: see `about` and `table_of`.
"""

import json
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any

from medpocket.errors import SettingsError

LARGEST_FILE = 1 << 20  # bytes: far above any registry, small enough to parse at once
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def broken(path: Path, key: str, reason: str, hint: str = "mend it, or delete the line") -> SettingsError:
    """Say what is wrong in `path`, at `key` ('' where no key is to blame)."""
    place = ": ".join(_printable(part) for part in (str(path), key) if part)
    return SettingsError(f"{place}: {reason}", hint)


def dotted(table: str, name: str) -> str:
    """Return the key as TOML would write it: `models.demo.file`, with quotes where it needs them."""
    written = name if _BARE_KEY.fullmatch(name) else json.dumps(name)
    return f"{table}.{written}" if table else written


def _printable(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a file. Raises SettingsError for whatever keeps it from being read, with the line where there is one."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

    text = ""
    try:
        text = _read_bytes(path).decode("utf-8-sig")  # "-sig": Notepad puts a byte order mark before the first key
        content: dict[str, Any] = tomllib.loads(text)
        return content
    except OSError as error:
        raise broken(path, "", f"cannot be read: {error.strerror or type(error).__name__}", "check its place") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise broken(path, "", f"line {line} is not UTF-8 text", "save the file as UTF-8") from None
    except RecursionError:
        raise broken(path, "", "arrays or tables are nested too deeply", "mend the file") from None
    except ValueError as error:  # TOMLDecodeError, and numbers of more digits than Python converts
        last_line = f"at line {len(text.splitlines())}, the end of the file"
        reason = _printable(str(error).splitlines()[0]).replace("at end of document", last_line)
        raise broken(path, "", f"not TOML: {reason}", "mend the line, or move the file away") from None


def read_toml_if_there(path: Path) -> dict[str, Any] | None:
    """Parse an optional file: None where there is none. Raises SettingsError for one that is there and broken."""
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # a folder that cannot be entered may hold settings: reading says why it cannot be known
    return read_toml(path)


def _read_bytes(path: Path) -> bytes:
    """Return the content of a regular file. Raises OSError, also for what would block or never end."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise OSError(0, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a regular file")
    if status.st_size > LARGEST_FILE:
        raise OSError(0, f"it is larger than {LARGEST_FILE >> 20} MiB")
    return path.read_bytes()


def kind_of(value: object) -> str:
    """Name the type of a parsed value as people call it."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def _shown(value: object) -> str:
    """Write out a number, name the type of anything else."""
    if isinstance(value, float) or (type(value) is int and value.bit_length() <= 64):
        return repr(value)
    return kind_of(value)


class Rule:
    """What a value must be."""

    def describe(self) -> str:
        """Say it for people, to stand after 'must be'."""
        raise NotImplementedError

    def fits(self, value: object) -> bool:
        raise NotImplementedError

    def check(self, path: Path, key: str, value: object) -> None:
        """Raise SettingsError, naming `path` and `key`, where the value does not fit."""
        if not self.fits(value):
            raise broken(path, key, f"must be {self.describe()}, not {_shown(value)}")


@dataclass(frozen=True)
class Number(Rule):
    """A finite number from `low` to `high`; `above` excludes `low` itself."""

    low: float
    high: float
    whole: bool = False
    above: bool = False

    def describe(self) -> str:
        first = f"above {self.low:,} and at most" if self.above else f"from {self.low:,} to"
        return f"{'a whole number' if self.whole else 'a number'} {first} {self.high:,}"

    def fits(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        # NaN is neither above, below nor equal to anything, so it fits nowhere.
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def parse(self, text: str) -> int | float:
        """Read a number as typed. Raises ValueError where it is none, or does not fit."""
        text = text.strip()
        value: int | float
        if self.whole and _WHOLE.fullmatch(text):
            value = int(text)
        elif not self.whole and _DECIMAL.fullmatch(text):
            value = float(text)
        else:
            raise ValueError(f"must be {self.describe()}")
        if not self.fits(value):
            raise ValueError(f"must be {self.describe()}")
        return value


@dataclass(frozen=True)
class Flag(Rule):
    """True or false."""

    def describe(self) -> str:
        return "true or false"

    def fits(self, value: object) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True)
class Text(Rule):
    """Text of a form: `form` is a regular expression for all of it, `meaning` says it for people."""

    meaning: str = "one line of text"
    form: str = r".+"

    def describe(self) -> str:
        return self.meaning

    def fits(self, value: object) -> bool:
        # Titles and advisories reach a terminal: no escape bytes, no line breaks.
        return isinstance(value, str) and value.isprintable() and re.fullmatch(self.form, value) is not None

    def check(self, path: Path, key: str, value: object) -> None:
        if isinstance(value, str) and not self.fits(value):
            raise broken(path, key, f"must be {self.describe()}")
        super().check(path, key, value)


@dataclass(frozen=True)
class LongText(Text):
    """Text of several lines; tabs and line breaks are its only control characters."""

    meaning: str = "text"

    def fits(self, value: object) -> bool:
        return isinstance(value, str) and all(c.isprintable() or c in "\n\t" for c in value)


@dataclass(frozen=True)
class Choice(Rule):
    """One of a few words."""

    words: tuple[str, ...]

    def describe(self) -> str:
        return " or ".join(f'"{word}"' for word in self.words)

    def fits(self, value: object) -> bool:
        return value in self.words


@dataclass(frozen=True)
class ListOf(Rule):
    """A list whose every entry fits a rule; a complaint names the entry, counted from 1."""

    entry: Rule

    def describe(self) -> str:
        return f"a list, each entry {self.entry.describe()}"

    def fits(self, value: object) -> bool:
        return isinstance(value, list)

    def check(self, path: Path, key: str, value: object) -> None:
        super().check(path, key, value)
        assert isinstance(value, list)
        for position, entry in enumerate(value, 1):
            self.entry.check(path, f"{key}, entry {position}", entry)


@dataclass(frozen=True)
class Table(Rule):
    """A table of known keys. A file may leave out any: what must be there is asked once all files are read."""

    keys: Mapping[str, Rule]

    def describe(self) -> str:
        return f"a table of {', '.join(self.keys)}"

    def fits(self, value: object) -> bool:
        return isinstance(value, dict)

    def check(self, path: Path, key: str, value: object) -> None:
        super().check(path, key, value)
        assert isinstance(value, dict)
        for name, entry in value.items():
            if name not in self.keys:
                raise broken(path, dotted(key, name), "there is no such key", _nearest(name, self.keys))
            self.keys[name].check(path, dotted(key, name), entry)


@dataclass(frozen=True)
class TableOf(Rule):
    """A table whose keys are names of the file's own; `name` says which are legal, `entry` what stands under each."""

    name: Text
    entry: Rule

    def describe(self) -> str:
        return f"a table whose every entry is {self.entry.describe()}"

    def fits(self, value: object) -> bool:
        return isinstance(value, dict)

    def check(self, path: Path, key: str, value: object) -> None:
        super().check(path, key, value)
        assert isinstance(value, dict)
        for name, entry in value.items():
            if not self.name.fits(name):
                raise broken(path, dotted(key, name), f"a name here must be {self.name.describe()}", "rename it")
            self.entry.check(path, dotted(key, name), entry)


def _nearest(name: str, known: Mapping[str, Rule]) -> str:
    from difflib import get_close_matches

    nearest = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known here: {', '.join(known)}"


def about(rule: Rule, doc: str, **more: str) -> dict[str, Any]:
    """Return the metadata that makes a dataclass field a key of a TOML table: its rule and its documentation."""
    return {"rule": rule, "doc": doc, **more}


def keys_of(spec: type) -> tuple["Field[Any]", ...]:
    """Return the fields of a dataclass that are keys of its TOML table, in their order."""
    return tuple(entry for entry in fields(spec) if "rule" in entry.metadata)


def table_of(spec: type) -> Table:
    """Return the rule of a table whose keys are the fields of a dataclass."""
    return Table({entry.name: entry.metadata["rule"] for entry in keys_of(spec)})


def is_required(entry: "Field[Any]") -> bool:
    """Tell whether a key has no default."""
    return entry.default is MISSING and entry.default_factory is MISSING
