"""Train a LoRA on answers: one conversation a row, never packed, early stopping, resumed at any step."""

import math
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medpocket.errors import AdapterError, InputError
from medpocket.forge.precision import autocast
from medpocket.forge.trainable import IGNORED, Example
from medpocket.forge.training import interruptible

if TYPE_CHECKING:
    from medpocket.experts.matrices import Matrices

CHECKPOINT = "checkpoint.pt"
TARGETS = {
    "attn_q": "q_proj",
    "attn_k": "k_proj",
    "attn_v": "v_proj",
    "attn_output": "o_proj",
    "ffn_gate": "gate_proj",
    "ffn_up": "up_proj",
    "ffn_down": "down_proj",
}
LENGTHS_SORTED = 16  # batches whose rows are sorted by length together, so that little is padded
Report = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """Everything that decides the adapter, beside the rows. A checkpoint of another plan is refused.

    `steps` is the most that are made: training ends where `patience` measurements in a row, `measure_every` steps
    apart, bring no gain. The best of the states measured is kept, or with `keep_last` the last one, whatever was
    measured. `invocation` empty means an ordinary adapter.
    """

    invocation: tuple[int, ...]
    rank: int = 32
    targets: tuple[str, ...] = ("attn_v", "attn_output", "ffn_down")
    alpha: float = 32.0
    rate: float = 2e-3
    steps: int = 200
    batch: int = 8
    warmup: int = 10
    measure_every: int = 50
    patience: int = 3
    keep_last: bool = False
    dropout: float = 0.0
    seed: int = 1
    data: str = ""  # fingerprint of the rows and the base
    start: str = ""  # fingerprint of the adapter that it goes on from


@dataclass(frozen=True)
class Outcome:
    """What training came to. Losses in nats a token, on the rows that decide when to stop."""

    steps: int
    best_step: int
    loss_before: float
    loss_after: float
    learnt_tokens: int


