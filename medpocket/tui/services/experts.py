"""The experts and their adapters, as the library has them."""

from dataclasses import dataclass

from medpocket.errors import AdapterError
from medpocket.experts.described import details_of, gain_words, problem_of
from medpocket.experts.library import Entry, Library, Record
from medpocket.registry import GENERAL, load_registry


@dataclass(frozen=True)
class ExpertRow:
    """An expert in one line; `adapter` names the models that it has one for, and `gain` what each was worth."""

    id: str
    adapter: str
    size: str
    gain: str


def rows() -> list[ExpertRow]:
    """Every expert of the registry, then those that only have an adapter. Raises SettingsError and AdapterError."""
    records = [entry.record for entry in Library().entries()]
    experts = dict.fromkeys([*load_registry().experts, *(record.expert for record in records)])
    return [_row(expert, [one for one in records if one.expert == expert]) for expert in experts]


def _row(expert: str, records: list[Record]) -> ExpertRow:
    none = "" if expert == GENERAL else "none: prompt only"
    return ExpertRow(
        id=expert,
        adapter=", ".join(record.base_name for record in records) or none,
        size=", ".join(f"{record.size / 1e6:.1f} MB" for record in records),
        gain=", ".join(gain_words(record.gain) for record in records),
    )


def details(expert: str) -> list[tuple[str, str]]:
    """All about an expert and its adapters; their files are read. Raises SettingsError, AdapterError, UnknownName."""
    spec = load_registry().expert(expert)
    lines = [(spec.title, ""), ("", spec.description), ("its line", spec.system or "none")]
    entries = _entries(expert)
    if not entries and expert != GENERAL:
        lines.append(("adapter", "none: `medpocket experts add` and `train` give it one"))
    for entry in entries:
        lines.append(("", ""))
        try:
            lines += details_of(entry)
        except AdapterError as error:
            lines += [("adapter for", entry.record.base_name), ("problem", f"{error.message}; {error.hint}")]
    return lines


def problems(expert: str) -> list[str]:
    """Read the expert's adapters whole, and say what is wrong with each. Raises AdapterError for the record."""
    found = ((entry, problem_of(entry)) for entry in _entries(expert))
    return [f"{entry.path.name}: {problem}" for entry, problem in found if problem]


def _entries(expert: str) -> list[Entry]:
    return [entry for entry in Library().entries() if entry.record.expert == expert]
