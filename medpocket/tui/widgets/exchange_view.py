"""A question and its answer on the screen."""

import time

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.messages import Prune
from textual.timer import Timer
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from medpocket.text import printable
from medpocket.tui.conversation import Exchange
from medpocket.tui.keys import ANSWER, bindings
from medpocket.tui.widgets.answer_text import AnswerText
from medpocket.tui.widgets.pace import Pace
from medpocket.tui.widgets.wording import BETWEEN, STOPPED, duration, routed_words

_BAR = 24
_LONGEST_QUESTION = 2_000  # characters shown of one; it is asked and kept whole


class ExchangeView(Vertical, can_focus=True):
    """Follows an exchange while its answer comes."""

    BINDINGS = bindings(ANSWER)
    DEFAULT_CSS = """
    ExchangeView {
        height: auto;
        padding: 0 2 0 1;
        border-left: wide transparent;
        &:focus { border-left: wide $primary; }
        .question { text-style: bold; margin: 0 0 1 0; }
        .head { color: $text-muted; }
        .progress { color: $text-muted; }
        .tail { color: $text-muted; margin-bottom: 1; }
    }
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(id=f"exchange-{exchange.number}")
        self.exchange = exchange
        self._answer: AnswerText | None = None
        self._stream: MarkdownStream | None = None
        self._first_text_at: float | None = None
        self._shown = 0  # characters of the answer
        self._takes_text = False  # before it is mounted, and once it goes
        self._pace = Pace()
        self._waiting: Timer | None = None  # until what has come may be shown

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
            self._shown = len(self.exchange.text)
            yield self._answer
        yield Static(self._tail(), classes="tail")

    async def on_mount(self) -> None:
        """Show what has changed since it was composed."""
        self._takes_text = True
        if len(self.exchange.text) > self._shown:
            await self._catch_up()
        if not self.exchange.is_open:
            await self.finish()

    @on(Prune)
    def _leave(self) -> None:
        """Take no more text: what it would stand before is about to go, and messages come until all of it has gone."""
        self._takes_text = False

    def refresh_words(self) -> None:
        """Show what is known of the exchange beside its answer."""
        for head in self.query(".head").results(Static):
            head.update(self._head())
        for tail in self.query(".tail").results(Static):
            tail.update(self._tail())

    def show_progress(self, evaluated: int, total: int, seconds: float) -> None:
        """Say how much of the prompt is read, and how long the rest takes at this rate."""
        done = evaluated / total if total else 1.0
        filled = round(done * _BAR)
        left = f"{BETWEEN}{duration(seconds / evaluated * (total - evaluated))} left" if 0 < evaluated < total else ""
        self._progress(
            Content.assemble(
                "Reading ",
                ("━" * filled, "$text-primary"),
                ("─" * (_BAR - filled), "$text-muted"),
                f" {evaluated:,} of {total:,} tokens{left}",
            )
        )

    async def show_text(self) -> None:
        """Show what has come of the answer since the last time."""
        if not self._takes_text:  # `on_mount` shows what is there then, or another view does
            return
        if self._waiting:
            return
        if (wait := self._pace.wait()) > 0:
            self._waiting = self.set_timer(wait, self._show_late)
            return
        self._pace.shown()
        now = time.monotonic()
        if self._first_text_at is None:
            self._first_text_at = now
        await self._catch_up()
        seconds, pieces = now - self._first_text_at, self.exchange.pieces
        rate = f"{BETWEEN}{pieces / seconds:.1f} tokens/s" if seconds > 0.5 else ""
        self._progress(Content(f"Answering{BETWEEN}{pieces:,} tokens{rate}{BETWEEN}Esc stops"))

    async def _show_late(self) -> None:
        self._waiting = None
        if self.exchange.is_open:  # else `finish` has shown it
            await self.show_text()

    async def _catch_up(self) -> None:
        """Show the text that is not shown yet."""
        if self._answer is None:
            self._answer = AnswerText()
            await self.mount(self._answer, before=self.query_one(".tail"))
        new = self.exchange.text[self._shown :]
        if not (new and self._takes_text):  # shown meanwhile: a stream that is never written to cannot be stopped
            return
        self._shown += len(new)
        if self._stream is None:
            self._stream = Markdown.get_stream(self._answer)
        await self._stream.write(printable(new))

    async def finish(self) -> None:
        """Show the figures of an answer that has ended, whichever way, and what came while this was being mounted."""
        if self._takes_text and len(self.exchange.text) > self._shown:
            await self._catch_up()
        stream, self._stream = self._stream, None  # stopped twice, it would be cancelled in its last words
        if stream is not None:
            await stream.stop()
        await self.query(".progress").remove()
        self.refresh_words()

    def _progress(self, content: Content) -> None:
        for line in self.query(".progress").results(Static):
            line.update(content, layout=content.cell_length > line.size.width)  # it is laid out anew where it may wrap

    def _head(self) -> Content:
        exchange = self.exchange
        parts = [routed_words(exchange.routed) if exchange.routed else str(exchange.choice)]
        if exchange.model:
            parts.append(exchange.model)
        if exchange.stats:
            parts.append(f"{exchange.stats.answer_tokens:,} tokens")
            if exchange.stats.decode_rate:
                parts.append(f"{exchange.stats.decode_rate:.1f} tokens/s")
        return Content(printable(BETWEEN.join(parts)))

    def _tail(self) -> Content:
        exchange = self.exchange
        lines = list(exchange.notices)
        if exchange.error:
            lines += [f"! {exchange.error.message}", f"  {exchange.error.hint}"]
        if exchange.stop in STOPPED:
            lines.append(f"({STOPPED[exchange.stop]})")
        marks = [f"rated {exchange.rating}" if exchange.rating else ""]
        marks.append(exchange.signed)
        if any(marks):
            lines.append(BETWEEN.join(filter(None, marks)))
        if exchange.note:
            lines.append(f"note: {exchange.note}")
        return Content("\n".join(map(printable, lines)))