class LoraTrainer:
    """One training run in a work folder; `run` again goes on where the last one stopped."""

    def __init__(
        self, model: Any, plan: Plan, rows: Sequence[Example], early: Sequence[Example], work: Path, report: Report
    ):
        import torch
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(plan.seed)
        self.plan, self.rows, self.early, self.work, self.report = plan, rows, early, work, report
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=plan.rank,
            lora_alpha=plan.alpha,
            lora_dropout=plan.dropout,
            target_modules=[TARGETS[name] for name in plan.targets],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PEFT asks transformers under an old name
            self.model = get_peft_model(model, config)
        self._active: Any = None  # (rows, tokens, 1): where an activated adapter acts; None is everywhere
        for name, module in self.model.named_modules():
            if name.endswith(".lora_B.default"):
                module.register_forward_hook(self._where_active)
        self.device = next(self.model.parameters()).device
        self._trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self._start = [parameter.detach().clone() for parameter in self._trained]
        self._beginning = "the base model alone"
        self._optimizer = torch.optim.AdamW(self._trained, lr=plan.rate, betas=(0.9, 0.95), weight_decay=0.01)
        self._step = self._best_step = self._tokens = 0
        self._before = self._best = math.inf
        self._best_weights: list[Any] = []
        self._epoch: tuple[int, Sequence[Example]] = (-1, ())

    def start_from(self, matrices: "Matrices") -> None:
        """Take over an adapter's matrices, its scale folded into B, by the names of PEFT's modules; then `run`.

        Raises AdapterError where they are not of this plan's rank and modules.
        """
        import torch

        places = {
            f"{name.removeprefix('base_model.model.')}": (module.lora_A["default"], module.lora_B["default"])
            for name, module in self.model.named_modules()
            if hasattr(module, "lora_A")
        }
        if places.keys() != matrices.keys():
            raise AdapterError(
                "the adapter to start from changes other modules than this one is to",
                "give the --targets that it was trained with",
            )
        scale = self.plan.alpha / self.plan.rank
        for name, sides in places.items():
            for linear, values in zip(sides, matrices[name], strict=True):
                if linear.weight.shape != values.shape:
                    raise AdapterError(
                        f"the adapter to start from has another rank or shape: {name} is {values.shape} there",
                        f"it must have rank {self.plan.rank}, or give the --rank that it has",
                    )
                linear.weight.data.copy_(torch.from_numpy(values))
            sides[1].weight.data.div_(scale)
        self._start = [parameter.detach().clone() for parameter in self._trained]
        self._beginning = "the adapter that it started from"

    def run(self, save_every_s: float = 60.0) -> Outcome | None:
        """Train; None where Ctrl-C stopped it, with a checkpoint kept. Raises AdapterError where nothing was learnt."""
        self._resume()
        if not self._best_weights:
            self._before = self._best = self.loss(self.early)
            self._keep_best()
            self.report(f"before: perplexity {math.exp(self._before):.2f} on {len(self.early)} rows set aside")
        started = saved = time.monotonic()
        first = self._step
        with interruptible() as interrupted:
            while self._step < self.plan.steps and not self._is_over():
                loss = self._train_step()
                self._step += 1
                if self._step % 10 == 0:
                    left = (self.plan.steps - self._step) * (time.monotonic() - started) / (self._step - first)
                    self.report(
                        f"step {self._step}/{self.plan.steps}  loss {loss:.3f}  at most {left / 60:.1f} min left"
                    )
                if self._step % self.plan.measure_every == 0 or self._step == self.plan.steps:
                    self._measure()
                if interrupted or time.monotonic() - saved > save_every_s:
                    self._save()
                    saved = time.monotonic()
                if interrupted:
                    self.report(f"stopped at step {self._step} and saved: the same command goes on from here")
                    return None
        self._check_changed()
        self._take_best()
        return Outcome(self._step, self._best_step, self._before, self._best, self._tokens)

    def loss(self, examples: Sequence[Example]) -> float:
        """Mean negative log likelihood of an answer's token, in nats, as the adapter is now."""
        import torch

        total, count = 0.0, 0
        self.model.eval()
        with torch.no_grad():
            for batch in _by_length(examples, self.plan.batch):
                learnt = sum(example.learnt for example in batch)
                total += float(self._loss(batch)) * learnt
                count += learnt
        self.model.train()
        return total / max(1, count)

    def save_adapter(self, folder: Path) -> None:
        """Write the adapter as PEFT does. Raises OSError."""
        self.model.save_pretrained(str(folder))

    def _train_step(self) -> float:
        import torch

        share = min(1.0, (self._step + 1) / self.plan.warmup, (self.plan.steps - self._step) / self.plan.steps + 0.05)
        for group in self._optimizer.param_groups:
            group["lr"] = self.plan.rate * share
        batch = self._batch(self._step)
        loss = self._loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._tokens += sum(example.learnt for example in batch)
        found = float(loss.detach())
        if not math.isfinite(found):
            raise AdapterError("the training has gone astray: its loss is no number", "train with a smaller --rate")
        return found

    def _loss(self, batch: Sequence[Example]) -> Any:
        import torch

        longest = max(len(example.ids) for example in batch)
        # Padding stands behind what is learnt, where causal attention never looks at it.
        ids = torch.tensor([(*e.ids, *(0,) * (longest - len(e.ids))) for e in batch], device=self.device)
        labels = torch.tensor([(*e.labels, *(IGNORED,) * (longest - len(e.ids))) for e in batch], device=self.device)
        if self.plan.invocation:
            self._active = torch.zeros((len(batch), longest, 1), device=self.device)
            for row, example in enumerate(batch):
                self._active[row, example.answer - len(self.plan.invocation) :] = 1.0
        with autocast(self.device):
            return self.model(input_ids=ids, labels=labels, use_cache=False).loss

    def _where_active(self, _module: Any, _inputs: Any, output: Any) -> Any:
        """Let the adapter act from the invocation on: what PEFT's `alora_invocation_tokens` does, by a product.

        PEFT picks the tokens by a mask, whose gradient takes ten times as long on a CPU.
        """
        return output if self._active is None else output * self._active.to(output.dtype)

    def _batch(self, step: int) -> list[Example]:
        """The rows of a step, a function of the plan and the step alone: passes over all rows, in lengths that fit."""
        size, count = self.plan.batch, len(self.rows)
        block = size * LENGTHS_SORTED
        start = step // LENGTHS_SORTED * block
        wanted = [self._shuffled((start + n) // count)[(start + n) % count] for n in range(block)]
        batches = list(_by_length(wanted, size))
        random.Random(f"{self.plan.seed}/{start}").shuffle(batches)
        return batches[step % LENGTHS_SORTED]

    def _shuffled(self, epoch: int) -> Sequence[Example]:
        if self._epoch[0] != epoch:
            rows = list(self.rows)
            random.Random(f"{self.plan.seed}/{epoch}/order").shuffle(rows)
            self._epoch = (epoch, rows)
        return self._epoch[1]

    def _measure(self) -> None:
        loss = self.loss(self.early)
        kept = self.plan.keep_last or loss < self._best
        if kept:
            self._best, self._best_step = loss, self._step
            self._keep_best()
        self.report(f"step {self._step}: perplexity {math.exp(loss):.2f}{' (kept)' if kept else ''}")

    def _is_over(self) -> bool:
        return self._step - self._best_step >= self.plan.patience * self.plan.measure_every

    def _keep_best(self) -> None:
        self._best_weights = [parameter.detach().clone() for parameter in self._trained]

    def _take_best(self) -> None:
        for parameter, best in zip(self._trained, self._best_weights, strict=True):
            parameter.data.copy_(best)

    def _check_changed(self) -> None:
        import torch

        if all(torch.equal(now, before) for now, before in zip(self._trained, self._start, strict=True)):
            raise AdapterError(
                "no weight of the adapter has changed: nothing was learnt from these rows",
                "please report this, with the name of the base model",
            )
        if self._best_step == 0:
            raise AdapterError(
                f"the adapter never did better than {self._beginning} on the rows set aside",
                "give more rows, or rows of another kind; --rate and --steps change how it learns",
            )

    def _save(self) -> None:
        """Write the checkpoint whole: a crash leaves the one before it."""
        import torch

        self.work.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": asdict(self.plan),
            "step": (self._step, self._best_step, self._tokens),
            "losses": (self._before, self._best),
            "weights": [parameter.detach() for parameter in self._trained],
            "best": self._best_weights,
            "optimizer": self._optimizer.state_dict(),
            "rng": torch.get_rng_state(),
        }
        partial = self.work / (CHECKPOINT + ".partial")
        with partial.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.work / CHECKPOINT)

    def _resume(self) -> None:
        import torch

        path = self.work / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["plan"] != asdict(self.plan):
            raise InputError(
                f"{self.work} holds a run with other settings or data",
                "give another --work folder, or what that run had",
            )
        for parameter, saved in zip(self._trained, state["weights"], strict=True):
            parameter.data.copy_(saved)
        self._best_weights = state["best"]
        self._step, self._best_step, self._tokens = state["step"]
        self._before, self._best = state["losses"]
        self._optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"].cpu())
        self.report(f"going on from step {self._step} of {self.plan.steps}")


def _by_length(examples: Sequence[Example], size: int) -> Iterator[list[Example]]:
    ordered = sorted(examples, key=lambda example: len(example.ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
