"""`medpocket experts train`: from rows to an adapter."""

from pathlib import Path

import click

from medpocket import paths
from medpocket.cli import INTERRUPTED, diagnostics, output
from medpocket.cli.ask import complete_expert
from medpocket.errors import InputError
from medpocket.registry import load_registry

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
TYPES = ("q8_0", "q5_0", "q4_0", "f16")


def _targets(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    wrong = [name for name in names if name not in TARGETS]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is none of {', '.join(TARGETS)}")
    return names


@click.command("train")
@click.argument("expert", metavar="ID", shell_complete=complete_expert)
@click.option("--base", required=True, type=click.Path(path_type=Path), help="A GGUF file, or a Hugging Face folder.")
@click.option("--gguf", type=click.Path(path_type=Path), help="With a folder: any GGUF file of the same model.")
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="JSON lines: question and answer, or text and title."
)
@click.option(
    "--others",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Rows of other specialties, to measure on; again for more.",
)
@click.option("--start", type=click.Path(path_type=Path), help="Go on from this adapter: a GGUF file of the same base.")
@click.option("--rank", type=click.IntRange(1, 512), default=32, show_default=True)
@click.option(
    "--targets", callback=_targets, default="attn_v,attn_output,ffn_down", show_default=True, help="Modules to change."
)
@click.option("--ordinary", is_flag=True, help="Act on the whole conversation, with a cache of its own.")
@click.option(
    "--steps",
    type=click.IntRange(1, 1_000_000),
    default=200,
    show_default=True,
    help="The most steps; it ends early where nothing is gained.",
)
@click.option("--batch", type=click.IntRange(1, 1024), default=8, show_default=True, help="Rows a step.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1, min_open=True),
    default=2e-3,
    show_default=True,
    help="The highest learning rate.",
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True)
@click.option(
    "--type", "kind", type=click.Choice(TYPES), default="q8_0", show_default=True, help="How the adapter is stored."
)
@click.option("--device", type=click.Choice(("cpu", "cuda")), default="cpu", show_default=True)
@click.option("--4bit", "four_bit", is_flag=True, help="Keep the base in 4 bits while training (bitsandbytes, CUDA).")
@click.option("--licence", metavar="TEXT", help="Of the adapter, written into the file.")
@click.option("--note", metavar="TEXT", help="What it was trained on, written into the file.")
@click.option("--work", type=click.Path(path_type=Path), help="Checkpoints; the same command goes on from there.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write the adapter here and do not add it.")
@click.option("--replace", "replaces", is_flag=True, help="Take it in the place of the one that the expert has.")
def train_command(
    expert: str,
    base: Path,
    gguf: Path | None,
    data: Path,
    others: tuple[Path, ...],
    start: Path | None,
    rank: int,
    targets: tuple[str, ...],
    ordinary: bool,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
    kind: str,
    device: str,
    four_bit: bool,
    licence: str | None,
    note: str | None,
    work: Path | None,
    out: Path | None,
    replaces: bool,
) -> int:
    """Train an adapter for the expert ID, measure it and add it (needs `pip install 'medpocket[train]'`).

    One row in ten is held out, or those that the file marks with `held_out`. docs/experts.md walks through it.
    """
    from medpocket.forge.expert_training import Order, card, train_expert
    from medpocket.forge.lora import Plan

    registry = load_registry()
    spec = registry.expert(expert)
    if out and out.exists():
        raise InputError(f"{out} exists already", "give another name with --out, or remove it first")
    work = work or paths.cache_folder() / "training" / spec.id
    written = out or work / f"{spec.id}.gguf"
    plan = Plan(
        invocation=(), rank=rank, targets=targets, alpha=float(rank), rate=rate, steps=steps, batch=batch, seed=seed
    )
    order = Order(
        expert=spec.id, line=spec.system, base=base.expanduser(), gguf=gguf, start=start, data=data, others=others,
        out=written, work=paths.make_private(work), plan=plan, ordinary=ordinary, quantization=kind, four_bit=four_bit,
        device=device,
        licence=licence, training_data=note,
    )  # fmt: skip
    trained = train_expert(order, diagnostics.notice)
    if trained is None:
        return INTERRUPTED
    text = card(trained, order)
    written.with_suffix(".md").write_text(text, encoding="utf-8")
    if not out:
        from medpocket.cli.experts_files import add_adapter

        entry = add_adapter(written, registry, spec.id, str(gguf or base), licence=licence, replaces=replaces)
        diagnostics.notice(f"added: {entry.path}")
    for line in text.splitlines():
        output.write_line(line)
    return 0
