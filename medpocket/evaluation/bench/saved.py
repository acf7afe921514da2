"""What `medpocket bench` measured, kept for the report: a file of JSON lines, the newest last."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from medpocket import __version__, paths
from medpocket.evaluation.bench.figures import Figure
from medpocket.evaluation.bench.rounds import Measured

FILE_NAME = "bench.jsonl"


@dataclass(frozen=True)
class SavedBench:
    """One model, measured once. `machine` is as in the evaluation's runs; `measured` is a time in UTC.

    A model is known by the fingerprint of its weights, its quantization and its size.
    """

    measured: str
    medpocket: str
    machine: Mapping[str, Any]
    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    experts: tuple[str, ...]
    adapted: bool
    llama_cpp: str
    figures: tuple[Figure, ...]

    @property
    def identity(self) -> tuple[str, str, int]:
        return self.model["fingerprint"], self.model["quantization"], self.model["size_bytes"]

    def figure(self, name: str) -> Figure | None:
        return next((one for one in self.figures if one.name == name), None)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"figures": [one.as_json() for one in self.figures]}


def describe(measured: Measured, machine: Mapping[str, Any]) -> SavedBench:
    """The measurement with the time, the machine and the version that it was made with."""
    return SavedBench(
        measured=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        medpocket=__version__,
        machine=machine,
        model=asdict(measured.model),
        settings=asdict(measured.settings),
        experts=measured.experts,
        adapted=measured.adapted,
        llama_cpp=measured.llama_cpp,
        figures=measured.figures,
    )


def results_file() -> Path:
    return paths.data_folder() / "evaluation" / FILE_NAME


def save(bench: SavedBench) -> None:
    """Add a line; one write, so that two commands at once do not mix. Raises OSError."""
    path = results_file()
    paths.make_private(path.parent)
    line = json.dumps(bench.as_json()) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        file.write(line.encode())


def saved_benches() -> list[SavedBench]:
    """The last measurement of each model, in the order in which they were made; lines that make no sense are passed."""
    try:
        lines = results_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: dict[tuple[str, str, int], SavedBench] = {}
    for line in lines:
        try:
            value = json.loads(line)
            figures = tuple(Figure.from_json(one) for one in value["figures"])
            bench = SavedBench(**value | {"experts": tuple(value["experts"]), "figures": figures})
            found.pop(bench.identity, None)
            found[bench.identity] = bench
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return list(found.values())
