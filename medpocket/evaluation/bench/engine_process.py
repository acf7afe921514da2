"""Measure MedPocket's engine in a process of its own: one JSON object as the argument, one on stdout.

First a conversation, as a person has it: a question, a second one of the same expert, a third one of another expert.
Then the rates, as llama-bench measures them: a prompt of the same length is read before and not counted, and the answer
is decoded after the whole prompt (llama-bench: `-d`), with MedPocket's default sampling.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Engine, LoadedModel, Scaled
from medpocket.errors import BenchmarkError, MedpocketError
from medpocket.evaluation.bench.processes import run
from medpocket.evaluation.bench.settings import BenchSettings, Target
from medpocket.types import Generated, Sampling, Turn

TEXT = (
    "The optic nerve carries what the retina has seen to the brain. Where the pressure inside the eye is too high "
    "for too long, its fibres die, those of the outer field first, and the patient notices nothing for years. "
)
QUESTIONS = (
    TEXT * 5 + "Which drugs lower the pressure, how do they work, and which must a patient with asthma avoid?",
    "And which of these would you give a patient who is pregnant?",
    "What must be watched in the weeks after that, and what would make it urgent?",
)
CONVERSATION_ANSWER = 32  # tokens
SEEDS = 100


@dataclass(frozen=True)
class Reply:
    """One answer of the conversation: tokens asked, tokens evaluated for it, seconds to its first token."""

    prompt_tokens: int
    evaluated: int
    first_token_s: float


@dataclass(frozen=True)
class EngineMeasured:
    """What one process measured. `new_ids` are what each question adds behind the answer before it, as token ids.

    `ready_s` counts from the start of the process, `load_s` is the model's own part of it. `adapters` are those of the
    two experts, empty where they are their lines alone. Peaks in bytes, of the whole process: after the conversation,
    and at the end.
    """

    model: LoadedModel
    system_info: str
    experts: tuple[str, ...]
    adapters: tuple[str, ...]
    ready_s: float
    load_s: float
    replies: tuple[Reply, ...]
    new_ids: tuple[tuple[int, ...], ...]
    prefill: float
    decode: float
    conversation_peak: int
    peak: int


def measure_engine(target: Target, settings: BenchSettings, *, conversation: bool = True) -> EngineMeasured:
    """Start the process and read what it measured; without `conversation` the rates alone.

    Raises BenchmarkError, in the words of what went wrong there.
    """
    request: dict[str, Any] = {"target": asdict(target) | {"path": str(target.path)}, "settings": asdict(settings)}
    request["conversation"] = conversation
    found = json.loads(run([sys.executable, "-m", __name__, json.dumps(request)]).stdout)
    if "error" in found:
        raise BenchmarkError(found["error"]["message"], found["error"]["hint"])
    return EngineMeasured(
        **found
        | {
            "model": LoadedModel(**found["model"]),
            "experts": tuple(found["experts"]),
            "adapters": tuple(found["adapters"]),
            "replies": tuple(Reply(**one) for one in found["replies"]),
            "new_ids": tuple(map(tuple, found["new_ids"])),
        }
    )


def answer(engine: Engine, prompt: Prompt, sampling: Sampling, adapters: Sequence[Scaled] = ()) -> Generated:
    """Read `prompt` and answer. Raises BenchmarkError."""
    from medpocket.engine.cancel import Cancellation

    *_, last = engine.generate(prompt, sampling, Cancellation(), adapters)
    if not isinstance(last, Generated):
        raise BenchmarkError(f"the engine ended with {type(last).__name__}", "please report this")
    return last


def some_tokens(engine: Engine, count: int, *, skipped: int = 0) -> Prompt:
    """`count` token ids of running text, as the model's own template begins it but for the `skipped` first."""
    text = TEXT
    while len(prompt := engine.encode([Turn("user", text)])) < count + skipped:
        text += text
    return Prompt(prompt.ids[skipped : count + skipped], (count,))


def rates(engine: Engine, prompt_tokens: int, answer_tokens: int) -> tuple[float, float]:
    """Tokens per second of a prompt that is read, and of the answer behind it. Raises BenchmarkError."""
    one = replace(Sampling(), max_tokens=1, seed=0)
    # Has no beginning in common with what is measured.
    answer(engine, some_tokens(engine, prompt_tokens, skipped=1), one)
    prompt = some_tokens(engine, prompt_tokens)
    read = answer(engine, prompt, one)
    if read.stats.evaluated_tokens != prompt_tokens:
        raise BenchmarkError(
            f"{read.stats.evaluated_tokens} tokens were evaluated, not {prompt_tokens}", "please report this"
        )
    return read.stats.prefill_rate, _decode_rate(engine, prompt, answer_tokens)


