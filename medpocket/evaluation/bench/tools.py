"""llama.cpp's own tools: where they are, and what llama-bench measures."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import BenchmarkError
from medpocket.evaluation.bench.processes import run
from medpocket.evaluation.bench.settings import BenchSettings

BENCH, SERVER = "llama-bench", "llama-server"


@dataclass(frozen=True)
class Tools:
    """The programs; None for one that is not here."""

    bench: Path | None = None
    server: Path | None = None


def find_tools(folder: Path | None) -> Tools:
    """Look in `folder`, or on the PATH. Raises BenchmarkError where neither is there."""
    found = [shutil.which(name, path=str(folder) if folder else None) for name in (BENCH, SERVER)]
    if not any(found):
        raise BenchmarkError(
            f"there is no {BENCH} and no {SERVER} {'in that folder' if folder else 'on the PATH'}",
            "name the folder of llama.cpp's programs with --tools FOLDER, or measure without --compare",
        )
    bench, server = (Path(one).resolve() if one else None for one in found)
    return Tools(bench, server)


@dataclass(frozen=True)
class Rate:
    """Tokens per second of one repetition, and the llama.cpp that it was measured with."""

    tokens_s: float
    build: str


def prefill_rate(tool: Path, model: Path, settings: BenchSettings, gpu_layers: int) -> Rate:
    """Read a prompt. Raises BenchmarkError."""
    return _rate(tool, model, settings, gpu_layers, "-p", str(settings.prompt_tokens), "-n", "0")


def decode_rate(tool: Path, model: Path, settings: BenchSettings, gpu_layers: int) -> Rate:
    """Decode an answer behind a prompt that is read. Raises BenchmarkError."""
    tokens, depth = str(settings.answer_tokens), str(settings.prompt_tokens)
    return _rate(tool, model, settings, gpu_layers, "-p", "0", "-n", tokens, "-d", depth)


def _rate(tool: Path, model: Path, settings: BenchSettings, gpu_layers: int, *test: str) -> Rate:
    """One repetition, with the same threads, batch and repack setting."""
    threads, batch = str(settings.threads), str(settings.batch)
    options = ["-m", str(model), "-t", threads, "-b", batch, "-ub", batch, "-ngl", str(gpu_layers)]
    options += ["--repack", str(int(settings.repack)), "-r", "1", "-o", "json"]
    try:
        result = json.loads(run([str(tool), *options, *test]).stdout)[0]
        taken = (bool(result["repack"]), result["n_threads"], result["n_batch"])
        rate = Rate(float(result["avg_ts"]), f"{result['build_commit']} ({result['build_number']})")
    except (ValueError, LookupError, TypeError):
        raise BenchmarkError(
            f"{tool.name} printed no rate that can be read", "take one of this llama.cpp's age"
        ) from None
    if taken != (settings.repack, settings.threads, settings.batch):
        raise BenchmarkError(f"{tool.name} did not heed its options", "take one of this llama.cpp's age")
    return rate
