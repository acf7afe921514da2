"""Everything that decides the numbers of a run, looked up before it begins."""

import hashlib
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from medpocket import __version__
from medpocket.engine.protocol import LoadedModel
from medpocket.evaluation.packs import Expert
from medpocket.evaluation.prompts import PROMPT_VERSION
from medpocket.evaluation.results import Column, Setup
from medpocket.evaluation.run import Asked
from medpocket.models.hardware import describe_machine
from medpocket.models.hashing import sha256_of


def describe_setup(
    model: LoadedModel,
    files: tuple[Path, ...],
    asked: Asked,
    experts: Mapping[str, Expert],
    router: Path | None,
    batch: int,
    read: Callable[[int], None] = lambda _bytes: None,
) -> Setup:
    """Describe a run of a model that lies in `files`; which and how many questions, `evaluate` finds out.

    `router` is the file of its weights, where it is asked. Tells `read` how many bytes of the model were hashed.
    Raises OSError.
    """
    return Setup(
        model=model.name,
        model_sha256=_sha256(files, read),
        fingerprint=model.fingerprint,
        architecture=model.architecture,
        quantization=model.quantization,
        parameters=model.parameters,
        size_bytes=model.size_bytes,
        demonstration=model.demonstration,
        experts=asked.experts,
        columns=tuple(_column(one) for one in experts.values()),
        router_sha256=sha256_of(router) if router else None,
        tasks=asked.tasks.files,
        limit=asked.limit,
        shots=asked.shots,
        seed=asked.seed,
        questions=0,
        left_out={},
        prompt_version=PROMPT_VERSION,
        medpocket=__version__,
        llama_cpp=version("llama_cpp_python"),
        machine=machine_here(),
        threads=model.threads,
        batch=batch,
        context=model.context,
        gpu_layers=model.gpu_layers,
    )


def _column(expert: Expert) -> Column:
    return Column(expert.id, expert.adapters[0].file.sha256 if expert.adapters else None, expert.line)


def _sha256(files: tuple[Path, ...], read: Callable[[int], None]) -> str:
    """The hash of the file, or of the hashes of its parts."""
    done, hashes = 0, []
    for file in files:
        hashes.append(sha256_of(file, lambda count, before=done: read(before + count)))  # type: ignore[misc]
        done += file.stat().st_size
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def machine_here() -> dict[str, Any]:
    """The machine, as results name it."""
    machine = describe_machine()
    return {
        "processor": machine.cpu_model,
        "cores": machine.usable_cores,
        "memory_gb": round(machine.memory.total_bytes / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
    }
