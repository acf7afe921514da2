"""The line at the bottom: what answers, how full the context is, memory, and what is certain about the network."""

from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from medpocket.tui.messages import ModelInfo
from medpocket.tui.widgets.wording import BETWEEN, size

_NEARLY_FULL = 0.75


@dataclass(frozen=True)
class Status:
    """What the line tells; bytes and tokens. `model` is None while there is none, and `saying` says why."""

    model: ModelInfo | None = None
    saying: str = "no model"
    used: int = 0
    process_bytes: int = 0
    free_bytes: int = 0
    battery: str = ""
    offline: bool = False
    history: str = "history off"


class StatusLine(Static):
    """One line; what does not fit is cut off at its end."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1; padding: 0 2; background: $panel; color: $text-muted;
        text-overflow: ellipsis; text-wrap: nowrap;
    }
    """

    def __init__(self) -> None:
        super().__init__(id="status")

    def show(self, status: Status) -> None:
        """Show the present state."""
        self.update(Content(BETWEEN.join(filter(None, _parts(status)))))


def _parts(status: Status) -> list[str]:
    """The most important first: a narrow terminal cuts the end off."""
    model = status.model
    parts = [f"{model.name} {model.quantization}" if model else status.saying]
    if model:
        share = status.used / model.context
        warning = " (nearly full)" if share >= _NEARLY_FULL else ""
        parts.append(f"context {share:.0%} of {model.context:,}{warning}")
    parts.append("offline" if status.offline else "OFFLINE NOT VERIFIED" if status.process_bytes else "")
    parts.append(status.history)
    if status.process_bytes:
        parts.append(f"memory {size(status.process_bytes)}, {size(status.free_bytes)} free")
    parts.append(status.battery)
    if model:
        parts.append(f"{model.gpu_layers} layers on GPU" if model.gpu_layers else "CPU")
    return parts
