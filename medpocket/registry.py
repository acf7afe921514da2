"""The registry: models.toml of the package, under those of the machine and of the user.

A later file adds rows and overrides single keys of rows that are there. Each value is checked in the file where it
stands; what a row must have, and what it refers to, once all are read. docs/models.md lists every key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from medpocket import paths
from medpocket.config import SAMPLING_RULES
from medpocket.errors import UnknownNameError
from medpocket.toml_file import (
    Choice,
    Flag,
    ListOf,
    LongText,
    Number,
    Rule,
    Table,
    TableOf,
    Text,
    about,
    broken,
    dotted,
    is_required,
    keys_of,
    read_toml,
    read_toml_if_there,
    table_of,
)

FILE_NAME = "models.toml"
GENERAL = "general"

_NAME = Text(
    "a name of small letters, digits, '-', '_' and '.', not ending in '.gguf'",
    r"(?!.*\.gguf$)[a-z0-9][a-z0-9._-]{0,63}",
)
# A comma, a colon and a plus sign separate experts on the command line, and `none` stands for no expert there.
_EXPERT_NAME = Text("a name of small letters, digits and '_', other than 'none'", r"(?!none$)[a-z][a-z0-9_]{0,63}")
_REPOSITORY = Text("a hub repository, OWNER/NAME", r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")
_FILE = Text("a file's path without '..', not starting with '/'", r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\\:]+")
_BYTES = Number(1, 10**13, whole=True)
_GIGABYTES = Number(0, 10_000, above=True)
_LINE = Text()
_COUNT = Number(1, 2**24, whole=True)
_SHAPE: dict[str, Rule] = {
    "layers": _COUNT,
    "embedding": _COUNT,
    "feed_forward": _COUNT,
    "heads": _COUNT,
    "kv_heads": _COUNT,
}

Use = Literal["chatbot", "diagnosis", "edge", "research"]
_EMPTY: Mapping[str, Any] = MappingProxyType({})


def _no_entries() -> Mapping[str, Any]:
    return _EMPTY


@dataclass(frozen=True)
class PublishedAccuracy:
    """What others measured, never this project. Scores are percentages of questions answered rightly."""

    scores: Mapping[str, float] = field(
        hash=False, metadata=about(TableOf(_LINE, Number(0, 100)), "Percentage right for each benchmark.")
    )
    setting: str | None = field(
        default=None, metadata=about(_LINE, "How it was measured: zero-shot, 5-shot, fine-tuned, ...")
    )
    note: str | None = field(default=None, metadata=about(_LINE, "What the scores leave out."))
    source: str | None = field(default=None, metadata=about(_LINE, "Where it was published."))


@dataclass(frozen=True)
class ModelSpec:
    """A base model: what it is, where it comes from, what it needs. `id` is its key in `models`."""

    id: str
    title: str = field(metadata=about(_LINE, "What people see."))
    parameters: str = field(metadata=about(Text("a size such as 7B or 10.9M", r"\d+(\.\d+)?[KMB]"), "Its size."))
    architecture: str = field(metadata=about(_LINE, "The family of its architecture."))
    quantization: str = field(metadata=about(_LINE, "How its weights are stored: Q4_K_M, Q8_0, F16, AWQ, ..."))
    licence: str = field(metadata=about(_LINE, "The licence of the weights."))
    prompt: str = field(
        metadata=about(_NAME, "The row of `prompts` that is used where the file carries no chat template.")
    )
    trained_context: int = field(
        metadata=about(Number(128, 2**24, whole=True), "Tokens of context that it was trained on.")
    )
    asset: str | None = field(default=None, metadata=about(_FILE, "A file in `assets/`, for what MedPocket brings."))
    repository: str | None = field(default=None, metadata=about(_REPOSITORY, "The hub repository of the file."))
    file: str | None = field(default=None, metadata=about(_FILE, "The file in that repository."))
    file_pattern: str | None = field(
        default=None,
        metadata=about(
            _FILE,
            "Where the file's name is not known: a shell pattern for its path in the repository, in which `*` also "
            "stands for `/` and case does not count. `file` goes before it.",
        ),
    )
    alternatives: tuple[str, ...] = field(
        default=(),
        metadata=about(
            ListOf(Text("OWNER/NAME/FILE", r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*/(?!.*\.\.)[^\\:]+")),
            "Other conversions of the same model, as OWNER/NAME/FILE. Their bytes differ.",
        ),
    )
    shape: Mapping[str, int] = field(
        default_factory=_no_entries,
        hash=False,
        metadata=about(
            Table(_SHAPE),
            "The shape of the network, by which `medpocket models import` recognises a file, together with its name.",
        ),
    )
    original: str | None = field(
        default=None, metadata=about(_REPOSITORY, "The hub repository of the weights that the file was made from.")
    )
    size_bytes: int | None = field(default=None, metadata=about(_BYTES, "The exact size of the file."))
    size_gb_estimate: float | None = field(
        default=None,
        metadata=about(_GIGABYTES, "The size of the file in GB (10^9 bytes), rounded as its source gives it."),
    )
    memory_gb_estimate: float | None = field(
        default=None, metadata=about(_GIGABYTES, "About how much memory it takes to run, in GB (10^9 bytes).")
    )
    memory_basis: str | None = field(default=None, metadata=about(_LINE, "How `memory_gb_estimate` was derived."))
    advisory: str | None = field(default=None, metadata=about(_LINE, "What its users must be told."))
    note: str | None = field(default=None, metadata=about(_LINE, "What else is worth knowing."))
    demonstration: bool = field(
        default=False, metadata=about(Flag(), "Whether it only shows that the path works, and is no clinical model.")
    )
    runs_here: bool = field(default=True, metadata=about(Flag(), "Whether llama.cpp can run the file."))
    runtime_note: str | None = field(
        default=None, metadata=about(_LINE, "Where `runs_here` is false: what runs the file, and what to use here.")
    )
    instead: str | None = field(default=None, metadata=about(_NAME, "Where `runs_here` is false: the row to use here."))
    report_system: str | None = field(
        default=None, metadata=about(_LINE, "The system of the evaluation report that this row stands for.")
    )
    uses: tuple[Use, ...] = field(
        default=(),
        metadata=about(
            ListOf(Choice(("chatbot", "diagnosis", "edge", "research"))), "The uses that the report picks it for."
        ),
    )
    sampling: Mapping[str, Any] = field(
        default_factory=_no_entries,
        hash=False,
        metadata=about(Table(SAMPLING_RULES), "Its own defaults of how tokens are chosen; docs/settings.md has them."),
    )
    accuracy: PublishedAccuracy | None = field(
        default=None, metadata=about(table_of(PublishedAccuracy), "What others measured: see below.")
    )


@dataclass(frozen=True)
class ExpertSpec:
    """A specialty. `id` is its key in `experts`."""

    id: str
    title: str = field(metadata=about(_LINE, "What people see."))
    description: str = field(metadata=about(_LINE, "What it is for, in one sentence."))
    system: str = field(
        metadata=about(
            Text("at most 400 characters on one line", r".{0,400}"),
            "Its line: what the model reads at the end of the user's turn, right before it answers. Empty for none.",
        )
    )
    keywords: tuple[str, ...] = field(default=(), metadata=about(ListOf(_LINE), "Words that point to it."))
    adapters: Mapping[str, str] = field(
        default_factory=_no_entries,
        hash=False,
        metadata=about(TableOf(_NAME, _LINE), "For each base model that has one, the file of its LoRA adapter."),
    )


@dataclass(frozen=True)
class Registry:
    """All rows, each kind in the order of the files."""

    default_model: str
    models: Mapping[str, ModelSpec] = field(hash=False)
    experts: Mapping[str, ExpertSpec] = field(hash=False)
    prompts: Mapping[str, str] = field(hash=False)

    def model(self, name: str) -> ModelSpec:
        """Return the model of this id. Raises UnknownNameError with the nearest."""
        return _look_up("model", name, self.models)

    def expert(self, name: str) -> ExpertSpec:
        """Return the expert of this id. Raises UnknownNameError with the nearest."""
        return _look_up("expert", name, self.experts)


Spec = TypeVar("Spec", ModelSpec, ExpertSpec)


def _look_up(kind: str, name: str, rows: Mapping[str, Spec]) -> Spec:
    if name not in rows:
        raise UnknownNameError(kind, name, rows, f"there are: {', '.join(rows)}")
    return rows[name]


_TEMPLATE: dict[str, Rule] = {"template": LongText("a Jinja chat template: text that goes through `messages`")}
_RULE = Table(
    {
        "default_model": _NAME,
        "prompts": TableOf(_NAME, Table(_TEMPLATE)),
        "models": TableOf(_NAME, table_of(ModelSpec)),
        "experts": TableOf(_EXPERT_NAME, table_of(ExpertSpec)),
    }
)


def load_registry(*files: Path) -> Registry:
    """Read `files`, later ones over earlier ones; by default the package's, the machine's and the user's.

    Raises SettingsError, naming file, key and reason, for what is broken. Only the package's file must be there.
    """
    if files:
        contents = [(path, read_toml(path)) for path in files]
    else:
        contents = [(paths.registry_file(), read_toml(paths.registry_file()))]
        for folder in (paths.machine_config_folder(), paths.config_folder()):
            added = read_toml_if_there(folder / FILE_NAME)
            if added is not None:
                contents.append((folder / FILE_NAME, added))
    merged = _Merged()
    for path, content in contents:
        _RULE.check(path, "", content)
        merged.add(path, "", merged.rows, content)
    return _build(merged, contents[0][0])


class _Merged:
    """The rows of all files as one, and for each dotted key the file that last set it."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.origin: dict[str, Path] = {}

    def add(self, path: Path, table: str, into: dict[str, Any], content: Mapping[str, Any]) -> None:
        """Lay `content` over `into`: tables key by key, anything else whole."""
        for name, value in content.items():
            key = dotted(table, name)
            self.origin[key] = path
            if isinstance(value, dict):
                self.add(path, key, into.setdefault(name, {}), value)
            else:
                into[name] = value

    def section(self, name: str) -> dict[str, dict[str, Any]]:
        section: dict[str, dict[str, Any]] = self.rows.get(name, {})
        return section

    def require(self, key: str, row: Mapping[str, Any], names: Iterable[str]) -> None:
        """Raise SettingsError where the row at `key` lacks one of `names`."""
        for name in names:
            if name not in row:
                raise broken(self.origin[key], dotted(key, name), "is missing", "add the line")

    def refer(self, key: str, name: str, section: str) -> None:
        """Raise SettingsError where the value at `key` is not the name of a row of `section`."""
        known = self.section(section)
        if name not in known:
            raise broken(
                self.origin[key], key, f"there is no {name!r} in {section}", f"there are: {', '.join(known) or 'none'}"
            )


