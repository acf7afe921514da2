"""Compare MedPocket with llama.cpp's own tools on the same file, and measure its start and its demonstration model.

    python tests/benchmarks/against_llama_cpp.py MODEL.gguf [--tools FOLDER] [--threads N] [--rounds K] [--json]

Four parts, each on its own with --only: `rates` (prefill and decode against llama-bench), `process` (a whole
`medpocket ask` against llama-completion), `demo` (first token and memory of the demonstration model) and `start`
(CPU time of `medpocket --help`). Runs alternate; what is judged is the median. Exit code 1 when a bound is missed,
2 when something could not be measured. Build the tools with build_llama_cpp.py, and leave the machine idle.
"""

import argparse
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from bounds import Check, check, table
from build_llama_cpp import BuildError, default_folder, programs_folder

from medpocket.errors import BenchmarkError
from medpocket.evaluation.bench.engine_process import EngineMeasured, measure_engine
from medpocket.evaluation.bench.processes import Usage, run
from medpocket.evaluation.bench.rounds import QUESTION
from medpocket.evaluation.bench.settings import BenchSettings, Target
from medpocket.evaluation.bench.tools import decode_rate, prefill_rate
from medpocket.models.hardware import describe_machine
from medpocket.registry import load_registry

PARTS = ("rates", "process", "demo", "start")
NEED_MODEL = frozenset({"rates", "process"})
RATE_AT_LEAST = 0.97
PROCESS_AT_MOST = {"llama-completion": 0.5, "llama-completion --no-repack": 1.05}
FIRST_TOKEN_AT_MOST_S = 1.5
DEMO_PEAK_AT_MOST_MB = 200
START_AT_MOST = 8
DEMO_ROUNDS, START_ROUNDS = 15, 25
ANSWER_TOKENS = 32
DEMO_QUESTION = "What are the symptoms of glaucoma?"
BUSY_PERCENT = 5


@dataclass(frozen=True)
class Bench:
    """What the parts share."""

    model: Path
    tools: Path
    threads: int
    rounds: int
    prompt_tokens: int
    answer_tokens: int
    prompt_format: str
    environment: dict[str, str]

    @property
    def medpocket(self) -> str:
        return str(Path(sys.executable).with_name("medpocket"))

    def tool(self, name: str, *arguments: str) -> Usage:
        return run([str(self.tools / name), "-m", str(self.model), "-t", str(self.threads), *arguments])

    def settings(self, prompt_tokens: int, answer_tokens: int) -> BenchSettings:
        return BenchSettings(
            threads=self.threads,
            context=None,
            batch=512,
            gpu_layers=0,
            repack=False,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            rounds=self.rounds,
        )

    def engine(self, prompt_tokens: int, answer_tokens: int) -> EngineMeasured:
        """What the engine reaches in a process of its own."""
        target = Target(self.model.name, self.model)
        return measure_engine(target, self.settings(prompt_tokens, answer_tokens), conversation=False)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def clean_home() -> Iterator[dict[str, str]]:
    """The environment of a user who has configured nothing; folders of the user's own are not touched."""
    with tempfile.TemporaryDirectory() as home:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MEDPOCKET_", "XDG_"))}
        yield kept | {"HOME": home, "MEDPOCKET_MACHINE_CONFIG": home}


def require_same_build(bench: Bench) -> None:
    """Refuse tools that use other features of the processor than the wheel. Raises BenchmarkError."""
    tool = bench.tool("llama-completion", "-no-cnv", "-c", "256", "-n", "1", "-p", "a", "--no-repack").stderr
    ours, theirs = (
        text[text.find("CPU :") :].partition("\n")[0].strip(" |")
        for text in (bench.engine(8, 2).system_info, tool[tool.find("system_info") :])
    )
    if ours != theirs:
        raise BenchmarkError(
            f"the tools and the wheel were built for different processors: {theirs!r} against {ours!r}",
            "build both with the same CMAKE_ARGS",
        )


