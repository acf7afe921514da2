"""A conversation for people to read: Markdown, plain text, and the draft of a note in four parts (SOAP)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from medpocket.store.records import State, StoredTurn, Whole
from medpocket.store.signing import Checked, check
from medpocket.text import printable

_DEMONSTRATION = "DEMONSTRATION MODEL: not a clinical model, not for care"
_ENDINGS = {
    State.STREAMING: "was still being written",
    State.STOPPED: "stopped before its end",
    State.FAILED: "failed before its end",
}
_SOAP = ("Subjective", "Objective", "Assessment", "Plan")
_TO_FILL = "(the clinician fills this in)"


@dataclass(frozen=True)
class Style:
    """How a heading, a fact and quoted text are written."""

    heading: Callable[[int, str], str]
    fact: Callable[[str, str], str]
    quoted: Callable[[str], str]


def _underlined(level: int, text: str) -> str:
    return f"{text}\n{('=' if level == 1 else '-') * min(len(text), 100)}\n"


MARKDOWN = Style(
    lambda level, text: f"{'#' * level} {_escaped(text)}\n",
    lambda name, value: f"- **{name}:** {_escaped(value)}\n",
    # Indented as code: nothing in a question or an answer is taken for markup.
    lambda text: "".join(f"    {line}\n" for line in text.splitlines()) or "    \n",
)
PLAIN = Style(
    _underlined,
    lambda name, value: f"{name}: {value}\n",
    lambda text: "".join(f"| {line}\n" for line in text.splitlines()) or "| \n",
)


@dataclass(frozen=True)
class Document:
    """A conversation that is to be written; `dated` says a time as it is to be read."""

    whole: Whole
    style: Style
    deidentified: bool = False
    dated: Callable[[datetime], str] = lambda time: f"{time.astimezone():%Y-%m-%d %H:%M}"

    def text(self) -> Iterator[str]:
        """Yield the conversation, headed by what must be known of it."""
        yield from self._head(self.whole.conversation.title)
        yield from self._turns(2)

    def soap(self) -> Iterator[str]:
        """Yield the draft of a note: four headings to fill in, then the conversation, quoted."""
        yield from self._head("Draft of a note (SOAP)")
        for part in _SOAP:
            yield f"{self.style.heading(2, part)}\n{_TO_FILL}\n\n"
        yield f"{self.style.heading(2, 'Conversation, quoted')}\n"
        yield from self._turns(3)

    def _head(self, title: str) -> Iterator[str]:
        turns, signed = self.whole.turns, check(self.whole)
        yield f"{self.style.heading(1, printable(' '.join(title.split())))}\n"
        yield self.style.fact("Status", self._status(signed))
        if any(turn.asked.model.demonstration for turn in turns):
            yield self.style.fact("Demonstration", _DEMONSTRATION)
        yield self.style.fact("Model", "; ".join(dict.fromkeys(map(_model, turns))))
        yield self.style.fact("Expert", "; ".join(dict.fromkeys(map(_expert, turns))))
        yield self.style.fact("Date", " to ".join(dict.fromkeys(self.dated(turns[at].asked_at) for at in (0, -1))))
        yield self.style.fact("Conversation", self.whole.conversation.id)
        if self.deidentified:
            yield self.style.fact("De-identified", "by rules, which miss some: read it before it is given to anybody")
        yield "\n"

    def _status(self, signed: list[Checked]) -> str:
        valid = [one for one in signed if one.valid]
        covered = frozenset().union(*(one.numbers for one in valid))
        who = "; ".join(f"{printable(one.signature.signer)}, {self.dated(one.signature.signed_at)}" for one in valid)
        void = "; ".join(
            f"the signature of {printable(one.signature.signer)} is void: changed since"
            for one in signed
            if not one.valid
        )
        if valid and all(turn.number in covered for turn in self.whole.turns):
            status = f"signed by {who}"
        elif valid:
            status = f"draft, not reviewed, but for turns {', '.join(map(str, sorted(covered)))}: signed by {who}"
        else:
            status = "draft, not reviewed"
        return f"{status}; {void}" if void else status

    def _turns(self, level: int) -> Iterator[str]:
        style = self.style
        for turn in self.whole.turns:
            follows = f", follows {turn.parent}" if turn.parent not in (None, turn.number - 1) else ""
            yield f"{style.heading(level, f'Question {turn.number}{follows}')}\n"
            yield f"{style.quoted(printable(turn.asked.question))}\n"
            yield f"{style.heading(level, f'Answer {turn.number}')}\n"
            if turn.asked.model.demonstration:
                yield style.fact("Demonstration", _DEMONSTRATION)
            yield style.fact("Answered by", f"{_model(turn)}; {_expert(turn)}; {self.dated(turn.asked_at)}")
            if turn.state in _ENDINGS:
                yield style.fact("Incomplete", f"the answer {_ENDINGS[turn.state]}")
            if turn.rating:
                yield style.fact("Rated", turn.rating.value)
            yield f"\n{style.quoted(printable(turn.answer))}\n"
            if turn.note:
                yield f"{style.heading(level, f'Note on {turn.number}')}\n{style.quoted(printable(turn.note))}\n"


def of_one_turn(whole: Whole, number: int) -> Whole:
    """Return a conversation with one turn alone. Its signatures were made for more, and stay out unless it is all."""
    turns = tuple(turn for turn in whole.turns if turn.number == number)
    return whole if len(turns) == len(whole.turns) else replace(whole, turns=turns, signatures=())


def _model(turn: StoredTurn) -> str:
    model = turn.asked.model
    file = f" (file {model.sha256[:12]})" if model.sha256 else ""
    return printable(model.name) + (f" {printable(model.quantization)}" if model.quantization else "") + file


def _expert(turn: StoredTurn) -> str:
    adapters = ", ".join(f"{one.expert} {one.sha256[:12]} at {one.scale:g}" for one in turn.asked.adapters)
    return f"{turn.asked.expert} ({f'adapter {adapters}' if adapters else 'no adapter'})"


def _escaped(text: str) -> str:
    """Return text in which Markdown and HTML find no markup."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]<>#|!~&" else character for character in text)
