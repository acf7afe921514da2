"""`medpocket ask`: one question, one answer."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.answering import Answering, Request
from medpocket.cli.named_experts import AUTO, experts_named
from medpocket.cli.question import read_question
from medpocket.cli.worker import iterate_in_thread
from medpocket.config import load_settings, option_rules, sampling_for
from medpocket.engine.cancel import Cancellation
from medpocket.engine.protocol import LoadedModel
from medpocket.errors import ModelError
from medpocket.loading import assistant_on, load_located
from medpocket.lockdown import hide_memory
from medpocket.models.locate import LocatedModel, default_model, locate_model
from medpocket.registry import Registry, load_registry
from medpocket.text import readable, readable_question
from medpocket.types import Event


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Complete the ids of models, or a path."""
    from click.shell_completion import CompletionItem

    ids = [CompletionItem(name) for name in load_registry().models if name.startswith(incomplete)]
    return ids or [CompletionItem(incomplete, type="file")]


def complete_expert(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the ids of experts."""
    return [name for name in load_registry().experts if name.startswith(incomplete)]


@click.command()
@click.argument("question", nargs=-1)
@click.option("-m", "--model", metavar="ID|PATH", shell_complete=complete_model, help="A model's id, or any GGUF file.")
@click.option("-e", "--expert", metavar="ID", shell_complete=complete_expert, help="The expert that answers.")
@click.option("--mix", metavar="ID:SCALE,ID:SCALE", help="Two experts answer as one; `auto`: where two are close.")
@click.option(
    "--compare", metavar="ID,ID,...", help="An answer of each; `none` is the base model. The question is read once."
)
@click.option("--no-route", is_flag=True, help="Do not look for an expert: the base model answers.")
@click.option("-s", "--system", metavar="TEXT", help="Your own instruction, in the place of the expert's.")
@click.option(
    "-o",
    "--option",
    "options",
    type=(str, str),
    multiple=True,
    metavar="KEY VALUE",
    help=f"A setting for this answer: {', '.join(option_rules())}.",
)
@click.option("--seed", metavar="N", help="Repeat an answer: the seed that --stats showed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--plain", is_flag=True, help="No colours and no changing lines, for screen readers.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete.")
@click.option("--stats", is_flag=True, help="Print what the answer cost.")
@click.option("--force", is_flag=True, help="Load the model even where memory looks short.")
def ask(
    question: tuple[str, ...],
    model: str | None,
    expert: str | None,
    mix: str | None,
    compare: str | None,
    no_route: bool,
    system: str | None,
    options: tuple[tuple[str, str], ...],
    seed: str | None,
    as_json: bool,
    plain: bool,
    no_stream: bool,
    stats: bool,
    force: bool,
) -> int:
    """Answer one question.

    The answer alone goes to stdout. Text that is piped in comes before QUESTION; "-" stands for it. Give patient
    text this way: an argument is kept in the shell's history, and other users of the machine can see it.

    \b
    medpocket ask "What are the symptoms of glaucoma?"
    medpocket ask "Summarise the findings." < note.txt
    medpocket ask -e cardiology -o temperature 0 "When is an ICD indicated?"
    """
    diagnostics.plain = plain
    given = dict(options) | ({"seed": seed} if seed is not None else {})
    answers = experts_named(expert, mix, compare)
    route, mixes = not no_route, mix == AUTO
    return _ask(Request(question, model, answers, route, mixes, system, given, as_json, not no_stream, stats, force))


def _ask(request: Request) -> int:
    hide_memory()
    registry = load_registry()
    configured = load_settings()
    question = read_question(request.words)
    # What can be refused is refused before the model is loaded.
    readable_question(question)
    readable(request.system or "")
    for experts in request.answers:
        for name, _ in experts:
            registry.expert(name)
    located = _locate(request, registry, configured.model)
    model_sampling = located.spec.sampling if located.spec else {}
    settings, sampling = sampling_for(configured, model_sampling, request.options)
    cancel = Cancellation()
    answering = Answering(request, cancel)

    def events() -> Iterator[Event | LoadedModel]:
        engine = load_located(
            located,
            registry,
            replace(settings, context=configured.context),
            context=settings.context if "context" in request.options else None,
            force=request.force,
        )
        try:
            yield engine.model
            assistant = assistant_on(engine, registry, sampling)
            for experts in request.answers or ((),):
                if cancel.is_set():
                    break
                route = request.route and not request.answers
                yield from assistant.ask(
                    question, cancel, experts=experts, route=route, mix=request.mix, system=request.system
                )
        finally:
            engine.close()

    before = signal.signal(signal.SIGINT, answering.interrupt)
    running = iterate_in_thread(events)
    try:
        for event in running:
            answering.take(event, located)
    except OSError:  # stdout is gone or full: nobody reads on
        cancel.set()
        for _ in running:  # llama.cpp must have come to rest before the process ends
            pass
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    return answering.finish()


def _locate(request: Request, registry: Registry, configured: str | None) -> LocatedModel:
    name = request.model if request.model is not None else default_model(registry, configured)
    located = locate_model(name, registry)
    if request.model is None and located.spec and located.spec.demonstration and not output.is_terminal():
        raise ModelError(
            "no model is installed, and the demonstration model does not write into files or pipes unasked",
            "give a GGUF file with -m PATH, or ask for it by name with -m demo (never for care)",
        )
    return located
