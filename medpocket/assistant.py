"""The one path of a question: route, expert, prompt, generate, record, show.

`Assistant.ask` yields what happens as typed events; who prints them, or posts them to a screen, does not know how
they are made.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Engine, Scaled
from medpocket.errors import AdapterError, MedpocketError, QuestionError, RouterError
from medpocket.registry import GENERAL, ExpertSpec, Registry
from medpocket.store.records import Asked, State
from medpocket.store.writer import Keep
from medpocket.text import readable, readable_question
from medpocket.types import (
    ActiveAdapter,
    Delta,
    EngineEvent,
    Event,
    Finished,
    Generated,
    Kept,
    Notice,
    Route,
    Routed,
    Sampling,
    Turn,
)

if TYPE_CHECKING:
    from medpocket.engine.cancel import Cancellation
    from medpocket.experts.active import ActiveExperts

CLOSE = 0.5  # a second expert whose score is at least this share of the first's is close
CLEAR = 0.6  # a score from which a question clearly belongs to an expert
_TERMS_NAMED = 3  # of a route's evidence

_ANSWER_SHARE = 4  # at most one token in so many of the context is kept free for the answer


class Routes(Protocol):
    """What finds the expert of a text."""

    def route(self, text: str) -> Route: ...


class Assistant:
    """Answers questions with one engine, each under the adapter of its expert, where it has one for the model.

    `router` is called when the first question is to be routed. Where it raises RouterError, `general` answers.
    """

    def __init__(
        self,
        registry: Registry,
        engine: Engine,
        sampling: Sampling,
        experts: "ActiveExperts | None" = None,
        router: Callable[[], Routes] | None = None,
    ) -> None:
        self._registry = registry
        self._engine = engine
        self._sampling = sampling
        self._experts = experts
        self._router = router

    def ask(
        self,
        question: str,
        cancel: "Cancellation",
        *,
        history: Sequence[Turn] = (),
        experts: Sequence[tuple[str, float]] = (),
        route: bool = True,
        mix: bool = False,
        compared: bool = False,
        system: str | None = None,
        keep: Keep | None = None,
    ) -> Iterator[Event]:
        """Answer `question`, which follows `history`.

        `experts` names who answers, each at its scale; without them the question is routed, unless `route` is off. A
        conversation keeps its expert unless the question clearly belongs to another. With `mix`, a second expert
        whose score is close answers too, at scales taken from both scores. With `compared`, others answer the same
        question too, without reading it again.
        `system` stands in the place of the expert's own line. `keep` says where the question and its answer are kept;
        an answer goes on where they cannot be, and says so. The last event is Finished, also when cancelled.

        Raises QuestionError (empty, not text, too long), UnknownNameError (expert), EngineError and MemoryShortError.
        """
        question, removed = readable_question(question)
        chosen = self._choose_experts(question, history, experts, route=route, mix=mix)
        adapters, problems = self._adapters(chosen.experts)
        line = chosen.line if system is None else readable(system)[0]
        before = [self._readable(turn) for turn in history]
        turns, prompt, dropped = self._fit(
            [*before, Turn("user", question, line=line, expert=chosen.first.id, apart=compared)]
        )
        routed = chosen.event(adapters)
        yield routed
        notices = (*chosen.notices, *problems, *self._notices(removed, dropped))
        yield from map(Notice, notices)
        generated = self._engine.generate(prompt, self._sampling, cancel, [scaled for _, scaled in adapters])
        if keep:
            asked = _asked(question, routed, line, self._sampling, notices, keep)
            events: Iterator[EngineEvent | Notice | Kept] = _recorded(generated, asked, keep)
        else:
            events = generated
        for event in events:
            if isinstance(event, Generated):
                answer = Turn("assistant", event.text, event.ids, model=self._engine.model.fingerprint)
                yield Finished(event.text, event.stop, event.stats, (*turns, answer))
            else:
                yield event

    def rest(self, cancel: "Cancellation") -> int:
        """Use idle time: read the last answer as the next turn will need it; return the tokens evaluated.

        A request that comes meanwhile sets `cancel`, and waits no longer than one operation of llama.cpp takes.
        """
        return self._engine.read_answer(cancel)

    def _readable(self, turn: Turn) -> Turn:
        """The turn without its token ids where they are another model's, and would mean other words here."""
        foreign = turn.ids is not None and turn.model != self._engine.model.fingerprint
        return replace(turn, ids=None) if foreign else turn

    def _notices(self, removed: int, dropped: int) -> Iterator[str]:
        """What the user should know of the question, the model and the conversation."""
        if removed:
            yield (
                f"{removed} control character{'s were' if removed > 1 else ' was'} taken out of the question; "
                "check that it was copied whole"
            )
        if not self._engine.model.has_template:
            yield "this model has no chat template: it reads the text as it is, and goes on from there"
        if dropped:
            yield (
                f"the conversation is longer than the context of {self._engine.model.context:,} tokens: "
                f"its first {dropped} turns are no longer read"
            )

    def _choose_experts(
        self,
        question: str,
        history: Sequence[Turn],
        named: Sequence[tuple[str, float]],
        *,
        route: bool,
        mix: bool,
    ) -> "_Chosen":
        if named:
            specs = [(self._registry.expert(name), scale) for name, scale in named]
            mixed = ", ".join(f"{spec.id} {scale:g}" for spec, scale in specs)
            why = "chosen by you" if len(specs) == 1 else f"mixed by you: {mixed}"
            return _Chosen(specs, why)
        if not route or self._router is None:
            return self._general("routing is off")
        try:
            router = self._router()
        except RouterError as error:
            return self._general("there is no router", (f"{error.message}; {error.hint}",))
        return self._routed(router, question, history, mix=mix)

    def _general(self, why: str, notices: tuple[str, ...] = ()) -> "_Chosen":
        return _Chosen([(self._registry.expert(GENERAL), 1.0)], why, notices=notices)

    def _routed(self, router: Routes, question: str, history: Sequence[Turn], *, mix: bool) -> "_Chosen":
        found = router.route(question)
        asked = [turn for turn in history if turn.role == "user"]
        held = asked[-1].expert if asked else ""
        if held in self._registry.experts and not _belongs_elsewhere(router, found, held, asked[-1].text, question):
            stays = [(self._registry.expert(held), 1.0)]
            return _Chosen(stays, "the conversation stays with it", found.scores.get(held), route=found)
        terms = ", ".join(one.term for one in found.evidence[:_TERMS_NAMED])
        why = "; ".join(part for part in (terms, found.note) if part) or "it is of no specialty"
        first = (self._registry.expert(found.expert), 1.0)
        second = _close_second(found)
        if second is None:
            return _Chosen([first], why, found.score, route=found)
        name, score = second
        if not mix:
            told = f"{name} is close ({score:.2f}): `-e {name}` asks it, `--mix auto` asks both"
            return _Chosen([first], why, found.score, (told,), found)
        whole = found.score + score
        both = [(first[0], found.score / whole), (self._registry.expert(name), score / whole)]
        return _Chosen(both, f"{why}; mixed with {name} {score:.2f}", found.score, route=found)

    def _adapters(
        self, experts: Sequence[tuple[ExpertSpec, float]]
    ) -> tuple[list[tuple[ExpertSpec, Scaled]], list[str]]:
        """The adapters of those experts that have one for this model, and what is wrong with the others."""
        found, problems = [], []
        for spec, scale in experts:
            try:
                scaled = self._experts.adapter(spec.id, scale) if self._experts else None
            except AdapterError as error:
                problems.append(f"{spec.id} answers without its adapter: {error.message}; {error.hint}")
                continue
            if scaled:
                found.append((spec, scaled))
            elif len(experts) > 1:
                problems.append(f"{spec.id} has no adapter for this model, and no part in the mixture")
        return found, problems

    def _fit(self, turns: list[Turn]) -> tuple[list[Turn], Prompt, int]:
        """Return the turns that fit, their token ids, and how many turns were dropped.

        A conversation that is too long is cut to half the context at once, by whole exchanges from its beginning:
        cut by as little as would do, every later turn would be too long again, and read all again.
        """
        context = self._engine.model.context
        reserve = min(self._sampling.max_tokens, context // _ANSWER_SHARE)
        prompt = self._engine.encode(turns)
        if len(prompt) + reserve <= context:
            return turns, prompt, 0
        kept = turns
        while len(kept) > 1 and len(prompt) > context // 2:
            kept = kept[2:]
            prompt = self._engine.encode(kept)
        if len(prompt) + reserve > context:
            raise QuestionError(
                f"the question has {len(prompt):,} tokens; this model's context holds {context:,}, "
                f"{reserve:,} of them kept for the answer",
                f"shorten it to {context - reserve:,} tokens, about {(context - reserve) * 3 // 4:,} words",
            )
        return kept, prompt, len(turns) - len(kept)


@dataclass(frozen=True)
class _Chosen:
    """Who answers, each at its scale, why they do, and how sure the router was where it was asked."""

    experts: Sequence[tuple[ExpertSpec, float]]
    why: str
    score: float | None = None
    notices: tuple[str, ...] = ()
    route: Route | None = None

    @property
    def first(self) -> ExpertSpec:
        """The one who counts most: its line is read."""
        return max(self.experts, key=lambda one: one[1])[0]

    @property
    def line(self) -> str:
        return self.first.system

    def event(self, adapters: Sequence[tuple[ExpertSpec, Scaled]]) -> Routed:
        active = tuple(ActiveAdapter(spec.id, scaled.file.sha256, scaled.scale) for spec, scaled in adapters)
        return Routed(self.first.id, self.first.title, self.why, self.score, active, self.route)


def _asked(question: str, routed: Routed, line: str, sampling: Sampling, notices: tuple[str, ...], keep: Keep) -> Asked:
    return Asked(
        question=question,
        model=keep.model,
        expert=routed.expert,
        title=routed.title,
        why=routed.why,
        line=line,
        score=routed.score,
        scores=routed.route.scores if routed.route else {},
        evidence=routed.route.evidence if routed.route else (),
        adapters=routed.adapters,
        sampling=sampling,
        notices=notices,
    )


def _recorded(events: Iterator[EngineEvent], asked: Asked, keep: Keep) -> Iterator[EngineEvent | Notice | Kept]:
    """Yield `events`, keeping the answer that they make before it is shown; where it cannot be kept, say so."""
    try:
        recording = keep.history.begin(asked, conversation=keep.conversation, parent=keep.parent)
    except MedpocketError as error:
        yield _not_kept(error)
        yield from events
        return
    yield Kept(recording.turn.conversation, recording.turn.number)
    unfinished = State.FAILED
    try:
        for event in events:
            if isinstance(event, Generated):
                unfinished = State.STOPPED if event.stop == "cancelled" else State.COMPLETE
                try:
                    recording.finish(unfinished, answer=event.text, stop=event.stop, stats=event.stats)
                except MedpocketError as error:
                    yield _not_kept(error)
            elif isinstance(event, Delta):
                recording.append(event.text)
            yield event
    except GeneratorExit:  # nobody listens any more
        unfinished = State.STOPPED
        raise
    finally:
        with contextlib.suppress(MedpocketError):
            recording.finish(unfinished)


def _not_kept(error: MedpocketError) -> Notice:
    return Notice(f"this answer is not kept whole: {error.message}; {error.hint}")


def _belongs_elsewhere(router: Routes, found: Route, held: str, before: str, question: str) -> bool:
    """Whether a question that follows `before`, which `held` answered, clearly belongs to another expert.

    It must by itself, and `held` must be neither sure nor far ahead when the question is read with the one before it:
    "and the dose?" belongs to whatever the dose is of.
    """
    if found.expert in (held, GENERAL) or found.score < CLEAR or found.scores.get(held, 0.0) > found.score * CLOSE:
        return False
    together = router.route(f"{before}\n{question}").scores
    stays = together.get(held, 0.0)
    return stays < CLEAR and together.get(found.expert, 0.0) >= stays * CLOSE


def _close_second(found: Route) -> tuple[str, float] | None:
    """The second expert and its score, where it is close to the first and both are specialties."""
    if found.expert == GENERAL:
        return None
    second = next(((name, score) for name, score in found.ranked if name not in (found.expert, GENERAL)), None)
    return second if second and second[1] >= found.score * CLOSE else None
