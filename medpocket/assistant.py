"""The one path of a question: route, expert, prompt, generate, show.

`Assistant.ask` yields what happens as typed events; who prints them, or posts them to a screen, does not know how
they are made.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medpocket.engine.protocol import Engine
from medpocket.errors import QuestionError
from medpocket.registry import GENERAL, ExpertSpec, Registry
from medpocket.text import without_controls
from medpocket.types import Event, Finished, Generated, Notice, Routed, Sampling, Turn

if TYPE_CHECKING:
    from medpocket.engine.cancel import Cancellation

_ANSWER_SHARE = 4  # at most one token in so many of the context is kept free for the answer


class Assistant:
    """Answers questions with one engine."""

    def __init__(self, registry: Registry, engine: Engine, sampling: Sampling) -> None:
        self._registry = registry
        self._engine = engine
        self._sampling = sampling

    def ask(
        self,
        question: str,
        cancel: "Cancellation",
        *,
        history: Sequence[Turn] = (),
        expert: str | None = None,
        route: bool = True,
        system: str | None = None,
    ) -> Iterator[Event]:
        """Answer `question`, which follows `history`.

        `expert` names the expert; without it the question is routed, unless `route` is off. `system` stands in the
        place of the expert's own instruction. The last event is Finished, also when cancelled.

        Raises QuestionError (empty, not text, too long), UnknownNameError (expert) and EngineError.
        """
        chosen, routed = self._choose_expert(expert, route=route)
        question, removed = readable_question(question)
        instruction = chosen.system if system is None else readable(system)[0]
        turns = [*history, Turn("user", f"{question}\n\n{instruction}" if instruction else question)]
        turns, prompt, dropped = self._fit(turns)
        yield routed
        if removed:
            yield Notice(
                f"{removed} control character{'s were' if removed > 1 else ' was'} taken out of the question; "
                "check that it was copied whole"
            )
        if not self._engine.model.has_template:
            yield Notice("this model has no chat template: it reads the text as it is, and goes on from there")
        if dropped:
            yield Notice(
                f"the conversation is longer than the context of {self._engine.model.context:,} tokens: "
                f"its first {dropped} turns are no longer read"
            )
        for event in self._engine.generate(prompt, self._sampling, cancel):
            if isinstance(event, Generated):
                answer = Turn("assistant", event.text, event.ids)
                yield Finished(event.text, event.stop, event.stats, (*turns, answer))
            else:
                yield event

    def _choose_expert(self, named: str | None, *, route: bool) -> tuple[ExpertSpec, Routed]:
        if named is not None:
            spec = self._registry.expert(named)
            why = "chosen by you"
        else:
            spec = self._registry.expert(GENERAL)
            why = "there is no router yet" if route else "routing is off"
        # No adapters can be loaded yet: an expert is its prompt.
        return spec, Routed(expert=spec.id, title=spec.title, why=why, has_adapter=False)

    def _fit(self, turns: list[Turn]) -> tuple[list[Turn], list[int], int]:
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


def readable(text: str) -> tuple[str, int]:
    """Return `text` as a model can read it, and how many control characters were taken out.

    Raises QuestionError when it is not Unicode text.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QuestionError(
            f"the text is not valid UTF-8 (at character {error.start + 1})",
            "convert it first, for example with `iconv -f latin1 -t utf-8`",
        ) from None
    cleaned, removed = without_controls(text)
    return cleaned.strip(), removed


def readable_question(text: str) -> tuple[str, int]:
    """Return `readable(text)`. Raises QuestionError when nothing is left of it."""
    cleaned, removed = readable(text)
    if not cleaned:
        raise QuestionError(
            "the question is empty", 'give it as an argument, medpocket ask "...", or pipe it in: medpocket ask < FILE'
        )
    return cleaned, removed
