"""The rate at which `eval run` reads packs of questions, beside llama-bench at their mean length, in turn.

    python tests/benchmarks/evaluation_rate.py MODEL.gguf QUESTIONS.jsonl --tools FOLDER

Exit code 0 where the median of the ratios is at least 0.9, 1 where it is less. `--cpu` compares tokens for each second
of processor time, with one thread, for a machine that is never quiet: llama-bench's then includes loading the file.
"""

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

from medpocket.engine import load_engine
from medpocket.engine.cancel import Cancellation
from medpocket.evaluation.bench.settings import BenchSettings
from medpocket.evaluation.bench.tools import find_tools, prefill_rate
from medpocket.evaluation.multiple_choice import measure
from medpocket.evaluation.packs import BASE, Plan, draw_examples, plan
from medpocket.evaluation.tasks import evenly, read_tasks
from medpocket.models.hardware import default_threads

BOUND = 0.9
BATCH = 512


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--tools", type=Path, help="the folder of llama-bench; else it is looked for on the PATH")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--packs", type=int, default=3, help="in each round")
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()
    threads = 1 if given.cpu else default_threads()
    tool = find_tools(given.tools).bench
    if tool is None:
        parser.error("there is no llama-bench in that folder")
    engine = load_engine(given.model, threads=threads, batch=BATCH, for_scoring=True)
    questions = evenly(read_tasks([given.questions]).questions, 300)
    examples = draw_examples(questions, 0, None)
    *_, found = plan(engine, questions, examples, lambda _: (BASE,), pack_tokens=BATCH, room=engine.model.context)
    assert isinstance(found, Plan)
    mean = round(statistics.mean(pack.tokens for pack in found.packs))
    print(f"{len(found.packs)} packs of {mean} tokens on average, {threads} threads, batch {BATCH}")
    settings = BenchSettings(threads, None, BATCH, 0, False, mean, 0, given.rounds)
    measuring = measure(engine, found.packs, examples, Cancellation())
    next(measuring)  # the file's pages are in memory from here on
    ratios = []
    for _ in range(given.rounds):
        tokens, wall, processor = 0, time.perf_counter(), time.process_time()
        for _ in range(given.packs):
            tokens += next(measuring).evaluated
        ours = tokens / ((time.process_time() - processor) if given.cpu else time.perf_counter() - wall)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        theirs = prefill_rate(tool, given.model, settings, 0).tokens_s
        if given.cpu:  # llama-bench reads the prompt twice: once to warm up
            theirs = 2 * mean / (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
        ratios.append(ours / theirs)
        print(f"{ours:.1f} against {theirs:.1f} tokens a second: {ratios[-1]:.2f}")
    engine.close()
    ratio = statistics.median(ratios)
    print(f"median ratio {ratio:.2f}, bound {BOUND}: {'met' if ratio >= BOUND else 'missed'}")
    return 0 if ratio >= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