def _decode_rate(engine: Engine, prompt: Prompt, tokens: int) -> float:
    """Over as many answers of at most `tokens` as it takes to decode `tokens` - 1."""
    decoded, seconds = 0, 0.0
    for seed in range(SEEDS):
        given = answer(engine, prompt, replace(Sampling(), max_tokens=tokens, seed=seed))
        # The mark of the end is decoded like any other token, and is not one of the answer's.
        decoded += given.stats.answer_tokens - (given.stop != "end")
        seconds += given.stats.decode_s
        if decoded >= tokens - 1:
            return decoded / seconds
    raise BenchmarkError(
        f"{SEEDS} answers had {decoded} tokens together: the model ends its answers at once",
        "give fewer --answer-tokens",
    )


def converse(
    engine: Engine, lines: Sequence[str], adapters: Sequence[Sequence[Scaled]]
) -> tuple[list[Reply], list[tuple[int, ...]]]:
    """Ask the three questions, each by its expert's line and adapters; the replies, and the new token ids of each."""
    from medpocket.engine.cancel import Cancellation

    turns: list[Turn] = []
    held: tuple[int, ...] = ()
    replies, new_ids = [], []
    greedy = Sampling(temperature=0.0, max_tokens=CONVERSATION_ANSWER, seed=0)
    for question, line, active in zip(QUESTIONS, lines, adapters, strict=True):
        turns.append(Turn("user", question, line=line))
        prompt = engine.encode(turns)
        given = answer(engine, prompt, greedy, active)
        turns.append(Turn("assistant", given.text, given.ids))
        stats = given.stats
        replies.append(Reply(stats.prompt_tokens, stats.evaluated_tokens, stats.time_to_first_token_s))
        new_ids.append(prompt.ids[len(held) :])
        held = (*prompt.ids, *given.ids)
        engine.read_answer(Cancellation())  # as the assistant does in idle time
    return replies, new_ids


def _measure(request: dict[str, Any]) -> EngineMeasured:
    from medpocket.engine import load_engine
    from medpocket.engine.system import system_features
    from medpocket.models.hardware import peak_memory_bytes, process_age_s

    target, settings = request["target"], BenchSettings(**request["settings"])
    started = time.perf_counter()
    engine = load_engine(
        Path(target["path"]),
        name=target["name"],
        context=settings.context,
        trained_context=target["trained_context"],
        threads=settings.threads,
        template=target["template"],
        batch=settings.batch,
        gpu_layers=settings.gpu_layers,
        repack=settings.repack,
    )
    try:
        load_s, ready_s = time.perf_counter() - started, process_age_s()
        _check_room(engine.model.context, settings)
        experts, lines, adapters = _two_experts(engine.model.fingerprint)
        replies, new_ids = (
            converse(engine, [lines[0], lines[0], lines[1]], [adapters[0], adapters[0], adapters[1]])
            if request["conversation"]
            else ([], [])
        )
        conversation_peak = peak_memory_bytes()
        prefill, decode = rates(engine, settings.prompt_tokens, settings.answer_tokens)
        return EngineMeasured(
            model=engine.model,
            system_info=system_features(),
            experts=experts,
            adapters=tuple(str(one.file.path) for active in adapters for one in active),
            ready_s=ready_s,
            load_s=load_s,
            replies=tuple(replies),
            new_ids=tuple(new_ids),
            prefill=prefill,
            decode=decode,
            conversation_peak=conversation_peak,
            peak=peak_memory_bytes(),
        )
    finally:
        engine.close()


def _check_room(context: int, settings: BenchSettings) -> None:
    if settings.prompt_tokens + settings.answer_tokens > context:
        raise BenchmarkError(
            f"the context holds {context:,} tokens, fewer than prompt and answer together",
            f"give --prompt-tokens {max(1, context - settings.answer_tokens)} or less, or a larger --context",
        )


def _two_experts(fingerprint: str) -> tuple[tuple[str, ...], list[str], list[list[Scaled]]]:
    """The first two experts with an adapter for this model, or the first two: ids, lines, adapters."""
    from medpocket.experts.library import Library
    from medpocket.registry import GENERAL, load_registry

    specs = [spec for spec in load_registry().experts.values() if spec.id != GENERAL]
    library = Library()
    entries = [(spec, library.find(spec.id, fingerprint)) for spec in specs]
    with_adapter = [(spec, entry) for spec, entry in entries if entry]
    chosen = with_adapter[:2] if len(with_adapter) > 1 else [(spec, None) for spec in specs[:2]]
    adapters = [[Scaled(entry.load().file)] if entry else [] for _, entry in chosen]
    return tuple(spec.id for spec, _ in chosen), [spec.system for spec, _ in chosen], adapters


def main() -> int:
    """Measure what the argument says."""
    from medpocket.lockdown import disable_core_dumps, refuse_network

    refuse_network()
    disable_core_dumps()
    try:
        found: dict[str, Any] = asdict(_measure(json.loads(sys.argv[1])))
    except KeyboardInterrupt:
        return 130
    except MedpocketError as error:
        found = {"error": {"message": error.message, "hint": error.hint}}
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
