"""Compare the portable wheel of llama.cpp with the build that is installed here, which was compiled for this machine.

    python tests/benchmarks/portable_build.py WHEEL [MODEL] [--rounds 5] [--prompt-tokens 512] [--answer-tokens 64]

Rounds of `medpocket bench` alternate between the two, each in processes of its own, so that a machine that grows busy
harms both alike. "MedPocket" in the table is the portable build. Exits with 1 where a bound does not hold.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bounds import Check, check, table

RATES = {"prefill_tokens_s": "reading", "decode_tokens_s": "writing"}
LEAST = 0.97
Values = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--answer-tokens", type=int, default=64)
    given = parser.parse_args()
    command = [sys.executable, "-m", "medpocket", "bench", given.model, "--json", "--rounds", "1"]
    command += ["--prompt-tokens", str(given.prompt_tokens), "--answer-tokens", str(given.answer_tokens)]
    portable: Values = {name: [] for name in [*RATES, "load_s"]}
    native: Values = {name: [] for name in portable}
    with tempfile.TemporaryDirectory() as site:
        with zipfile.ZipFile(given.wheel) as archive:
            archive.extractall(site)
        for number in range(given.rounds):
            turns = [(portable, f"{site}{os.pathsep}"), (native, "")]
            for values, path in turns if number % 2 else reversed(turns):
                measure(command, path, values)
    checks = [check(label, "tokens/s", portable[rate], native[rate], at_least=LEAST) for rate, label in RATES.items()]
    checks.append(Check("load_s", "loading", "s", portable["load_s"], native["load_s"]))
    print(table(checks))
    return 0 if all(one.met is not False for one in checks) else 1


def measure(command: list[str], path: str, values: Values) -> None:
    """Run one round with `path` before the others; add what it measured to `values`."""
    environment = os.environ | {"PYTHONPATH": path + os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    (measured,) = json.loads(done.stdout)["data"]["models"]
    for figure in measured["figures"]:
        if figure["name"] in values:
            values[figure["name"]] += figure["medpocket"]["values"]


if __name__ == "__main__":
    sys.exit(main())
