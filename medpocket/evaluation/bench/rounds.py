"""Measure one model in alternating repetitions: MedPocket, llama.cpp's tools, MedPocket, and so on."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medpocket.engine.protocol import LoadedModel
from medpocket.evaluation.bench.engine_process import CONVERSATION_ANSWER, EngineMeasured, measure_engine
from medpocket.evaluation.bench.figures import Figure
from medpocket.evaluation.bench.llama_server import LlamaServer
from medpocket.evaluation.bench.processes import run
from medpocket.evaluation.bench.settings import BenchSettings, Target
from medpocket.evaluation.bench.tools import BENCH, SERVER, Tools, decode_rate, prefill_rate
from medpocket.registry import GENERAL, Registry

QUESTION = (  # 35 tokens of the SentencePiece vocabulary that Llama 2 and Mistral share
    "Which drugs lower the pressure in the eye in open-angle glaucoma, how do they all work, "
    "and which must a patient with asthma avoid?"
)
_START_ROUNDS = 5


@dataclass(frozen=True)
class Measured:
    """What was measured of one model. `experts` were asked in the conversation; `adapted` by adapters of their own."""

    model: LoadedModel
    settings: BenchSettings
    experts: tuple[str, ...]
    adapted: bool
    llama_cpp: str
    figures: tuple[Figure, ...]


@dataclass
class _Server:
    """What a conversation with llama-server took, repetition by repetition."""

    ready_s: list[float] = field(default_factory=list)
    first_token_s: list[list[float]] = field(default_factory=list)
    evaluated: list[list[float]] = field(default_factory=list)
    peak_bytes: list[float] = field(default_factory=list)


def measure_model(target: Target, settings: BenchSettings, tools: Tools, told: Callable[[str], None]) -> Measured:
    """Measure a model, and llama.cpp's tools on the same file; `told` is told what is being measured.

    Raises BenchmarkError.
    """
    engines: list[EngineMeasured] = []
    prefill, decode, builds, asked_s = [], [], [], []
    server = _Server()
    for number in range(1, settings.rounds + 1):
        place = f"{target.name}, repetition {number} of {settings.rounds}"
        told(f"{place}: MedPocket")
        one = measure_engine(target, settings)
        engines.append(one)
        asked_s.append(_ask_once(target, settings))
        layers = one.model.gpu_layers
        if tools.bench:
            told(f"{place}: {BENCH}")
            rates = [measure(tools.bench, target.path, settings, layers) for measure in (prefill_rate, decode_rate)]
            prefill.append(rates[0].tokens_s)
            decode.append(rates[1].tokens_s)
            builds.append(rates[0].build)
        if tools.server:
            told(f"{place}: {SERVER}")
            _ask_server(server, tools, target, settings, one)
    figures = [
        *_rate_figures(settings, engines, prefill, decode),
        *_conversation_figures(engines, server),
        Figure("ask_first_byte_s", "a whole `medpocket ask`, from its start to its first word", "s", asked_s),
        *_memory_figures(engines, server),
    ]
    last = engines[-1]
    return Measured(
        last.model,
        settings,
        last.experts,
        bool(last.adapters),
        builds[-1] if builds else "",
        tuple(figure for figure in figures if figure.is_known),
    )


def measure_start() -> Iterator[Figure]:
    """The start of the command, beside that of Python alone."""
    ours, python = [sys.executable, "-m", "medpocket", "--version"], [sys.executable, "-c", "pass"]
    run(ours)  # may compile bytecode
    pairs = [(run(ours), run(python)) for _ in range(_START_ROUNDS)]
    for name, label, taken in (
        ("start_wall_ms", "start-up, `medpocket --version`", "wall_s"),
        ("start_cpu_ms", "start-up, processor time", "cpu_s"),
    ):
        own, other = ([getattr(usage, taken) * 1000 for usage in side] for side in zip(*pairs, strict=True))
        figure = Figure(name, label, "ms", own, other, "python -c pass")
        if figure.is_known:
            yield figure


def measure_router(registry: Registry, rounds: int) -> Iterator[Figure]:
    """Loading the router, and routing a question for each keyword of each expert. Raises RouterError."""
    from medpocket.router.route import load_router

    started = time.perf_counter()
    router = load_router()
    router.route(QUESTION)
    first_ms = (time.perf_counter() - started) * 1000
    texts = [
        f"What should be done next for a patient with {word}?"
        for expert in registry.experts.values()
        if expert.id != GENERAL
        for word in expert.keywords
    ]
    medians, slowest = [], []
    for _ in range(rounds):
        taken = []
        for text in texts:
            before = time.perf_counter()
            router.route(text)
            taken.append((time.perf_counter() - before) * 1000)
        medians.append(statistics.median(taken))
        slowest.append(sorted(taken)[len(taken) * 99 // 100])
    yield Figure("router_first_ms", "router, loading and the first question", "ms", [first_ms])
    yield Figure("router_p50_ms", f"router, a question, median of {len(texts):,}", "ms", medians)
    yield Figure("router_p99_ms", "router, a question, 99 of 100 take less", "ms", slowest)


def _ask_once(target: Target, settings: BenchSettings) -> float:
    """Seconds until the first word of a whole `medpocket ask` is on stdout; NaN where none comes."""
    options = {"threads": settings.threads, "batch": settings.batch, "temperature": 0, "max_tokens": 8}
    if settings.context:
        options["context"] = settings.context
    given = [part for key, value in options.items() for part in ("-o", key, str(value))]
    ask = ["-m", "medpocket", "ask", "-m", str(target.path), "--no-route", *given, QUESTION]
    return run([sys.executable, *ask]).first_byte_s or float("nan")


def _ask_server(into: _Server, tools: Tools, target: Target, settings: BenchSettings, engine: EngineMeasured) -> None:
    """The conversation that the engine had, with the same new tokens behind the server's own answers."""
    assert tools.server
    with LlamaServer(
        tools.server,
        target.path,
        threads=settings.threads,
        context=engine.model.context,
        batch=settings.batch,
        gpu_layers=engine.model.gpu_layers,
        repack=settings.repack,
        adapters=[Path(one) for one in dict.fromkeys(engine.adapters)],
    ) as server:
        held: tuple[int, ...] = ()
        first_token, evaluated = [], []
        for number, new in enumerate(engine.new_ids):
            held = (*held, *new)
            adapter = number // 2 if engine.adapters else None
            completion = server.complete(held, tokens=CONVERSATION_ANSWER, adapter=adapter)
            held = (*held, *completion.ids)
            first_token.append(completion.first_token_s)
            evaluated.append(float(completion.evaluated))
    into.ready_s.append(server.ready_s)
    into.first_token_s.append(first_token)
    into.evaluated.append(evaluated)
    into.peak_bytes.append(server.peak_bytes)


