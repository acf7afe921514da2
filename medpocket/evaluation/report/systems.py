"""The systems of the report: what was measured of each, and what others published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from medpocket.evaluation.bench.saved import SavedBench
from medpocket.evaluation.results import ALL, NONE, ROUTED, Results, Run, Scored
from medpocket.evaluation.statistics import Comparison, Share
from medpocket.evaluation.summary import Summary, compare
from medpocket.models.judged import Judged
from medpocket.models.recommend import accuracy_of
from medpocket.registry import ModelSpec, PublishedAccuracy


@dataclass(frozen=True)
class Measured:
    """One column of a run, the base model's or as routed; `over_base` compares what was chosen by letter."""

    column: str
    summary: Summary
    over_base: Comparison | None


@dataclass(frozen=True)
class MeasuredRun:
    """A run and its columns, the base's first."""

    run: Run
    columns: tuple[Measured, ...]

    @property
    def base(self) -> Summary:
        return self.columns[0].summary

    @property
    def identity(self) -> tuple[str, str, int]:
        """How a SavedBench knows the model."""
        setup = self.run.setup
        return setup.fingerprint, setup.quantization, setup.size_bytes


@dataclass(frozen=True)
class System:
    """A row of the report. Rates in tokens per second.

    Rates and `memory_bytes` were measured where there is a `bench`, else they are what is expected of this
    machine. `published_mean` is one number of what others published, percent.
    """

    title: str
    architecture: str
    parameters: str
    quantization: str
    demonstration: bool
    runs_here: bool
    spec: ModelSpec | None = None
    bench: SavedBench | None = None
    run: MeasuredRun | None = None
    memory_bytes: float | None = None
    prefill: float | None = None
    decode: float | None = None
    published: PublishedAccuracy | None = None
    published_mean: float | None = None

    @property
    def is_quantized(self) -> bool:
        return self.quantization not in ("F32", "F16", "BF16")

    @property
    def accuracy(self) -> Share | None:
        """By letter, of the base model."""
        return self.run.base.letters if self.run else None


def last_runs(results: Results) -> list[MeasuredRun]:
    """Of each model, and of each way to ask its experts, the last complete run. Raises ResultsError."""
    last: dict[tuple[str, str], Run] = {}
    for run in results.runs():
        if run.finished:
            last[run.setup.model_sha256, run.setup.experts] = run
    return [_measured(results, run) for run in sorted(last.values(), key=lambda run: (run.setup.model, run.id))]


def _measured(results: Results, run: Run) -> MeasuredRun:
    own = [column.expert for column in run.setup.columns]
    names = {ROUTED: [NONE, ROUTED], ALL: [*own, ROUTED]}.get(run.setup.experts, own)
    scored: Mapping[str, Sequence[Scored]] = {name: results.scored(run, name) for name in names}
    return MeasuredRun(
        run,
        tuple(
            Measured(name, Summary(rows), None if name == NONE else compare(scored[NONE], rows).letters)
            for name, rows in scored.items()
        ),
    )


def systems(judged: Iterable[Judged], benches: Sequence[SavedBench], runs: Sequence[MeasuredRun]) -> list[System]:
    """The registry's models in its order, then those that were measured and stand in no registry."""
    found = {one.spec.title: _of_registry(one) for one in judged}
    for run in runs:
        setup = run.run.setup
        row = found.get(setup.model) or System(
            setup.model,
            setup.architecture,
            size(setup.parameters),
            setup.quantization,
            setup.demonstration,
            runs_here=True,
            memory_bytes=run.run.peak_memory_bytes,
        )
        if row.run is None or len(row.run.base.rows) <= len(run.base.rows):
            row = replace(row, run=run)
        found[setup.model] = row
    for bench in benches:
        name = next((row.title for row in found.values() if row.run and row.run.identity == bench.identity), None)
        name = name or bench.model["name"]
        row = found.get(name) or System(
            name,
            bench.model["architecture"],
            size(bench.model["parameters"]),
            bench.model["quantization"],
            bench.model["demonstration"],
            runs_here=True,
        )
        found[name] = _with_bench(row, bench)
    return list(found.values())


def _of_registry(judged: Judged) -> System:
    spec, speed = judged.spec, judged.speed
    return System(
        title=spec.title,
        architecture=spec.architecture,
        parameters=spec.parameters,
        quantization=spec.quantization,
        demonstration=spec.demonstration,
        runs_here=spec.runs_here,
        spec=spec,
        memory_bytes=judged.memory_bytes,
        prefill=speed.prefill if speed else None,
        decode=speed.decode if speed else None,
        published=spec.accuracy,
        published_mean=accuracy_of(judged),
    )


def _with_bench(row: System, bench: SavedBench) -> System:
    prefill, decode, peak = map(bench.figure, ("prefill_tokens_s", "decode_tokens_s", "peak_mb"))
    return replace(
        row,
        bench=bench,
        prefill=prefill.median if prefill else row.prefill,
        decode=decode.median if decode else row.decode,
        memory_bytes=peak.median * 1e6 if peak else row.memory_bytes,
    )


def size(parameters: int) -> str:
    """A count of parameters as people say it: "7.2B", "10.9M"."""
    return f"{parameters / 1e9:.1f}B" if parameters >= 10**9 else f"{parameters / 1e6:.1f}M"
