"""`medpocket ask`: one question, one answer."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.answering import Answering, Request
from medpocket.cli.history_open import open_history, open_to_record
from medpocket.cli.named_experts import AUTO, experts_named
from medpocket.cli.question import read_question
from medpocket.cli.worker import iterate_in_thread
from medpocket.config import Settings, load_settings, option_rules, sampling_for
from medpocket.engine.cancel import Cancellation
from medpocket.engine.protocol import LoadedModel
from medpocket.errors import HistoryError, MedpocketError, ModelError, OptionError
from medpocket.loading import answered_by, assistant_on, load_located
from medpocket.lockdown import hide_memory
from medpocket.models.locate import LocatedModel, default_model, locate_model
from medpocket.registry import Registry, load_registry
from medpocket.store.audited import audited
from medpocket.store.history import History
from medpocket.store.records import StoredTurn, as_turns
from medpocket.store.writer import Keep
from medpocket.text import readable, readable_question
from medpocket.types import Event, Kept


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Complete the ids of models, or a path."""
    from click.shell_completion import CompletionItem

    ids = [CompletionItem(name) for name in load_registry().models if name.startswith(incomplete)]
    return ids or [CompletionItem(incomplete, type="file")]


def complete_expert(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the ids of experts."""
    return [name for name in load_registry().experts if name.startswith(incomplete)]


def complete_conversation(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Complete the ids of the latest conversations, with their titles, where that needs no passphrase."""
    from click.shell_completion import CompletionItem

    with contextlib.suppress(MedpocketError):
        history = History.open(create=False)
        if history:
            latest = history.conversations(limit=50)
            return [CompletionItem(one.id, help=one.title) for one in latest if one.id.startswith(incomplete)]
    return []


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
@click.option("-c", "--continue", "continues", is_flag=True, help="Go on with the last conversation.")
@click.option(
    "--cid",
    metavar="ID",
    shell_complete=complete_conversation,
    help="Go on with a conversation, or from one of its turns.",
)
@click.option("-n", "--no-log", is_flag=True, help="Keep neither question nor answer.")
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
    continues: bool,
    cid: str | None,
    no_log: bool,
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
    medpocket ask -c "And in children?"
    """
    if continues and cid is not None:
        raise OptionError("-c goes on with the last conversation, --cid with a named one", "give one of the two")
    diagnostics.plain = plain
    given = dict(options) | ({"seed": seed} if seed is not None else {})
    answers = experts_named(expert, mix, compare)
    route, mixes = not no_route, mix == AUTO
    follows = "" if continues else cid
    return _ask(
        Request(
            question,
            model,
            answers,
            route,
            mixes,
            system,
            given,
            as_json,
            not no_stream,
            stats,
            force,
            not no_log,
            follows,
        )
    )


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
    history, records, answering.notice = _open_history(request, configured)
    earlier = _earlier(history, request.follows) if history else []

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
            model = answered_by(located, engine.model)
            conversation = earlier[0].conversation if earlier else None
            for experts in request.answers or ((),):
                if cancel.is_set():
                    break
                keep = None
                if history and records:
                    keep = Keep(history, model, conversation, earlier[-1].number if earlier else None)
                answer = assistant.ask(
                    question,
                    cancel,
                    history=as_turns(earlier),
                    experts=experts,
                    route=request.route and not request.answers,
                    mix=request.mix,
                    compared=answering.compares,
                    system=request.system,
                    keep=keep,
                )
                for event in audited(answer, "ask", model, history if records else None):
                    if isinstance(event, Kept):
                        conversation = event.conversation
                    yield event
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
        if history:
            history.close()
    return answering.finish()


def _open_history(request: Request, settings: Settings) -> tuple[History | None, bool, str]:
    """The history where it is needed, whether the answer is kept in it, and what the user should know of that."""
    history, notice = None, ""
    if request.log:
        history, notice = open_to_record(settings, asks=not request.as_json)
    if history is None and request.follows is not None:
        return open_history(), False, notice
    return history, history is not None, notice


def _earlier(history: History, follows: str | None) -> list[StoredTurn]:
    """The turns that the question follows."""
    if follows is None:
        return []
    last = history.latest() if follows == "" else None
    if follows == "" and last is None:
        raise HistoryError("there is no conversation to go on with", "ask without -c first")
    turn = history.turn(last.id if last else follows)
    return history.branch(turn.conversation, turn.number)


def _locate(request: Request, registry: Registry, configured: str | None) -> LocatedModel:
    name = request.model if request.model is not None else default_model(registry, configured)
    located = locate_model(name, registry)
    if request.model is None and located.spec and located.spec.demonstration and not output.is_terminal():
        raise ModelError(
            "no model is installed, and the demonstration model does not write into files or pipes unasked",
            "give a GGUF file with -m PATH, or ask for it by name with -m demo (never for care)",
        )
    return located
