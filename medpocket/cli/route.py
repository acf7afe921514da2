"""`medpocket route`: which expert a text belongs to, and why, without loading a model."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.question import read_question
from medpocket.cli.tables import json_option, table
from medpocket.errors import InputError, OptionError
from medpocket.router.route import load_router
from medpocket.text import readable_question
from medpocket.types import Route

_RUNNERS_UP = 4
_SHOWN = 3  # terms in the one line
_LEAST_SCORE = 0.005


@click.command()
@click.argument("text", nargs=-1)
@click.option("--explain", is_flag=True, help="Show the terms that decided, each with its weight, and the runners-up.")
@click.option("--batch", metavar="FILE", help='Route every row of JSON lines, each with "text"; "-" is stdin.')
@click.option("--evaluate", metavar="FILE", help='Measure on JSON lines with "text", "accept" and "set".')
@click.option("--plot", metavar="FILE", type=click.Path(path_type=Path), help="With --evaluate: draw it, as SVG.")
@json_option
def route(
    text: tuple[str, ...], explain: bool, batch: str | None, evaluate: str | None, plot: Path | None, as_json: bool
) -> int:
    """Name the expert that TEXT belongs to, or `general` where none fits.

    Prints the expert, its score from 0 to 1, and the terms that decided. Text that is piped in comes before TEXT.

    \b
    medpocket route "my knees hurt every morning"
    medpocket route --explain < note.txt
    medpocket route --batch questions.jsonl
    """
    if sum((bool(text), batch is not None, evaluate is not None)) > 1:
        raise OptionError("TEXT, --batch and --evaluate each say what is routed", "give one of them")
    if plot and evaluate is None:
        raise OptionError("--plot draws what --evaluate measures", "give --evaluate FILE too")
    if batch is not None:
        return _batch(batch)
    if evaluate is not None:
        from medpocket.cli.route_evaluate import evaluate_router

        return evaluate_router(Path(evaluate), plot, as_json)
    question, removed = readable_question(read_question(text), "medpocket route")
    found = load_router().route(question)
    if removed and not as_json:
        diagnostics.notice(f"{removed} control characters were taken out of the text")
    if as_json:
        output.write_success("route", as_data(found))
    elif explain:
        _explain(found)
    else:
        output.write_line(one_line(found))
    return 0


def one_line(found: Route) -> str:
    """Return expert, score, and what decided."""
    terms = ", ".join(one.term for one in found.evidence[:_SHOWN])
    why = "; ".join(part for part in (terms, found.note) if part)
    return f"{found.expert} {found.score:.2f}{f': {why}' if why else ''}"


def as_data(found: Route) -> dict[str, Any]:
    """Return what `--json` and `--batch` print of a route."""
    data: dict[str, Any] = {
        "expert": found.expert,
        "score": round(found.score, 4),
        "scores": {name: round(score, 4) for name, score in found.scores.items()},
        "evidence": [{"term": one.term, "weight": one.weight} for one in found.evidence],
    }
    return data | ({"note": found.note} if found.note else {})


def _explain(found: Route) -> None:
    output.write_line(one_line(found))
    if found.evidence:
        output.write_line()
        for line in table([("TERM", "WEIGHT"), *((one.term, f"{one.weight:+.2f}") for one in found.evidence)]):
            output.write_line(line)
    others = [one for one in found.ranked[1 : _RUNNERS_UP + 1] if one[1] >= _LEAST_SCORE]
    if others:
        output.write_line()
        for line in table([("RUNNER-UP", "SCORE"), *((name, f"{score:.2f}") for name, score in others)]):
            output.write_line(line)


def _batch(name: str) -> int:
    """Print one object for each row, as it is routed. A row that is none is named on stderr, and the rest goes on."""
    router = load_router()
    failed = 0
    with _opened(name) as lines:
        for number, text in _texts(lines):
            if text is None:
                failed += 1
                diagnostics.notice(f'line {number} is left out: it is no JSON object with "text"')
            else:
                output.write_json_line(as_data(router.route(text)))
    if failed:
        diagnostics.notice(f"{failed} line{'s were' if failed > 1 else ' was'} left out")
    return 1 if failed else 0


def _opened(name: str) -> IO[bytes]:
    if name == "-":
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError:
        raise InputError("the file of --batch cannot be read", "give a file of JSON lines, or - for stdin") from None


def _texts(lines: IO[bytes]) -> Iterator[tuple[int, str | None]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            text = None
        yield number, text if isinstance(text, str) else None
