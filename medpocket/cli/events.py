"""What the downloading process tells, as lines and a bar on stderr."""

from medpocket.cli import diagnostics
from medpocket.cli.transfer import Transfer
from medpocket.models.download import Event
from medpocket.models.pace import duration


class EventsShown:
    """Shows what the downloading process tells."""

    def __init__(self) -> None:
        self._transfer: Transfer | None = None

    def take(self, event: Event) -> None:
        """Show one event."""
        match event["event"]:
            case "progress":
                doing = f"{event['doing']} {event['file']}"
                if self._transfer is None or self._transfer.doing != doing:
                    self._transfer = Transfer(doing, event["size"])
                self._transfer.show(event["done"])
            case "waiting" if event["first"]:
                pause = f"; going on in {duration(event['seconds'])}" if "seconds" in event else "; waiting for it"
                self._say(f"{event['reason']}{pause}")
            case "host":
                self._say(f"the hub sends the file from {event['host']}")
            case "notice":
                self._say(event["text"])

    def _say(self, text: str) -> None:
        diagnostics.clear_progress()
        diagnostics.notice(text)
