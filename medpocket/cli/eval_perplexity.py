"""`medpocket eval perplexity`: how well models foresee a text."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.ask import complete_model
from medpocket.cli.tables import json_option, table
from medpocket.config import load_settings
from medpocket.errors import InputError
from medpocket.evaluation.lines import read_whole
from medpocket.evaluation.perplexity import Loss, text_losses, total
from medpocket.loading import load_located
from medpocket.models.locate import locate_model
from medpocket.registry import load_registry
from medpocket.text import readable


@click.command("perplexity")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, shell_complete=complete_model)
@click.option("--text", "file", required=True, type=click.Path(path_type=Path), help="A text, UTF-8, .gz or not.")
@click.option(
    "--window", type=click.IntRange(8), default=512, show_default=True, help="Tokens that are read at once, at most."
)
@json_option
def perplexity_command(models: tuple[str, ...], file: Path, window: int, as_json: bool) -> int:
    """Measure the perplexity of a text under models.

    Perplexities are of tokens, and compare models of one tokenizer alone; bits for a byte of the text compare any. Less
    is better for both.
    """
    try:
        text, _ = readable(read_whole(file).decode())
    except UnicodeDecodeError:
        raise InputError(
            "the text is not UTF-8", "convert it first, for example with `iconv -f latin1 -t utf-8`"
        ) from None
    if not text:
        raise InputError("there is no text in the file", "give another one with --text")
    registry, settings = load_registry(), load_settings()
    found: dict[str, dict[str, Any]] = {}
    for name in models:
        engine = load_located(locate_model(name, registry), registry, settings)
        try:
            losses: list[Loss] = []
            for loss, tokens in text_losses(engine, text, window):
                losses.append(loss)
                diagnostics.status(f"{name}: {sum(one.tokens for one in losses):,} of {tokens:,} tokens")
        finally:
            engine.close()
            diagnostics.clear_progress()
        whole = total(losses)
        found[name] = {
            "tokens": whole.tokens,
            "perplexity": whole.perplexity,
            "bits_per_byte": whole.nats / math.log(2) / len(text.encode()),
            "window": min(window, engine.model.context),
        }
    if as_json:
        output.write_success("eval perplexity", {"models": found})
        return 0
    rows: list[Sequence[str]] = [("MODEL", "TOKENS", "PERPLEXITY", "BITS A BYTE")]
    for name, one in found.items():
        rows.append((name, f"{one['tokens']:,}", f"{one['perplexity']:.3f}", f"{one['bits_per_byte']:.4f}"))
    for line in table(rows):
        output.write_line(line)
    return 0
