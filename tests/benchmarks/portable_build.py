"""Compare the portable wheel of llama.cpp with the build that is installed here, which was compiled for this machine.

    python tests/benchmarks/portable_build.py WHEEL [MODEL.gguf] [--rounds 5] [--prompt-tokens 512] [--answer-tokens 64]

What `medpocket bench` measures as rates, in rounds that alternate between the two, each in a process of its own, so
that a machine that grows busy harms both alike. "MedPocket" in the table is the portable build. Exits with 1 where a
bound does not hold.
"""

import argparse
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from bounds import Check, check, table

from medpocket import paths
from medpocket.evaluation.bench.engine_process import EngineMeasured, measure_engine
from medpocket.evaluation.bench.settings import BenchSettings, Target
from medpocket.models.hardware import describe_machine

LEAST = 0.97
_BATCH = 512


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("model", type=Path, nargs="?", default=paths.assets_folder() / "demo.gguf")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--answer-tokens", type=int, default=64)
    given = parser.parse_args()
    settings = BenchSettings(
        threads=describe_machine().default_threads(),
        context=given.prompt_tokens + given.answer_tokens,
        batch=_BATCH,
        gpu_layers=0,
        repack=False,
        prompt_tokens=given.prompt_tokens,
        answer_tokens=given.answer_tokens,
        rounds=1,
    )
    target = Target(given.model.stem, given.model)
    own = os.environ.get("PYTHONPATH", "")
    portable: list[EngineMeasured] = []
    native: list[EngineMeasured] = []
    with tempfile.TemporaryDirectory() as site:
        with zipfile.ZipFile(given.wheel) as archive:
            archive.extractall(site)
        for number in range(given.rounds):
            turns = [(portable, f"{site}{os.pathsep}{own}"), (native, own)]
            for measured, path in turns if number % 2 else reversed(turns):
                os.environ["PYTHONPATH"] = path
                one = measure_engine(target, settings, conversation=False)
                measured.append(one)
                name = "portable" if measured is portable else "native"
                print(f"{name}: {one.prefill:.1f} {one.decode:.2f} {one.ready_s:.2f}", file=sys.stderr)
    print(f"portable: {portable[0].system_info}\nnative:   {native[0].system_info}\n")
    checks = [
        check(
            "reading, tokens/s", "", [one.prefill for one in portable], [one.prefill for one in native], at_least=LEAST
        ),
        check(
            "writing, tokens/s", "", [one.decode for one in portable], [one.decode for one in native], at_least=LEAST
        ),
        Check("ready_s", "ready after", "s", [one.ready_s for one in portable], [one.ready_s for one in native]),
    ]
    print(table(checks))
    return 0 if all(one.met is not False for one in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
