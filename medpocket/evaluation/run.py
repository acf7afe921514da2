"""One model on one set of questions: from the files to the scores in the database, as events."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Union

from medpocket.errors import InputError
from medpocket.evaluation.multiple_choice import PackScores, Scorer, measure
from medpocket.evaluation.packs import BASE, Expert, Plan, draw_examples, plan
from medpocket.evaluation.results import ALL, NONE, ROUTED, Results, Run, Scored, Setup
from medpocket.evaluation.tasks import TOO_LONG, Question, Tasks, evenly, shuffled
from medpocket.experts.active import ActiveExperts
from medpocket.models.hardware import peak_memory_bytes
from medpocket.registry import GENERAL, Registry

if TYPE_CHECKING:
    from medpocket.engine.cancel import Cancellation
    from medpocket.types import Route


@dataclass(frozen=True)
class Asked:
    """What is to be measured. `experts` is none, routed, all or an expert's id."""

    tasks: Tasks
    experts: str = NONE
    limit: int | None = None
    shots: int = 0
    seed: int | None = None
    resume: bool = False


@dataclass(frozen=True)
class Planning:
    """So many of all questions were read and put into packs."""

    done: int
    total: int


@dataclass(frozen=True)
class Begun:
    """A run begins, or goes on after `done` questions; `too_long` are the ids of those that the context cannot hold."""

    run: Run
    done: int
    too_long: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """So many questions of all are measured, and so many of about so many tokens since the run began or went on."""

    questions: int
    all_questions: int
    tokens: int
    all_tokens: int


Event = Union[Planning, Begun, Progress]


def experts_measured(asked: str, registry: Registry, active: ActiveExperts) -> dict[str, Expert]:
    """Return who may be measured, by id, the base first. Raises UnknownNameError and AdapterError."""
    names = [] if asked in (NONE, GENERAL) else [asked]
    if asked in (ROUTED, ALL):
        names = [name for name in registry.experts if name != GENERAL]
    found = {NONE: BASE}
    for name in names:
        spec = registry.expert(name)
        adapter = active.adapter(name)
        found[name] = Expert(name, spec.system, (adapter,) if adapter else ())
    return found


def evaluate(
    engine: Scorer,
    asked: Asked,
    experts: Mapping[str, Expert],
    router: "Callable[[str], Route] | None",
    setup: Setup,
    results: Results,
    cancel: "Cancellation",
) -> Iterator[Event]:
    """Measure what is asked, write it down pack by pack, and say how far it is.

    `router` is needed for routed and all. `setup` (setup.py) does not know yet how many questions there are. Where
    `cancel` comes first, what was measured is kept. Raises what the engine, the router and `results` raise.
    """
    questions = asked.tasks.questions
    if asked.seed is not None:
        questions = tuple(shuffled(question, asked.seed) for question in questions)
    examples = draw_examples(questions, asked.shots, asked.seed)
    drawn = {example.id for own in examples.values() for example in own}
    questions = evenly([question for question in questions if question.id not in drawn], asked.limit)
    routed = {question.id: _routed(router, question, experts) for question in questions} if router else {}

    def experts_for(question: Question) -> tuple[Expert, ...]:
        if asked.experts != ROUTED:
            return tuple(experts.values())
        own = experts.get(routed[question.id], BASE)
        return (BASE,) if own is BASE else (BASE, own)

    for found in plan(engine, questions, examples, experts_for, pack_tokens=setup.batch, room=engine.model.context):
        if isinstance(found, Plan):
            planned = found
        else:
            yield Planning(found, len(questions))
    left_out = {reason: len(ids) for reason, ids in asked.tasks.left_out.items()}
    if planned.too_long:
        left_out[TOO_LONG] = len(planned.too_long)
    if not planned.questions:
        raise InputError(
            f"no question is short enough for the context of {engine.model.context:,} tokens",
            "measure other questions, or a model with a longer context",
        )
    setup = replace(setup, questions=planned.questions, left_out=left_out)
    run = (results.resumable(setup) if asked.resume else None) or results.begin(setup)
    done = results.done(run.id)
    yield Begun(run, len(done), planned.too_long)
    waiting = [pack for pack in planned.packs if not done.issuperset(pack.questions)]
    tokens, all_tokens = 0, sum(pack.tokens * len(pack.experts) for pack in waiting)
    for measured in measure(engine, waiting, planned.examples, cancel):
        results.add(
            run.id,
            _scored(measured, routed),
            seconds=measured.seconds,
            tokens_evaluated=measured.evaluated,
            peak_memory_bytes=peak_memory_bytes(),
        )
        done.update(measured.pack.questions)
        tokens += measured.pack.tokens * len(measured.pack.experts)
        yield Progress(len(done), planned.questions, tokens, all_tokens)
    if len(done) == planned.questions:
        results.finish(run.id)


def _routed(router: "Callable[[str], Route]", question: Question, experts: Mapping[str, Expert]) -> str:
    expert = router(question.text).expert
    return expert if expert in experts else GENERAL


def _scored(measured: PackScores, routed: Mapping[str, str]) -> dict[int, list[Scored]]:
    return {
        place: [
            Scored(
                id=question.id,
                set=question.set,
                characters=len(question.text),
                accepted=question.accepted,
                shown=question.shown,
                bytes=tuple(len(option.encode()) for option in question.options),
                routed=routed.get(question.id),
                expert=expert,
                letters=tuple(rows[number][0]),
                answers=tuple(rows[number][1]),
            )
            for expert, rows in measured.scores.items()
        ]
        for number, (place, question) in enumerate(measured.pack.questions.items())
    }