def _build(merged: _Merged, first: Path) -> Registry:
    default_model = merged.rows.get("default_model")
    if default_model is None:
        raise broken(first, "default_model", "is missing", "add the line")
    prompts = {}
    for name, row in merged.section("prompts").items():
        key = dotted("prompts", name)
        merged.require(key, row, _TEMPLATE)
        if "messages" not in row["template"]:
            raise broken(merged.origin[f"{key}.template"], f"{key}.template", "does not go through `messages`")
        prompts[name] = row["template"]
    models = {name: _model(merged, name, row) for name, row in merged.section("models").items()}
    experts = {name: _expert(merged, name, row) for name, row in merged.section("experts").items()}
    merged.refer("default_model", default_model, "models")
    if not models[default_model].runs_here:
        raise broken(merged.origin["default_model"], "default_model", f"{default_model!r} does not run here")
    if GENERAL not in experts:
        raise broken(first, f"experts.{GENERAL}", "is missing: it answers what belongs to no specialty", "add the row")
    return Registry(default_model, MappingProxyType(models), MappingProxyType(experts), MappingProxyType(prompts))


def _model(merged: _Merged, name: str, row: Mapping[str, Any]) -> ModelSpec:
    key = dotted("models", name)
    merged.require(key, row, [entry.name for entry in keys_of(ModelSpec) if is_required(entry)])
    merged.refer(f"{key}.prompt", row["prompt"], "prompts")
    if "instead" in row:
        merged.refer(f"{key}.instead", row["instead"], "models")
    if row.get("runs_here", True):
        has_file = "repository" in row and ("file" in row or "file_pattern" in row)
        if "asset" not in row and not has_file:
            wanted = "needs `asset`, or `repository` with `file` or `file_pattern`"
            raise broken(merged.origin[key], key, wanted, "say where the file comes from")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    for table in ("sampling", "shape"):
        values[table] = MappingProxyType(row.get(table, {}))
    if "accuracy" in row:
        accuracy = row["accuracy"]
        merged.require(
            f"{key}.accuracy", accuracy, [entry.name for entry in keys_of(PublishedAccuracy) if is_required(entry)]
        )
        values["accuracy"] = PublishedAccuracy(**{**accuracy, "scores": MappingProxyType(accuracy["scores"])})
    return ModelSpec(id=name, **values)


def _expert(merged: _Merged, name: str, row: Mapping[str, Any]) -> ExpertSpec:
    key = dotted("experts", name)
    merged.require(key, row, [entry.name for entry in keys_of(ExpertSpec) if is_required(entry)])
    for base in row.get("adapters", {}):
        merged.refer(dotted(f"{key}.adapters", base), base, "models")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    values["adapters"] = MappingProxyType(row.get("adapters", {}))
    return ExpertSpec(id=name, **values)
