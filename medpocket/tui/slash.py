"""Commands that are typed into the question box: `/expert cardiology`."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from medpocket.errors import UnknownNameError


@dataclass(frozen=True)
class Slash:
    """A command, the action that runs it, and what may be typed behind it."""

    name: str
    action: str
    tooltip: str
    takes: str = ""


COMMANDS = (
    Slash("expert", "take_expert", "Have this expert answer; `routed` and `none` are names too", "expert"),
    Slash("model", "take_model", "Answer with this model from now on", "model"),
    Slash("models", "app.open('models')", "What models there are, and what runs here"),
    Slash("new", "new_chat", "Begin a new conversation"),
    Slash("sessions", "app.open('sessions')", "Find an earlier conversation"),
    Slash("again", "regenerate", "Answer the last question once more"),
    Slash("beside", "compare", "Answer it by another expert, side by side"),
    Slash("copy", "copy_answer", "Copy the answer"),
    Slash("copyall", "copy_conversation", "Copy the conversation as Markdown"),
    Slash("export", "export_conversation", "Write the conversation into a new file", "file"),
    Slash("sign", "sign", "Sign the answer and all that led to it"),
    Slash("why", "toggle_why", "Show or hide what speaks for the expert"),
    Slash("lock", "lock", "Lock the encrypted history"),
    Slash("settings", "app.open('settings')", "What can be set, what it is now, and why"),
    Slash("help", "app.show_help", "What the keys do, and what MedPocket is not"),
    Slash("tour", "app.show_tour", "Three pages on what this is and how it is used"),
    Slash("quit", "app.quit", "Stop and end"),
)
_BY_NAME = {one.name: one for one in COMMANDS}


def is_command(text: str) -> bool:
    """Tell a command from a question: one line that begins with / and a letter."""
    return text[:1] == "/" and text[1:2].isalpha() and "\n" not in text.strip()


def parse(text: str) -> tuple[Slash, str]:
    """Return the command and its argument. Raises UnknownNameError with the nearest."""
    name, _, argument = text.strip()[1:].partition(" ")
    if name not in _BY_NAME:
        raise UnknownNameError("command", f"/{name}", [f"/{one}" for one in _BY_NAME], "F1 lists the keys")
    return _BY_NAME[name], argument.strip()


def matching(text: str, names: dict[str, Sequence[str]]) -> list[str]:
    """Return the whole lines that `text` could become; `names` has those of experts and models."""
    name, space, argument = text[1:].partition(" ")
    if not space:
        return [f"/{one.name}" for one in COMMANDS if one.name.startswith(name)]
    known = names.get(_BY_NAME[name].takes, ()) if name in _BY_NAME else ()
    found = [one for one in known if one.startswith(argument)] or get_close_matches(argument, known, n=3)
    return [f"/{name} {one}" for one in found]
