"""A question and its answer on the screen."""

import time

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from medpocket.text import printable
from medpocket.tui.conversation import Exchange
from medpocket.tui.messages import ModelInfo
from medpocket.tui.widgets.wording import BETWEEN, STOPPED, duration, routed_words
from medpocket.types import Finished, Routed

_BAR = 24
_LONGEST_QUESTION = 2_000  # characters shown of one; it is asked and kept whole


class AnswerText(Markdown):
    """An answer; its links lead nowhere, since nothing leaves this machine."""

    DEFAULT_CSS = """
    AnswerText { padding: 0; margin: 0; background: transparent; }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(printable(text), open_links=False)


class ExchangeView(Vertical, can_focus=True):
    """Follows an exchange while its answer comes."""

    DEFAULT_CSS = """
    ExchangeView {
        height: auto;
        padding: 0 2 0 1;
        border-left: wide transparent;
        &:focus { border-left: wide $primary; }
        .question { color: $foreground; text-style: bold; margin: 0 0 1 0; }
        .head { color: $text-muted; }
        .progress { color: $primary; }
        .notice { color: $text-muted; text-style: italic; }
        .problem { color: $text-warning; }
        .tail { color: $text-muted; margin-bottom: 1; }
    }
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(id=f"exchange-{exchange.number}")
        self.exchange = exchange
        self._answer: AnswerText | None = None
        self._stream: MarkdownStream | None = None
        self._first_text_at: float | None = None

    def compose(self) -> ComposeResult:
        """Question, who answers, how far it is, the answer, and what is to be known about it."""
        question = self.exchange.question.strip()
        more = len(question) - _LONGEST_QUESTION
        shown = question[:_LONGEST_QUESTION] + (f" ... ({more:,} more characters)" if more > 0 else "")
        yield Static(Content(printable(shown)), classes="question")
        yield Static(self._head(), classes="head")
        if self.exchange.is_open:
            yield Static(Content("Waiting for the model"), classes="progress")
        if self.exchange.text:
            self._answer = AnswerText(self.exchange.text)
            yield self._answer
        yield Static(self._tail(), classes="tail")

    def show_routed(self, routed: Routed, model: ModelInfo | None) -> None:
        """Name who answers, and with which model."""
        self.exchange.routed = routed
        self.exchange.model = f"{model.name} {model.quantization}" if model else ""
        self._refresh_words()

    def show_notice(self, text: str) -> None:
        """Add a line about the answer."""
        self.exchange.notices.append(text)
        self._refresh_words()

    def show_progress(self, evaluated: int, total: int, seconds: float) -> None:
        """Say how much of the prompt is read, and how long the rest takes at this rate."""
        done = evaluated / total if total else 1.0
        filled = round(done * _BAR)
        left = f"{BETWEEN}{duration(seconds / evaluated * (total - evaluated))} left" if 0 < evaluated < total else ""
        self._progress(
            Content.assemble(
                "Reading ",
                ("━" * filled, "$primary"),
                ("─" * (_BAR - filled), "$text-muted"),
                f" {evaluated:,} of {total:,} tokens{left}",
            )
        )

    async def add_text(self, text: str, pieces: int) -> None:
        """Show the next piece of the answer."""
        now = time.monotonic()
        if self._first_text_at is None:
            self._first_text_at = now
        self.exchange.text += text
        self.exchange.pieces += pieces
        if self._answer is None:
            self._answer = AnswerText()
            await self.mount(self._answer, before=self.query_one(".tail"))
        if self._stream is None:
            self._stream = Markdown.get_stream(self._answer)
        await self._stream.write(printable(text))
        seconds = now - self._first_text_at
        rate = f"{BETWEEN}{self.exchange.pieces / seconds:.1f} tokens/s" if seconds > 0.5 else ""
        self._progress(Content(f"Answering{BETWEEN}{self.exchange.pieces:,} tokens{rate}{BETWEEN}Esc stops"))

    async def finish(self) -> None:
        """Show the figures of an answer that has ended, whichever way."""
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        await self.query(".progress").remove()
        self._refresh_words()

    def _progress(self, content: Content) -> None:
        for line in self.query(".progress").results(Static):
            line.update(content)

    def _refresh_words(self) -> None:
        self.query_one(".head", Static).update(self._head())
        self.query_one(".tail", Static).update(self._tail())

    def _head(self) -> Content:
        exchange = self.exchange
        parts = [routed_words(exchange.routed) if exchange.routed else str(exchange.choice)]
        if exchange.model:
            parts.append(exchange.model)
        if exchange.finished:
            parts += _figures(exchange.finished)
        return Content(printable(BETWEEN.join(parts)))

    def _tail(self) -> Content:
        exchange = self.exchange
        lines = [Content(printable(notice)) for notice in exchange.notices]
        if exchange.error:
            lines.append(Content(printable(f"! {exchange.error.message}")))
            lines.append(Content(printable(f"  {exchange.error.hint}")))
        if exchange.finished and exchange.finished.stop in STOPPED:
            lines.append(Content(f"({STOPPED[exchange.finished.stop]})"))
        return Content("\n").join(lines)


def _figures(finished: Finished) -> list[str]:
    stats = finished.stats
    return [f"{stats.answer_tokens:,} tokens", f"{stats.decode_rate:.1f} tokens/s"]