def compare_rates(bench: Bench) -> list[Check]:
    prompt, tokens = bench.prompt_tokens, bench.answer_tokens
    settings = bench.settings(prompt, tokens)
    ours: dict[str, list[float]] = {"prefill": [], "decode": []}
    theirs: dict[str, list[float]] = {"prefill": [], "decode": []}
    for number in range(bench.rounds):
        progress(f"rates, round {number + 1} of {bench.rounds}")
        measured = bench.engine(prompt, tokens)
        ours["prefill"].append(measured.prefill)
        ours["decode"].append(measured.decode)
        for name, rate in (("prefill", prefill_rate), ("decode", decode_rate)):
            theirs[name].append(rate(bench.tools / "llama-bench", bench.model, settings, 0).tokens_s)
    labels = {"prefill": f"prefill of {prompt} tokens", "decode": f"decode of {tokens} after {prompt}"}
    return [
        check(f"{label} against llama-bench", "tokens/s", ours[name], theirs[name], at_least=RATE_AT_LEAST)
        for name, label in labels.items()
    ]


def completion_tokens(usage: Usage) -> tuple[int, int]:
    """Tokens of the prompt and of the answer that llama-completion says it evaluated."""
    read = re.search(r"prompt eval time =.*?/ +(\d+) tokens", usage.stderr)
    answered = re.search(r" eval time =.*?/ +(\d+) runs", usage.stderr)
    if not read or not answered:
        raise BenchmarkError("llama-completion printed no timings", "its output has changed")
    return int(read[1]), int(answered[1]) + 1  # the first token comes from reading the prompt


def compare_process(bench: Bench) -> list[Check]:
    system = load_registry().expert("general").system
    text = bench.prompt_format.format(f"{QUESTION}\n\n{system}" if system else QUESTION)
    ask = [bench.medpocket, "ask", "-m", str(bench.model), "--no-route", "-o", "threads", str(bench.threads)]
    ask += ["-o", "temperature", "0", "-o", "max_tokens", str(ANSWER_TOKENS)]
    complete = ["-p", text, "-n", str(ANSWER_TOKENS), "--temp", "0", "-no-cnv"]

    stats = json.loads(run([*ask, "--json", QUESTION], bench.environment).stdout)["data"]["stats"]
    work = (stats["prompt_tokens"], stats["answer_tokens"])
    others = {name: [*name.split()[1:], *complete] for name in PROCESS_AT_MOST}
    for name, arguments in others.items():
        theirs = completion_tokens(bench.tool("llama-completion", *arguments))
        if theirs != work or work[1] != ANSWER_TOKENS:
            raise BenchmarkError(
                f"not the same work: (prompt, answer) tokens are {work} with medpocket and {theirs} with {name}",
                f"{ANSWER_TOKENS} of answer are wanted, and --prompt-format must be as the model reads it, spaces too",
            )
    ours: dict[str, list[Usage]] = {name: [] for name in others}
    theirs_all: dict[str, list[Usage]] = {name: [] for name in others}
    for number in range(bench.rounds):
        progress(f"whole process, round {number + 1} of {bench.rounds}")
        for name, arguments in others.items():
            ours[name].append(run([*ask, QUESTION], bench.environment))
            theirs_all[name].append(bench.tool("llama-completion", *arguments))
    label = f"{work[0]} + {work[1]} tokens"
    return [check for name in others for check in process_checks(label, name, ours[name], theirs_all[name])]


def process_checks(label: str, name: str, ours: list[Usage], theirs: list[Usage]) -> list[Check]:
    def row(what: str, unit: str, value: Any, at_most: float | None = None) -> Check:
        title = f"{what} of {label} against {name}"
        return check(title, unit, [value(usage) for usage in ours], [value(usage) for usage in theirs], at_most=at_most)

    return [
        row("wall time", "s", lambda usage: usage.wall_s, PROCESS_AT_MOST[name]),
        row("CPU time", "s", lambda usage: usage.cpu_s),
        row("peak memory", "MB", lambda usage: usage.peak_bytes / 1e6),
    ]


def measure_demo(bench: Bench) -> list[Check]:
    ask = [bench.medpocket, "ask", "-m", "demo", "-o", "threads", str(bench.threads), DEMO_QUESTION]
    runs = [run(ask, bench.environment) for _ in range(DEMO_ROUNDS + 1)][1:]  # the first one reads the disk
    first = [usage.first_byte_s for usage in runs if usage.first_byte_s is not None]
    if len(first) < len(runs):
        raise BenchmarkError("the demonstration model gave an empty answer", "look at what it says")
    peaks = [usage.peak_bytes / 1e6 for usage in runs]
    return [
        check("demonstration model, first token after process start", "s", first, at_most=FIRST_TOKEN_AT_MOST_S),
        check("demonstration model, peak memory", "MB", peaks, at_most=DEMO_PEAK_AT_MOST_MB),
    ]


