"""Train a causal language model on packed batches: bounded in steps, resumable at any, the same either way."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from medpocket.errors import InputError
from medpocket.forge.packing import Sequence
from medpocket.forge.precision import autocast

CHECKPOINT = "checkpoint.pt"
MEASURED_STEPS = 12  # timed to turn minutes into steps, all within the warm-up: their rates do not depend on the result
Report = Callable[[str], None]


class BatchSource(Protocol):
    """Batches by the number of their step."""

    def __getitem__(self, step: int) -> list[Sequence]: ...


@dataclass(frozen=True)
class Plan:
    """Everything that decides the weights, beside the data; a checkpoint of another plan is refused."""

    seed: int = 1
    batch: int = 8
    length: int = 1024
    matrix_rate: float = 6e-3
    vector_rate: float = 3e-3
    weight_decay: float = 0.1
    warmup: int = 60
    data: str = ""  # fingerprint of what is trained on


@dataclass(frozen=True)
class Bounds:
    """How long to train: `steps`, or as many as `minutes` allow at the rate measured at the start."""

    steps: int | None = None
    minutes: float | None = None
    save_every_s: float = 120.0
    evaluate_every_s: float = 240.0


class Trainer:
    """One training run in a work folder."""

    def __init__(
        self,
        model: Any,
        plan: Plan,
        batches: BatchSource,
        work: Path,
        report: Report,
        device: str = "cpu",
        compiled: bool = True,
    ) -> None:
        import torch

        self.device = torch.device(device)
        self.model, self.plan, self.batches, self.work, self.report = model.to(device), plan, batches, work, report
        self.optimizers = _optimizers(self.model, plan)
        self.step = 0
        self.steps: int | None = None
        self._compiled = compiled
        self._forward = self.model

    def _compile(self) -> Any:
        """The model compiled, about three times as fast on a busy CPU; as it is where no compiler works."""
        import torch

        self.report("compiling the model, about a minute")
        try:
            forward = torch.compile(self.model)
            self._loss(forward, [([0] * self.plan.length, [0] * self.plan.length)] * self.plan.batch).backward()
        except Exception as error:  # torch raises many kinds; each means the same here
            self.report(f"not compiled ({type(error).__name__}): training goes on, more slowly")
            forward = self.model
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        return forward

    def run(self, bounds: Bounds, evaluate: Callable[[Any], float] | None = None) -> bool:
        """Train to the end of the plan; False where Ctrl-C stopped it. Resumes from the work folder by itself."""
        self._resume(bounds)
        if self._compiled and self.step != self.steps:
            self._forward = self._compile()
        started = saved = evaluated = time.monotonic()
        first_step = self.step
        with interruptible() as interrupted:
            while self.steps is None or self.step < self.steps:
                loss = self._train_step()
                self.step += 1
                now = time.monotonic()
                seconds_a_step = (now - started) / (self.step - first_step)
                if self.steps is None and self.step - first_step >= MEASURED_STEPS:
                    self.steps = self.step + max(1, int((bounds.minutes or 0) * 60 / seconds_a_step))
                if self.step % 10 == 0 or self.step == self.steps:
                    self._progress(loss, seconds_a_step)
                if now - saved > bounds.save_every_s or interrupted or self.step == self.steps:
                    self.save()
                    saved = time.monotonic()
                if interrupted:
                    self.report(f"stopped at step {self.step} and saved: the same command goes on from here")
                    return False
                if evaluate and (now - evaluated > bounds.evaluate_every_s or self.step == self.steps):
                    self.report(f"step {self.step}: held-out loss {evaluate(self.model):.3f}")
                    evaluated = time.monotonic()
        return True

    def _train_step(self) -> float:
        share = self._rate_share()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * share
        loss = self._loss(self._forward, self.batches[self.step])
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        return float(loss.detach())

    def _rate_share(self) -> float:
        """Linear warm-up, then linear decay to nought at the last step."""
        warm = min(1.0, (self.step + 1) / self.plan.warmup)
        if self.steps is None:
            return warm
        return min(warm, (self.steps - self.step) / max(1, self.steps - self.plan.warmup))

    def _loss(self, forward: Any, batch: list[Sequence]) -> Any:
        import torch

        ids = torch.tensor([ids for ids, _ in batch], device=self.device)
        labels = torch.tensor([labels for _, labels in batch], device=self.device)
        with autocast(self.device):
            return forward(input_ids=ids, labels=labels, use_cache=False).loss

    def _progress(self, loss: float, seconds_a_step: float) -> None:
        rate = self.plan.batch * self.plan.length / seconds_a_step
        left = "?" if self.steps is None else f"{(self.steps - self.step) * seconds_a_step / 60:.1f} min"
        self.report(f"step {self.step}/{self.steps or '?'}  loss {loss:.3f}  {rate:.0f} tokens/s  left {left}")

    def save(self) -> None:
        """Write the checkpoint whole: a crash leaves the one before it."""
        import torch

        self.work.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": asdict(self.plan),
            "step": self.step,
            "steps": self.steps,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "torch_rng": torch.get_rng_state(),
            "python_rng": random.getstate(),
        }
        partial = self.work / (CHECKPOINT + ".partial")
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.work / CHECKPOINT)

    def _resume(self, bounds: Bounds) -> None:
        import torch

        path = self.work / CHECKPOINT
        self.steps = bounds.steps
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["plan"] != asdict(self.plan) or (bounds.steps and state["steps"] != bounds.steps):
            raise InputError(
                f"{self.work} holds a run with other settings",
                "give another --work folder, or the settings of that run",
            )
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        torch.set_rng_state(state["torch_rng"].cpu())
        random.setstate(state["python_rng"])
        self.step, self.steps = state["step"], state["steps"]
        self.report(f"going on from step {self.step} of {self.steps or '?'}")


def _optimizers(model: Any, plan: Plan) -> list[Any]:
    """Muon for the matrices between layers, AdamW for embeddings and norms."""
    import torch

    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimizers = [
        torch.optim.Muon(matrices, lr=plan.matrix_rate, weight_decay=plan.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=plan.vector_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["full_rate"] = group["lr"]
    return optimizers


@contextmanager
def interruptible() -> Iterator[list[bool]]:
    """Collect Ctrl-C in a list, which is empty until then, so that a step is never broken off."""
    interrupted: list[bool] = []
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
