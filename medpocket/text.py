"""Text from a user, a model or a file is data: it may not steer a terminal, nor hold what no tokenizer can read."""

import unicodedata

from medpocket.errors import QuestionError

_KEPT = "\n\t"
# Format characters that reorder or hide what stands around them (Unicode TR 36, "bidirectional text spoofing").
_HIDING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


def is_control(character: str) -> bool:
    """Tell whether a terminal could obey `character`, or be deceived by it, rather than show it."""
    return character not in _KEPT and (unicodedata.category(character) in ("Cc", "Cs") or character in _HIDING)


def printable(text: str) -> str:
    """Return `text` with every control character replaced by U+FFFD, fit for a terminal."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if is_control(character) else character for character in text)


def without_controls(text: str) -> tuple[str, int]:
    """Return `text` with one kind of line end and no control characters, and how many were taken out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(character for character in text if not is_control(character))
    return kept, len(text) - len(kept)


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


def readable_question(text: str, command: str = "medpocket ask") -> tuple[str, int]:
    """Return `readable(text)`. Raises QuestionError when nothing is left of it."""
    cleaned, removed = readable(text)
    if not cleaned:
        raise QuestionError(
            "the question is empty", f'give it as an argument, {command} "...", or pipe it in: {command} < FILE'
        )
    return cleaned, removed
