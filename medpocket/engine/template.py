"""A chat template, rendered so that the user's text is never mixed with the template's markers.

The template comes from a model file, so it runs in Jinja's immutable sandbox, with bounds on what it may build.
Every turn's text is rendered as a placeholder of private-use characters; the result is cut there, which leaves the
template's own text and, between its pieces, the numbers of the turns.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from medpocket.errors import ModelFileError
from medpocket.types import Role, Turn

_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACEHOLDER = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_MOST_STEPS = 100_000  # of all the template's loops over range() together
_MOST_CHARACTERS = 100_000


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuse the operators that make much of little."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            raise TemplateError(f"operator {operator} on these values is not allowed here")
        return super().call_binop(context, operator, left, right)


def split_template(template: str, turns: Sequence[Turn], *, bos: str, eos: str) -> list[str | int]:
    """Return the template's pieces in order: its own text (str) and the indices of `turns` (int).

    Raises ModelFileError when the template fails, or does not hold every turn once and in order.
    """
    return list(_split(template, tuple(turn.role for turn in turns), bos, eos))


@lru_cache(maxsize=64)
def _split(template: str, roles: tuple[Role, ...], bos: str, eos: str) -> tuple[str | int, ...]:
    """Where the turns stand depends on whose they are, and not on what they say."""
    try:
        rendered = _render(template, roles, bos=bos, eos=eos)
    except Exception as error:  # a template is a program from a file: it can fail in any way
        raise _unusable(f"it fails with {type(error).__name__}") from error
    pieces: list[str | int] = []
    for number, piece in enumerate(_PLACEHOLDER.split(rendered)):
        if number % 2:
            pieces.append(int(piece))
        elif piece:
            pieces.append(piece)
    if [piece for piece in pieces if isinstance(piece, int)] != list(range(len(roles))):
        raise _unusable("it leaves out or repeats a part of the conversation")
    return tuple(pieces)


def _render(template: str, roles: Sequence[Role], *, bos: str, eos: str) -> str:
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.globals.update(range=_bounded_range(), raise_exception=_raise_exception)
    messages = [{"role": role, "content": f"{_OPEN}{number}{_CLOSE}"} for number, role in enumerate(roles)]
    rendered: list[str] = []
    length = 0
    for part in environment.from_string(template).generate(
        messages=messages, bos_token=bos, eos_token=eos, add_generation_prompt=True
    ):
        rendered.append(part)
        length += len(part)
        if length > _MOST_CHARACTERS:
            raise TemplateError("the result is too long")
    return "".join(rendered)


def _bounded_range() -> Any:
    left = _MOST_STEPS

    def bounded(*arguments: int) -> range:
        nonlocal left
        steps = range(*arguments)
        left -= len(steps)
        if left < 0:
            raise TemplateError("too many steps")
        return steps

    return bounded


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _unusable(reason: str) -> ModelFileError:
    return ModelFileError(
        f"the model's chat template cannot be used: {reason}",
        "get another conversion of this model, or answer with another model: -m PATH",
    )
