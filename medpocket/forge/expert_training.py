"""From rows to an adapter that is quantized, fingerprinted and measured: what `medpocket experts train` does."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from medpocket.engine import load_engine
from medpocket.engine.protocol import Scaled
from medpocket.errors import AdapterError, InputError
from medpocket.evaluation.perplexity import Loss, Scorer, answer_losses, total
from medpocket.experts.adapter import Adapter, check_belongs, read_adapter
from medpocket.experts.matrices import Description, check_weights, write_adapter
from medpocket.experts.peft_folder import as_peft, read_peft_folder
from medpocket.forge.lora import LoraTrainer, Outcome, Plan
from medpocket.forge.rows import Row, read_rows, split_off
from medpocket.forge.trainable import Example, Trainable, load_trainable
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_kinds import shown

EARLY_ONE_IN = 10
EARLY_AT_MOST = 48  # rows that decide when to stop
LONGEST = 256  # tokens of a row; longer answers are cut
MEASURED_ROWS = 100  # held-out rows of the specialty, and of the others, that the card is measured on
LIBRARIES = ("torch", "transformers", "peft")
Report = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What to train, on what, and where to."""

    expert: str
    line: str
    base: Path
    data: Path
    out: Path
    work: Path
    gguf: Path | None = None
    start: Path | None = None
    others: tuple[Path, ...] = ()
    plan: Plan = field(default_factory=lambda: Plan(invocation=()))
    ordinary: bool = False
    quantization: str = "q8_0"
    four_bit: bool = False
    device: str = "cpu"
    licence: str | None = None
    training_data: str | None = None
    template: str | None = None


@dataclass(frozen=True)
class Trained:
    """The adapter, and what the card says of it.

    Losses are on held-out answers, through llama.cpp; `after` ones of the adapter as it is stored.
    """

    adapter: Adapter
    outcome: Outcome
    before: Loss
    after: Loss
    others_before: Loss
    others_after: Loss
    unquantized: Loss


def train_expert(order: Order, report: Report) -> Trained | None:
    """Train, quantize, measure and write the adapter and its card; None where Ctrl-C came first.

    Raises InputError, AdapterError, ModelFileError and OSError; nothing half-written is left at `order.out`.
    """
    check_libraries(order.device, four_bit=order.four_bit)
    rows = read_rows(order.data, report)
    learnt = [row for row in rows if not row.held_out]
    held_out = [row for row in rows if row.held_out]
    report(f"{len(learnt)} rows to learn from, {len(held_out)} held out; loading the base model")
    trainable = load_trainable(
        order.base, gguf=order.gguf, four_bit=order.four_bit, device=order.device, template=order.template
    )
    plan = replace(
        order.plan, invocation=() if order.ordinary else trainable.invocation, data=_fingerprint(rows, trainable)
    )
    start = read_adapter(order.start) if order.start else None
    if start:
        _check_start(start, plan, trainable)
        plan = replace(plan, start=start.sha256)
    kept, _ = split_off(learnt, EARLY_ONE_IN)
    trainer = LoraTrainer(
        trainable.model, plan, _examples(trainable, kept, order.line, report),
        _examples(trainable, set_aside(learnt), "", report),
        order.work, report,
    )  # fmt: skip
    if start:
        trainer.start_from(as_peft(start, trainable.file))
    outcome = trainer.run()
    if outcome is None:
        return None
    trainer.save_adapter(order.work / "peft")
    return _finish(order, plan, trainable, held_out, outcome, report)


def set_aside(learnt: Iterable[Row]) -> list[Row]:
    """The rows to learn from that are not: they decide when to stop."""
    return split_off(learnt, EARLY_ONE_IN)[1][:EARLY_AT_MOST]


def _check_start(start: Adapter, plan: Plan, trainable: Trainable) -> None:
    check_belongs(start, trainable.file)
    check_weights(start.path)
    if start.invocation != plan.invocation:
        raise AdapterError(
            f"{shown(start.path.name)} is {'an activated' if start.invocation else 'an ordinary'} adapter, "
            "and acts from another place on than the one to be trained",
            "start from an adapter of the same kind (see --ordinary), or leave --start away",
        )


def check_libraries(device: str, *, four_bit: bool) -> None:
    """Raise InputError where what training needs is missing."""
    for name in (*LIBRARIES, *(("bitsandbytes",) if four_bit else ())):
        if find_spec(name) is None:
            raise InputError(
                f"training needs {name}",
                "pip install 'medpocket[train]'" if name in LIBRARIES else "pip install bitsandbytes",
            )
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("torch finds no CUDA device here", "leave --device away to train on the CPU")
    if four_bit and device != "cuda":
        raise InputError("--4bit needs a CUDA device", "add --device cuda, or leave --4bit away")


