"""What `medpocket ask` shows of an answer, and what it keeps for the end."""

import dataclasses
import os
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from medpocket.cli import INTERRUPTED, diagnostics, output
from medpocket.cli.named_experts import Experts
from medpocket.engine.cancel import Cancellation
from medpocket.engine.protocol import LoadedModel
from medpocket.experts.active import NONE
from medpocket.models.locate import LocatedModel
from medpocket.types import Delta, Event, Finished, Kept, Notice, PromptProgress, Routed

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
    answers: tuple[Experts, ...]  # one each; empty: one answer of whoever the question is routed to
    route: bool
    mix: bool  # whether a second expert that is close answers too
    system: str | None
    options: dict[str, str]
    as_json: bool
    stream: bool
    stats: bool
    force: bool = False
    log: bool = True  # whether question and answer are kept
    follows: str | None = None  # the conversation or turn to go on from; empty: the last one


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
    kept: Kept | None = None
    notice: str = ""  # what the user should know of the history
    answers: list[dict[str, Any]] = field(default_factory=list)  # for --json
    _ended: int = 0  # answers that are complete, or were stopped
    since_start_s: float | None = None
    _late: list[str] = field(default_factory=list)  # notices that wait for the end of the answer
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
                first, self.routed, self.notices, self.kept = self.routed is None, event, [], None
                if first:
                    self._introduce(located)
                self._note(_routed_line(event))
                if self.compares and not self.request.as_json:
                    self.writer.write(f"== {self._compared()} ==\n")
            case Notice():
                self.notices.append(event.text)
                if self.writer.is_in_line:
                    self._late.append(event.text)  # in the middle of a line it could not be read
                else:
                    self._note(event.text)
            case Kept():
                self.kept = event
            case PromptProgress() if not self.request.as_json:
                diagnostics.progress(event.evaluated, event.total)
            case Delta():
                self._show(event.text)
            case Finished():
                self.finished = event
                self._end(event)

    def finish(self) -> int:
        """Write what remains to be written; return the exit code."""
        if self.finished is None and self.cancel.is_set():  # stopped before the first answer began
            return INTERRUPTED
        if self.finished is None:
            raise RuntimeError("the engine ended without an answer")
        if self.request.as_json:
            output.write_success("ask", {"answers": self.answers} if self.compares else self.answers[0])
        return INTERRUPTED if self.finished.stop == "cancelled" else 0

    @property
    def compares(self) -> bool:
        """Whether there is more than one answer."""
        return len(self.request.answers) > 1

    def _compared(self) -> str:
        """Who gives the answer that begins now."""
        return " + ".join(name for name, _ in self.request.answers[self._ended]) or NONE

    def _end(self, finished: Finished) -> None:
        """Write what remains to be written of one answer."""
        self._ended += 1
        if self.request.as_json:
            self.answers.append(self._as_json(finished))
            return
        diagnostics.clear_progress()
        if not self.request.stream:
            self.writer.write(finished.answer)
        self.writer.end()
        for text in self._late:
            self._note(text)
        self._late.clear()
        if finished.stop in _STOPPED:
            diagnostics.notice(_STOPPED[finished.stop])
        if self.request.stats:
            diagnostics.notice(self._stats_line(finished))
            if self.kept:
                diagnostics.notice(f"kept as {self.kept.conversation}.{self.kept.number}")

    def _introduce(self, located: LocatedModel) -> None:
        spec = located.spec
        if self.notice:
            self.notices.append(self.notice)
            self._note(self.notice)
        self.demonstration = bool(self.model and self.model.demonstration)
        if self.demonstration:
            self._note("demonstration model, not a clinical model; for BioMistral-7B: medpocket models pull")
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
            f"{stats.prompt_tokens} tokens asked ({stats.cached_tokens} cached, {stats.evaluated_tokens} evaluated), "
            f"{stats.answer_tokens} answered; {stats.adapter_switches} switches of adapters; "
            f"first token after {stats.time_to_first_token_s:.2f} s"
            f"{f', {self.since_start_s:.2f} s from start' if self.since_start_s else ''}; "
            f"{stats.prefill_rate:.1f} tokens/s read, {stats.decode_rate:.1f} answered; "
            f"peak memory {stats.peak_memory_bytes / 1e6:,.0f} MB; seed {stats.seed}"
        )

    def _as_json(self, finished: Finished) -> dict[str, Any]:
        stats = finished.stats
        return {
            "answer": finished.answer,
            "stop": finished.stop,
            "kept_as": f"{self.kept.conversation}.{self.kept.number}" if self.kept else None,
            "demonstration": self.demonstration,
            "model": dataclasses.asdict(self.model) if self.model else None,
            "expert": _expert_as_json(self.routed) if self.routed else None,
            "notices": self.notices,
            "stats": dataclasses.asdict(stats)
            | {
                "prefill_tokens_per_s": stats.prefill_rate,
                "decode_tokens_per_s": stats.decode_rate,
                "first_token_since_start_s": self.since_start_s,
            },
        }


def _expert_as_json(routed: Routed) -> dict[str, Any]:
    """All but the route, which `medpocket route --json` prints."""
    return dataclasses.asdict(dataclasses.replace(routed, route=None)) | {"has_adapter": routed.has_adapter}


def _routed_line(routed: Routed) -> str:
    score = f" {routed.score:.2f}" if routed.score is not None else ""
    only = "" if routed.has_adapter or routed.expert == "general" else " (its prompt alone, no adapter)"
    return f"{routed.expert}{score}{only}: {routed.why}"
