"""Compare the tokens per second that MedPocket expects of a model with what its engine then reaches.

    python tests/benchmarks/speed_prediction.py MODEL.gguf [--prompt-tokens 256] [--answer-tokens 32] [--rounds 3]

Rounds alternate: the probe, then the engine, each in a process of its own, so that a machine that grows busy harms both
alike. The engine reads a prompt in one batch after another from an empty cache and decodes an answer behind it. Exits
with 1 where the median of a ratio, expected over measured, is further off than the bound.

`--cpu-time` is for a machine that others use: one thread, and its own time on the processor in the place of wall time,
which are the same where nobody else computes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

WORD = "and "


def probe(model: Path, tokens: int, threads: int) -> dict[str, float]:
    """Measure the machine anew, and say what is expected of the model."""
    from medpocket.engine.probe import measure_rates
    from medpocket.models.gguf_check import check_model_file
    from medpocket.models.shape import shape_of
    from medpocket.models.speed import expected_speed

    shape = shape_of(check_model_file(model))
    started = time.perf_counter()
    rates = measure_rates(sorted(shape.matrices), threads)
    took = time.perf_counter() - started
    speed = expected_speed(shape, rates, tokens=tokens)
    if speed is None:
        sys.exit("speed_prediction: a rate is missing")
    return {"prefill": speed.prefill, "decode": speed.decode, "probe_s": took}


def engine(model: Path, tokens: int, answer_tokens: int, threads: int) -> dict[str, float]:
    """Read a prompt of so many tokens and answer."""
    from medpocket.engine import load_engine
    from medpocket.engine.cancel import Cancellation
    from medpocket.engine.prompt import Prompt
    from medpocket.types import Generated, Sampling, Turn

    loaded = load_engine(model, threads=threads)
    ids = loaded.encode([Turn("user", WORD * tokens)]).ids
    for _ in loaded.generate(Prompt(ids[1:9], (8,)), Sampling(max_tokens=1), Cancellation()):
        pass  # the first decode of a process is slower
    *_, last = loaded.generate(
        Prompt(ids[:tokens], (tokens,)), Sampling(max_tokens=answer_tokens, seed=1), Cancellation()
    )
    loaded.close()
    if not isinstance(last, Generated) or last.stats.evaluated_tokens != tokens or last.stats.answer_tokens < 2:
        sys.exit("speed_prediction: the engine did not read and answer as it should; try another --answer-tokens")
    return {"prefill": last.stats.prefill_rate, "decode": last.stats.decode_rate}


def in_a_process(part: str, arguments: argparse.Namespace) -> dict[str, float]:
    sizes = ["--prompt-tokens", str(arguments.prompt_tokens), "--answer-tokens", str(arguments.answer_tokens)]
    sizes += ["--threads", str(arguments.threads), *(["--cpu-time"] if arguments.cpu_time else [])]
    command = [sys.executable, __file__, str(arguments.model), *sizes, "--part", part]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> int:
    from medpocket.models.hardware import default_threads

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--answer-tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--cpu-time", action="store_true", help="one thread, judged by its time on the processor")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bound", type=float, default=0.2, help="how far off the median may be (default: 0.2)")
    parser.add_argument("--part", choices=("probe", "engine"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cpu_time:
        arguments.threads = 1
        time.perf_counter = time.process_time
    if arguments.part == "probe":
        print(json.dumps(probe(arguments.model, arguments.prompt_tokens, arguments.threads)))
        return 0
    if arguments.part == "engine":
        print(json.dumps(engine(arguments.model, arguments.prompt_tokens, arguments.answer_tokens, arguments.threads)))
        return 0
    ratios: dict[str, list[float]] = {"prefill": [], "decode": []}
    print(f"{'round':>5} {'what':<8} {'expected':>9} {'measured':>9} {'ratio':>6}")
    for number in range(1, arguments.rounds + 1):
        expected, measured = in_a_process("probe", arguments), in_a_process("engine", arguments)
        for what, values in ratios.items():
            values.append(expected[what] / measured[what])
            print(f"{number:>5} {what:<8} {expected[what]:>9.2f} {measured[what]:>9.2f} {values[-1]:>6.3f}", flush=True)
        print(f"      the probe took {expected['probe_s']:.2f} s")
    medians = {what: statistics.median(values) for what, values in ratios.items()}
    print(f"median ratio: prefill {medians['prefill']:.3f}, decode {medians['decode']:.3f}")
    return 1 if any(abs(one - 1) > arguments.bound for one in medians.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