def _examples(trainable: Trainable, rows: Sequence[Row], line: str, report: Report) -> list[Example]:
    """Every second row with its expert's line, as it is asked, and every second without."""
    limit = min(LONGEST, trainable.context)
    whole = [trainable.example(row, line if number % 2 else "") for number, row in enumerate(rows)]
    cut = sum(len(example.ids) > limit for example in whole)
    if cut:
        report(f"{cut} rows are longer than {limit} tokens and are read up to there")
    examples = [Example(example.ids[:limit], example.labels[:limit], example.answer) for example in whole]
    return [example for example in examples if example.learnt]


def _finish(
    order: Order, plan: Plan, trainable: Trainable, held_out: Sequence[Row], outcome: Outcome, report: Report
) -> Trained:
    found, matrices = read_peft_folder(order.work / "peft", trainable.file)
    description = Description(
        architecture=found.architecture,
        alpha=found.alpha,
        invocation=plan.invocation,
        expert=order.expert,
        fingerprint=base_fingerprint(trainable.file),
        base_name=trainable.file.name or trainable.file.path.stem,
        training_data=order.training_data or f"{order.data.name}, {outcome.learnt_tokens:,} answer tokens read",
        licence=order.licence,
    )
    unquantized, unmeasured = order.work / "adapter-f16.gguf", order.work / f"adapter-{order.quantization}.gguf"
    write_adapter(unquantized, description, matrices, "f16")
    write_adapter(unmeasured, description, matrices, order.quantization)
    report("measuring it on held-out answers")
    others = [row for path in order.others for row in read_rows(path, report) if row.held_out]
    columns = [(), (Scaled(read_adapter(unmeasured).file),), (Scaled(read_adapter(unquantized).file),)]
    import torch

    # Alone on the cores that training had.
    threads = torch.get_num_threads()
    context = min(1024, trainable.context)
    engine = load_engine(trainable.file.path, context=context, threads=threads, template=order.template)
    try:
        own = _measured(engine, held_out, columns)
        rest = _measured(engine, others, columns)
    finally:
        engine.close()
    gain = own[1].perplexity / own[0].perplexity
    write_adapter(order.out, replace(description, gain=gain), matrices, order.quantization)
    return Trained(read_adapter(order.out), outcome, own[0], own[1], rest[0], rest[1], own[2])


def _measured(engine: Scorer, rows: Sequence[Row], columns: Sequence[tuple[Scaled, ...]]) -> list[Loss]:
    step = max(1, len(rows) // MEASURED_ROWS)
    pairs = [(row.question, row.answer) for row in rows[::step]]
    losses = list(answer_losses(engine, pairs, columns))
    return [total(row[index] for row in losses) for index in range(len(columns))]


def _fingerprint(rows: Sequence[Row], trainable: Trainable) -> str:
    content = json.dumps([(row.question, row.answer, row.held_out) for row in rows]) + base_fingerprint(trainable.file)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def card(trained: Trained, order: Order) -> str:
    """What a colleague must know of an adapter, as Markdown."""
    adapter, outcome = trained.adapter, trained.outcome
    kind = (
        "activated: acts from the marker before the answer on" if adapter.invocation else "ordinary: acts on everything"
    )

    def perplexities(before: Loss, after: Loss) -> str:
        if not before.tokens:
            return "not measured"
        ratio = after.perplexity / before.perplexity
        return f"{before.perplexity:.2f} -> {after.perplexity:.2f} (x {ratio:.3f}, {before.tokens:,} answer tokens)"

    lines = [
        f"# Adapter for {order.expert}",
        "",
        f"- base: {adapter.base_name}, fingerprint {(adapter.fingerprint or '')[:16]}",
        f"- kind: {kind}",
        f"- rank {adapter.rank} on {', '.join(adapter.targets)}; {adapter.quantization}, {adapter.size_bytes:,} bytes",
        f"- data: {adapter.training_data or 'not stated'}; licence: {adapter.licence or 'not stated'}",
        *([f"- started from: {shown(order.start.name)}"] if order.start else []),
        f"- steps: {outcome.steps}, the best after {outcome.best_step}; {outcome.learnt_tokens:,} answer tokens read",
        f"- held-out perplexity on its own specialty: {perplexities(trained.before, trained.after)}",
        f"- before quantization: {perplexities(trained.before, trained.unquantized)}",
        f"- held-out perplexity on the others: {perplexities(trained.others_before, trained.others_after)}",
        f"- SHA-256: {adapter.sha256}",
    ]
    return "\n".join(lines) + "\n"
