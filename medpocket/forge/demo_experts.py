"""Make the demonstration experts: `python -m medpocket.forge.demo_experts --data DIR --base FILE --out DIR`.

First one adapter learns from the rows of all specialties; each expert of the registry goes on from it with its own, and
is blended with the mean of all where that serves documents set aside better. The record that ships with them is
written beside them; in the work folder stand the rows, the cards, and the pooled control: one adapter that goes on
from the shared one too, with the rows of all specialties, at the same rate, and for as many steps as all the experts
together. What is done already is not done again.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

from medpocket.engine import load_engine
from medpocket.errors import AdapterError, MedpocketError
from medpocket.experts.adapter import read_adapter
from medpocket.experts.library import record_of, write_records
from medpocket.forge.blending import best_share, blended, mean_of, measured, write_blended
from medpocket.forge.corpus import load_corpus
from medpocket.forge.demo import report
from medpocket.forge.expert_training import MEASURED_ROWS, Order, card, set_aside, train_expert
from medpocket.forge.lora import Plan
from medpocket.forge.rows import Row, read_rows
from medpocket.forge.specialties import rows_of_all, write_rows, written_rows
from medpocket.models.base_fingerprint import base_fingerprint
from medpocket.models.gguf_check import check_model_file
from medpocket.registry import GENERAL, load_registry

if TYPE_CHECKING:
    from medpocket.experts.matrices import Matrices

RANK = 32
SHARED_STEPS = 1000
OWN_STEPS = 80
SHARED_RATE, OWN_RATE, LOWER_RATE = 2e-3, 1e-3, 2e-4
SHARED = "shared"
TRAINED = "trained"
POOLED = "pooled"
LICENCE = "Apache-2.0"
NOTE = "MedQuAD (CC BY 4.0), OpenStax Anatomy and Physiology 2e (CC BY 4.0), texts of this project"
SOURCE = "trained by MedPocket: make experts"


def make_experts(data: Path, base: Path, out: Path, work: Path) -> bool:
    """Train what is missing and write the record; False where Ctrl-C came first."""
    specs = {name: spec for name, spec in load_registry().experts.items() if name != GENERAL}
    rows = prepared_rows(data, list(specs), work / "rows")
    out.mkdir(parents=True, exist_ok=True)
    file = check_model_file(base)
    fingerprint, base_name = base_fingerprint(file), file.name or base.stem
    shared = work / f"{SHARED}.gguf"
    first = Order(
        expert=SHARED, line="", base=base, data=rows[POOLED], out=shared, work=work / SHARED,
        plan=_plan(SHARED_STEPS, SHARED_RATE), licence=LICENCE, training_data=NOTE,
    )  # fmt: skip
    if not trained(first):
        return False
    orders = {
        name: replace(first, expert=name, line=spec.system, data=rows[name], out=work / TRAINED / f"{name}.gguf")
        for name, spec in specs.items()
    }
    if not all(trained_in_turn(order, shared, work) for order in orders.values()):
        return False
    blend_all(orders, out, work)
    records = []
    for name in specs:
        adapter = read_adapter(out / f"{name}.gguf")
        record = record_of(adapter, expert=name, fingerprint=fingerprint, base_name=base_name, source=SOURCE)
        records.append(replace(record, file=adapter.path.name))
    write_records(out, records)
    plan = _plan(len(specs) * OWN_STEPS, OWN_RATE)
    return trained(
        replace(first, expert=POOLED, start=shared, out=work / f"{POOLED}.gguf", work=work / POOLED, plan=plan)
    )


def _plan(steps: int, rate: float) -> Plan:
    """All the steps are made, and the best of the states is kept."""
    return Plan(invocation=(), rank=RANK, alpha=float(RANK), rate=rate, steps=steps, patience=steps)


def prepared_rows(data: Path, experts: Sequence[str], folder: Path) -> dict[str, Path]:
    """Write a file of rows for each expert, and one with those of all; the paths by name."""
    paths = {name: folder / f"{name}.jsonl" for name in (*experts, POOLED)}
    if all(path.exists() for path in paths.values()):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    pooled: list[Row] = []
    for name, rows in rows_of_all(load_corpus(data), experts).items():
        held_out = sum(row.held_out for row in rows)
        report(f"{name}: {len(rows) - held_out} rows to learn from, {held_out} held out")
        write_rows(rows, paths[name])
        pooled += rows
    write_rows(dict.fromkeys(pooled), paths[POOLED])
    return paths


def trained_in_turn(order: Order, shared: Path, work: Path) -> bool:
    """Go on from the shared adapter, at a lower rate where nothing is gained on the rows set aside.

    Where these, which are few, see no gain at the lower rate either, its last state is the expert.
    """
    gentle = replace(_plan(OWN_STEPS, LOWER_RATE), measure_every=20)
    attempts = [replace(gentle, rate=OWN_RATE), gentle]
    for number, plan in enumerate(attempts, start=1):
        try:
            return trained(replace(order, plan=plan, start=shared, work=work / f"{order.expert}-{number}"))
        except AdapterError as error:
            report(error.message)
    last = replace(gentle, keep_last=True)
    return trained(replace(order, plan=last, start=shared, work=work / f"{order.expert}-last"))


def blend_all(orders: Mapping[str, Order], out: Path, work: Path) -> None:
    """Write each expert into `out`: as it was trained, or blended with the mean of all."""
    mean = mean_of([order.out for order in orders.values()])
    for name, order in orders.items():
        if not (out / f"{name}.gguf").exists():
            blend(order, mean, out / f"{name}.gguf", work)


def blend(order: Order, mean: "Matrices", final: Path, work: Path) -> None:
    """Write one expert, with as much of the mean as serves documents set aside best, and what it is worth then."""
    rows = read_rows(order.data, report)
    held_out = [(row.question, row.answer) for row in rows if row.held_out]
    engine = load_engine(order.base)
    try:
        share = best_share(engine, order.out, mean, documents_set_aside(order.expert, rows), work / TRAINED)
        if not share:
            partial = final.with_suffix(".partial")  # a half-written one would pass for done the next time
            copyfile(order.out, partial)
            partial.replace(final)
            return
        tried = work / TRAINED / f"{order.expert}-{share}.gguf"
        before, after = measured(engine, held_out[:: max(1, len(held_out) // MEASURED_ROWS)], [tried])
    finally:
        engine.close()
    gain = after.perplexity / before.perplexity
    said = f"blended, {share:.0%} of the mean of all: held-out perplexity {before.perplexity:.2f} -> "
    said += f"{after.perplexity:.2f} (x {gain:.3f})"
    report(f"{order.expert}: {said}")
    with (work / f"{order.expert}.md").open("a", encoding="utf-8") as card_file:
        card_file.write(f"- {said}\n")
    write_blended(final, order.out, blended(order.out, mean, share), gain)


def documents_set_aside(expert: str, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """The rows that decided when training stopped, without texts of this project: none of these measures an expert."""
    own_texts = {row.answer for row in written_rows(expert)}
    rows_aside = set_aside(row for row in rows if not row.held_out)
    return [(row.question, row.answer) for row in rows_aside if row.answer not in own_texts]


def trained(order: Order) -> bool:
    """Train one adapter, unless it is there, and write its card into the work folder; False where Ctrl-C came first."""
    if order.out.exists():
        return True
    report(f"training {order.expert}")
    order.work.mkdir(parents=True, exist_ok=True)
    found = train_expert(order, report)
    if found is None:
        return False
    order.work.with_name(f"{order.expert}.md").write_text(card(found, order), encoding="utf-8")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m medpocket.forge.demo_experts", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the texts; docs/demo-model.md says which")
    parser.add_argument("--base", type=Path, required=True, help="the demonstration model")
    parser.add_argument("--out", type=Path, required=True, help="folder for the adapters and their record")
    parser.add_argument(
        "--work", type=Path, default=Path("build/experts"), help="rows, checkpoints, cards, the control"
    )
    arguments = parser.parse_args()
    try:
        return 0 if make_experts(arguments.data, arguments.base, arguments.out, arguments.work) else 130
    except MedpocketError as error:
        report(f"error: {error.message}\nhint: {error.hint}")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
