"""Compare the memory that MedPocket predicts for a model with what a whole `medpocket ask` then takes at its peak.

    python tests/benchmarks/memory_prediction.py MODEL.gguf ... [--context 512 2048 8192] [--bound 0.1]

Each measurement is a process of its own, which reads a prompt of a full batch (or of as much as the context holds) and
answers a few tokens. Its peak is the kernel's count of resident pages, those of the mapped file too. A file that was
trained for less is measured through a copy that claims more: memory does not depend on it. Exits with 1 where a
prediction is further off than the bound.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medpocket.errors import BenchmarkError
from medpocket.evaluation.bench.processes import run

CONTEXTS = (512, 2048, 8192)
WORD = "and "
TOKENS_KEPT = 192  # of the context, for the template and the answer


@contextmanager
def claiming(model: Path, context: int) -> Iterator[Path]:
    """The file itself, or a copy that says that it was trained for so many tokens."""
    from medpocket.models.gguf_reader import read_gguf

    gguf = read_gguf(model)
    if (gguf.trained_context or 0) >= context:
        yield model
        return
    key = gguf.own("context_length").encode()
    content = bytearray(model.read_bytes())
    place = content.index(len(key).to_bytes(8, "little") + key) + 8 + len(key) + 4  # the value's type is a u32
    content[place : place + 4] = context.to_bytes(4, "little")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.gguf"
        copy.write_bytes(content)
        yield copy


def predicted_bytes(model: Path, context: int) -> int:
    from medpocket.models.gguf_check import check_model_file
    from medpocket.models.memory import memory_need
    from medpocket.models.shape import shape_of

    return memory_need(shape_of(check_model_file(model)), context).total


def measured_bytes(model: Path, context: int, tokens: int) -> int:
    """The peak of a whole process that answers."""
    with tempfile.TemporaryDirectory() as home:
        options = ["-o", "context", str(context), "-o", "max_tokens", "4", "--no-route", "--json"]
        command = [sys.executable, "-m", "medpocket", "ask", "-m", str(model), *options, WORD * tokens]
        usage = run(command, os.environ | {"MEDPOCKET_HOME": home})
    stats = json.loads(usage.stdout)["data"]["stats"]
    print(f"    {stats['evaluated_tokens']} tokens read, {stats['answer_tokens']} answered", file=sys.stderr)
    return usage.peak_bytes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--context", nargs="+", type=int, default=CONTEXTS)
    parser.add_argument("--bound", type=float, default=0.1, help="how far off a prediction may be (default: 0.1)")
    arguments = parser.parse_args()
    worst = 0.0
    print(f"{'model':<16} {'context':>8} {'predicted MB':>13} {'measured MB':>12} {'ratio':>6}")
    for model in arguments.models:
        for context in arguments.context:
            with claiming(model.resolve(), context) as file:
                predicted = predicted_bytes(file, context)
                tokens = min(520, context - TOKENS_KEPT)
                try:
                    measured = measured_bytes(file, context, tokens)
                except BenchmarkError as error:
                    print(f"memory_prediction: {error}", file=sys.stderr)
                    return 2
            ratio = predicted / measured
            worst = max(worst, abs(ratio - 1))
            print(f"{model.name:<16} {context:>8} {predicted / 1e6:>13,.1f} {measured / 1e6:>12,.1f} {ratio:>6.3f}")
    return 1 if worst > arguments.bound else 0


if __name__ == "__main__":
    sys.exit(main())
