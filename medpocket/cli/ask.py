"""`medpocket ask`: one question, one answer."""

import dataclasses
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import click

from medpocket.assistant import Assistant, readable, readable_question
from medpocket.cli import INTERRUPTED, diagnostics, output
from medpocket.cli.question import read_question
from medpocket.cli.worker import iterate_in_thread
from medpocket.config import LARGEST_CONTEXT_UNASKED, load_settings, option_rules, sampling_for
from medpocket.engine.cancel import Cancellation
from medpocket.engine.protocol import LoadedModel
from medpocket.errors import ModelError
from medpocket.lockdown import hide_memory
from medpocket.models.locate import LocatedModel, default_model, locate_model, smaller_choice
from medpocket.registry import Registry, load_registry
from medpocket.types import Delta, Event, Finished, Notice, PromptProgress, Routed

_STOPPED = {
    "length": "the answer was ended at max_tokens; -o max_tokens N allows more",
    "context": "the answer was ended: the context is full",
    "cancelled": "stopped",
}


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    words: tuple[str, ...]
    model: str | None
    expert: str | None
    route: bool
    system: str | None
    options: dict[str, str]
    as_json: bool
    stream: bool
    stats: bool


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
def ask(
    question: tuple[str, ...],
    model: str | None,
    expert: str | None,
    no_route: bool,
    system: str | None,
    options: tuple[tuple[str, str], ...],
    seed: str | None,
    as_json: bool,
    plain: bool,
    no_stream: bool,
    stats: bool,
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
    return _ask(Request(question, model, expert, not no_route, system, given, as_json, not no_stream, stats))


def _ask(request: Request) -> int:
    hide_memory()
    registry = load_registry()
    configured = load_settings()
    question = read_question(request.words)
    # What can be refused is refused before the model is loaded.
    readable_question(question)
    readable(request.system or "")
    if request.expert is not None:
        registry.expert(request.expert)
    located = _locate(request, registry, configured.model)
    model_sampling = located.spec.sampling if located.spec else {}
    settings, sampling = sampling_for(configured, model_sampling, request.options)
    cancel = Cancellation()
    answering = Answering(request, cancel)

    def events() -> Iterator[Event | LoadedModel]:
        from medpocket.engine import load_engine

        spec = located.spec
        engine = load_engine(
            located.path,
            name=spec.title if spec else None,
            context=settings.context if "context" in request.options else None,
            most_context=configured.context or LARGEST_CONTEXT_UNASKED,
            trained_context=spec.trained_context if spec else None,
            threads=settings.threads,
            template=registry.prompts[spec.prompt] if spec else None,
            batch=settings.batch,
            gpu_layers=settings.gpu_layers,
            repack=settings.repack,
            log_level=settings.log_level,
            smaller=lambda available: smaller_choice(registry, available),
        )
        try:
            yield engine.model
            yield from Assistant(registry, engine, sampling).ask(
                question, cancel, expert=request.expert, route=request.route, system=request.system
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


@dataclass
class Answering:
    """Shows the events of one answer as they come, and keeps what the end needs."""

    request: Request
    cancel: Cancellation
    model: LoadedModel | None = None
    demonstration: bool = False
    routed: Routed | None = None
    notices: list[str] = field(default_factory=list)
    finished: Finished | None = None
    since_start_s: float | None = None
    writer: output.AnswerWriter = field(default_factory=output.AnswerWriter)

    def interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Ctrl-C: stop the answer and keep what came; before there is one, or a second time, end at once."""
        if self.model is None or self.cancel.is_set():
            diagnostics.clear_progress()
            os._exit(INTERRUPTED)  # llama.cpp may be at work: an orderly end would take its memory from under it
        self.cancel.set()

    def take(self, event: Event | LoadedModel, located: LocatedModel) -> None:
        """Show one event."""
        match event:
            case LoadedModel():
                self.model = event
            case Routed():
                self.routed = event
                self._introduce(located)
                self._note(_routed_line(event))
            case Notice():
                self.notices.append(event.text)
                self._note(event.text)
            case PromptProgress() if not self.request.as_json:
                diagnostics.progress(event.evaluated, event.total)
            case Delta():
                self._show(event.text)
            case Finished():
                self.finished = event

    def finish(self) -> int:
        """Write what remains to be written; return the exit code."""
        finished, model = self.finished, self.model
        if finished is None or model is None:
            raise RuntimeError("the engine ended without an answer")
        interrupted = finished.stop == "cancelled"
        if self.request.as_json:
            output.write_success("ask", self._as_json(finished, model))
            return INTERRUPTED if interrupted else 0
        diagnostics.clear_progress()
        if not self.request.stream:
            self.writer.write(finished.answer)
        self.writer.end()
        if finished.stop in _STOPPED:
            diagnostics.notice(_STOPPED[finished.stop])
        if self.request.stats:
            diagnostics.notice(self._stats_line(finished))
        return INTERRUPTED if interrupted else 0

    def _introduce(self, located: LocatedModel) -> None:
        spec = located.spec
        self.demonstration = bool(self.model and self.model.demonstration)
        if self.demonstration:
            self._note("demonstration model, not a clinical model; for BioMistral-7B: -m PATH")
        elif spec and spec.advisory:
            self._note(f"{spec.title}: {spec.advisory}")

    def _show(self, text: str) -> None:
        if self.since_start_s is None:
            from medpocket.models.hardware import process_age_s

            self.since_start_s = process_age_s()
            if not self.request.as_json:
                diagnostics.clear_progress()
        if self.request.stream and not self.request.as_json:
            self.writer.write(text)

    def _note(self, text: str) -> None:
        if not self.request.as_json:
            diagnostics.notice(text)

    def _stats_line(self, finished: Finished) -> str:
        stats = finished.stats
        return (
            f"{stats.prompt_tokens} tokens asked ({stats.cached_tokens} cached), {stats.answer_tokens} answered; "
            f"first token after {stats.time_to_first_token_s:.2f} s"
            f"{f', {self.since_start_s:.2f} s from start' if self.since_start_s else ''}; "
            f"{stats.prefill_rate:.1f} tokens/s read, {stats.decode_rate:.1f} answered; "
            f"peak memory {stats.peak_memory_bytes / 1e6:,.0f} MB; seed {stats.seed}"
        )

    def _as_json(self, finished: Finished, model: LoadedModel) -> dict[str, Any]:
        stats = finished.stats
        return {
            "answer": finished.answer,
            "stop": finished.stop,
            "demonstration": self.demonstration,
            "model": dataclasses.asdict(model),
            "expert": dataclasses.asdict(self.routed) if self.routed else None,
            "notices": self.notices,
            "stats": dataclasses.asdict(stats)
            | {
                "prefill_tokens_per_s": stats.prefill_rate,
                "decode_tokens_per_s": stats.decode_rate,
                "first_token_since_start_s": self.since_start_s,
            },
        }


def _routed_line(routed: Routed) -> str:
    score = f" {routed.score:.2f}" if routed.score is not None else ""
    only = "" if routed.has_adapter or routed.expert == "general" else " (its prompt alone, no adapter)"
    return f"{routed.expert}{score}{only}: {routed.why}"
