"""A line of the audit log for each answer, whether or not the answer itself is kept."""

from medpocket.cli.history_audit import write_entry
from medpocket.engine.protocol import LoadedModel
from medpocket.loading import answered_by
from medpocket.models.locate import LocatedModel
from medpocket.store.audit import Entry
from medpocket.store.connected import Connected
from medpocket.store.records import AnsweredBy
from medpocket.types import Event, Finished, Routed


class AnswersAudited:
    """Watches the events of answers and writes down how each ended: complete, stopped or failed."""

    def __init__(self, command: str, located: LocatedModel, history: Connected | None) -> None:
        self._command = command
        self._located = located
        self._history = history
        self._model = AnsweredBy("")
        self._routed: Routed | None = None

    def take(self, event: Event | LoadedModel) -> None:
        """Write a line where `event` ends an answer."""
        match event:
            case LoadedModel():
                self._model = answered_by(self._located, event)
            case Routed():
                self._routed = event
            case Finished():
                self._write("stopped" if event.stop == "cancelled" else "complete", event)

    def fail(self) -> None:
        """Write down that the answer that was asked for did not come."""
        self._write("failed")

    def _write(self, result: str, finished: Finished | None = None) -> None:
        routed, stats = self._routed, finished.stats if finished else None
        self._routed = None
        write_entry(
            Entry(
                self._command,
                result,
                model=self._model.sha256,
                fingerprint=self._model.fingerprint,
                expert=routed.expert if routed else "",
                adapters=routed.adapters if routed else (),
                prompt_tokens=stats.prompt_tokens if stats else None,
                answer_tokens=stats.answer_tokens if stats else None,
            ),
            self._history,
        )
