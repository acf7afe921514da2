"""Train a tiny model in a process of its own, for tests to kill: `python -m tests.forge.tiny_run WORK STEPS`."""

import sys
from pathlib import Path

from medpocket.forge.architecture import new_model
from medpocket.forge.packing import Sequence
from medpocket.forge.training import Bounds, Plan, Trainer

VOCABULARY = 64
PLAN = Plan(seed=7, batch=2, length=32, warmup=5)


class Counting:
    """Batches of a text that is easy to learn; each step's is its own."""

    def __getitem__(self, step: int) -> list[Sequence]:
        rows = [
            [(step * 5 + row + place * 3) % VOCABULARY for place in range(PLAN.length)] for row in range(PLAN.batch)
        ]
        return [(row, row) for row in rows]


def tiny_trainer(work: Path, plan: Plan = PLAN, lines: list[str] | None = None) -> Trainer:
    def report(line: str) -> None:
        if lines is None:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        else:
            lines.append(line)

    model = new_model(VOCABULARY, plan.seed, layers=2, hidden=128, intermediate=160)
    return Trainer(model, plan, Counting(), work, report, compiled=False)


if __name__ == "__main__":
    finished = tiny_trainer(Path(sys.argv[1])).run(Bounds(steps=int(sys.argv[2]), save_every_s=0.0))
    sys.exit(0 if finished else 130)