def _rate_figures(
    settings: BenchSettings, engines: Sequence[EngineMeasured], prefill: Sequence[float], decode: Sequence[float]
) -> Iterator[Figure]:
    read, written = settings.prompt_tokens, settings.answer_tokens
    label = f"reading a prompt of {read:,} tokens"
    yield Figure("prefill_tokens_s", label, "tokens/s", [one.prefill for one in engines], prefill, BENCH)
    label = f"writing {written:,} tokens behind it"
    yield Figure("decode_tokens_s", label, "tokens/s", [one.decode for one in engines], decode, BENCH)


def _conversation_figures(engines: Sequence[EngineMeasured], server: _Server) -> Iterator[Figure]:
    yield Figure("load_s", "loading the model", "s", [one.load_s for one in engines])
    label = "from the start of a process until it can be asked"
    yield Figure("ready_s", label, "s", [one.ready_s for one in engines], server.ready_s, SERVER)
    for number, (name, what) in enumerate(
        (("cold", "the first question"), ("follow_up", "a follow-up"), ("switch", "a question to another expert"))
    ):
        replies = [one.replies[number] for one in engines]
        in_all = f"{what} (conversation of {replies[0].prompt_tokens:,} tokens)"
        seconds = [one[number] for one in server.first_token_s]
        tokens = [one[number] for one in server.evaluated]
        yield Figure(
            f"{name}_first_token_s", f"first token of {in_all}", "s",
            [one.first_token_s for one in replies], seconds, SERVER,
        )  # fmt: skip
        yield Figure(
            f"{name}_evaluated", f"tokens evaluated for {what}", "tokens",
            [float(one.evaluated) for one in replies], tokens, SERVER,
        )  # fmt: skip


def _memory_figures(engines: Sequence[EngineMeasured], server: _Server) -> Iterator[Figure]:
    ours, theirs = [one.conversation_peak / 1e6 for one in engines], [one / 1e6 for one in server.peak_bytes]
    yield Figure("conversation_peak_mb", "peak memory of the conversation", "MB", ours, theirs, SERVER)
    yield Figure("peak_mb", "peak memory of everything", "MB", [one.peak / 1e6 for one in engines])