def measure_start(bench: Bench) -> list[Check]:
    nothing = [sys.executable, "-c", "pass"]
    checks = []
    for option in ("--help", "--version"):
        command = [bench.medpocket, option]
        run(command, bench.environment)  # may compile bytecode
        pairs = [(run(command, bench.environment), run(nothing, bench.environment)) for _ in range(START_ROUNDS)]
        ours, theirs = ([usage.cpu_s * 1000 for usage in side] for side in zip(*pairs, strict=True))
        name = f"CPU time of medpocket {option} against python -c pass"
        checks.append(check(name, "ms", ours, theirs, at_most=START_AT_MOST))
    return checks


def measure(bench: Bench, parts: list[str]) -> list[Check]:
    if NEED_MODEL.intersection(parts):
        for name in ("llama-bench", "llama-completion"):
            if not (bench.tools / name).is_file():
                raise BenchmarkError(f"no {name} in {bench.tools}", "run build_llama_cpp.py, or give --tools FOLDER")
        require_same_build(bench)
    measures = {"rates": compare_rates, "process": compare_process, "demo": measure_demo, "start": measure_start}
    checks: list[Check] = []
    for part in parts:
        progress(f"measuring: {part}")
        checks += measures[part](bench)
    return checks


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, help="the file of the comparison; demo and start need none")
    parser.add_argument("--tools", type=Path, help="the folder that build_llama_cpp.py printed")
    parser.add_argument(
        "--threads",
        type=int,
        default=describe_machine().default_threads(),
        help="of every program (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="of rates and process (default: 5)")
    parser.add_argument("--prompt-tokens", type=int, default=512, help="of rates (default: 512)")
    parser.add_argument("--answer-tokens", type=int, default=64, help="of rates (default: 64)")
    parser.add_argument("--prompt-format", default="[INST] {} [/INST]", help="the model's prompt (default: Mistral's)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    parser.add_argument("--json", action="store_true", help="print JSON with every value, not a table")
    arguments = parser.parse_args()
    if arguments.model is None and NEED_MODEL.intersection(arguments.only):
        parser.error(f"{' and '.join(sorted(NEED_MODEL.intersection(arguments.only)))} need a model file")
    if arguments.model is not None and not arguments.model.is_file():
        parser.error(f"there is no file {arguments.model}")
    return arguments


def report(arguments: argparse.Namespace, busy_percent: float, checks: list[Check]) -> None:
    about = {
        "machine": f"{platform.machine()}, {psutil.cpu_count(logical=False)} cores, {platform.system()}",
        "python": platform.python_version(),
        "llama-cpp-python": version("llama-cpp-python"),
        "model": arguments.model.name if arguments.model else None,
        "model_bytes": arguments.model.stat().st_size if arguments.model else None,
        "threads": arguments.threads,
        "busy_percent_before": busy_percent,
    }
    if arguments.json:
        print(json.dumps(about | {"checks": [check.as_json() for check in checks]}, indent=1))
        return
    print("; ".join(f"{name} {value}" for name, value in about.items() if value is not None))
    print("medians, in brackets the least and the greatest\n")
    print(table(checks))


def main() -> int:
    arguments = read_arguments()
    busy_percent = psutil.cpu_percent(interval=2)
    if busy_percent > BUSY_PERCENT:
        progress(f"WARNING: other programs use {busy_percent:.0f} % of the processor: the figures say little")
    try:
        tools = arguments.tools or programs_folder(default_folder())
        with clean_home() as environment:
            bench = Bench(
                model=(arguments.model or Path()).resolve(),
                tools=tools.resolve(),
                threads=arguments.threads,
                rounds=arguments.rounds,
                prompt_tokens=arguments.prompt_tokens,
                answer_tokens=arguments.answer_tokens,
                prompt_format=arguments.prompt_format,
                environment=environment,
            )
            checks = measure(bench, arguments.only)
    except (BenchmarkError, BuildError) as error:
        print(f"against_llama_cpp: {error}", *getattr(error, "hint", "").splitlines(), sep="\n", file=sys.stderr)
        return 2
    report(arguments, busy_percent, checks)
    return 1 if any(check.met is False for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
