"""`medpocket experts list`, `show` and `verify`: what is here."""

from typing import Any

import click

from medpocket.cli import output
from medpocket.cli.ask import complete_expert
from medpocket.cli.tables import json_option, table
from medpocket.errors import AdapterError
from medpocket.experts.described import details_of, gain_words, problem_of
from medpocket.experts.library import Entry, Library
from medpocket.registry import load_registry


@click.command("list")
@json_option
def list_command(as_json: bool) -> int:
    """List the experts and their adapters."""
    registry, entries = load_registry(), Library().entries()
    rows = []
    for spec in registry.experts.values():
        own = [entry for entry in entries if entry.record.expert == spec.id]
        rows.append({"id": spec.id, "title": spec.title, "adapters": [_data(entry) for entry in own]})
    unknown = sorted({entry.record.expert for entry in entries} - set(registry.experts))
    if as_json:
        output.write_success("experts list", {"experts": rows, "unknown": unknown})
        return 0
    cells = [("ID", "EXPERT", "ADAPTER FOR", "SIZE", "PERPLEXITY", "FROM")]
    for row in rows:
        adapters: list[dict[str, Any]] = row["adapters"]  # type: ignore[assignment]
        if not adapters:
            cells.append(
                (
                    str(row["id"]),
                    str(row["title"]),
                    "none: its line alone" if row["id"] != "general" else "",
                    "",
                    "",
                    "",
                )
            )
        for number, adapter in enumerate(adapters):
            names = ("", "") if number else (str(row["id"]), str(row["title"]))
            origin = "MedPocket" if adapter["shipped"] else adapter["added"][:10]
            size, gain = f"{adapter['size'] / 1e6:.1f} MB", gain_words(adapter["gain"])
            cells.append((*names, adapter["base_name"], size, gain, origin))
    for line in table(cells):
        output.write_line(line)
    output.write_line()
    output.write_line("PERPLEXITY: on held-out text of the specialty, over that of the base model; below 1 is better")
    for name in unknown:
        output.write_line(f"there is an adapter for {name}, an expert that models.toml does not have")
    return 0


@click.command("show")
@click.argument("expert", metavar="ID", shell_complete=complete_expert)
@json_option
def show_command(expert: str, as_json: bool) -> int:
    """Say what an expert is for, and all about its adapters."""
    spec = load_registry().expert(expert)
    entries = [entry for entry in Library().entries() if entry.record.expert == spec.id]
    if as_json:
        data = {"id": spec.id, "title": spec.title, "description": spec.description, "line": spec.system}
        output.write_success("experts show", data | {"adapters": [_data(entry) for entry in entries]})
        return 0
    output.write_line(f"{spec.title} ({spec.id})")
    output.write_line(spec.description)
    output.write_line(f"its line: {spec.system or 'none'}")
    if not entries:
        output.write_line("no adapter: `medpocket experts add` and `train` give it one")
    for entry in entries:
        output.write_line()
        for line in _details(entry):
            output.write_line(line)
    return 0


@click.command("verify")
@json_option
def verify_command(as_json: bool) -> int:
    """Read every adapter and compare it with what was recorded when it was added.

    Exits with 1 when something is wrong.
    """
    library = Library()
    rows = []
    for entry in library.entries():
        problem = problem_of(entry)
        rows.append({"expert": entry.record.expert, "file": str(entry.path), "problem": problem})
    strays = [str(path) for path in library.strays()]
    if as_json:
        output.write_success("experts verify", {"adapters": rows, "strays": strays})
    else:
        for row in rows:
            output.write_line(f"{row['expert']}: {row['problem'] or 'good'}")
        for stray in strays:
            output.write_line(f"not recorded, never used: {stray}")
        if not rows:
            output.write_line("there are no adapters")
    return 1 if any(row["problem"] for row in rows) else 0


def _data(entry: Entry) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(entry.record) | {"path": str(entry.path), "shipped": entry.shipped}


def _details(entry: Entry) -> list[str]:
    try:
        return [f"{label:<14}{text}" for label, text in details_of(entry)]
    except AdapterError as error:
        return [f"adapter for {entry.record.base_name}: {error.message}; {error.hint}"]
