"""Every key of the app, each with an id by which the table `keys` of config.toml gives it other keys."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from medpocket import paths
from medpocket.config import FILE_NAME
from medpocket.errors import SettingsError


@dataclass(frozen=True)
class Key:
    """What a key does. `keys` are alternatives, separated by commas; `shown` ones stand in the bottom line."""

    id: str
    keys: str
    action: str
    label: str
    tooltip: str
    shown: bool = False
    priority: bool = False

    @property
    def group(self) -> str:
        """Where it works: the part of its id before the dot."""
        return self.id.partition(".")[0]

    def binding(self) -> Binding:
        return Binding(
            self.keys,
            self.action,
            self.label,
            id=self.id,
            tooltip=self.tooltip,
            show=self.shown,
            priority=self.priority,
        )


APP = (
    Key("app.help", "f1", "app.show_help", "Help", "What the keys do here, and what MedPocket is not", shown=True),
    Key("app.palette", "ctrl+p", "app.command_palette", "Commands", "Find anything by its name", shown=True),
    Key("app.sessions", "f2", "app.open('sessions')", "Sessions", "Every conversation that is kept, with a search"),
    Key("app.experts", "f4", "app.open('experts')", "Experts", "What each expert is for, and what it is worth"),
    Key("app.doctor", "f8", "app.open('doctor')", "Doctor", "What is wrong with this machine, and what mends it"),
    Key("app.theme", "f9", "app.next_theme", "Colours", "The next theme: dark, light, high contrast, terminal's own"),
    Key("app.suspend", "f12", "app.suspend_process", "Suspend", "Back to the shell; `fg` returns"),
    Key("app.quit", "ctrl+q", "app.quit", "Quit", "Stop what is going on and end", shown=True, priority=True),
)

CHAT = (
    Key("chat.new", "ctrl+n", "new_chat", "New", "Begin a new conversation", shown=True),
    Key("chat.stop", "escape", "stop", "Stop", "Stop the answer and keep what came, or go to the question", True),
    Key("chat.expert", "ctrl+t", "choose_expert", "Expert", "Choose who answers: routed, one expert, or none", True),
    Key("chat.why", "ctrl+g", "toggle_why", "Why", "Show or hide what speaks for the expert", shown=True),
    Key("chat.regenerate", "ctrl+r", "regenerate", "Again", "Answer the last question once more, as another version"),
    Key("chat.compare", "ctrl+b", "compare", "Beside", "Answer it once more by another expert, side by side"),
    Key("chat.copy", "ctrl+y", "copy_answer", "Copy", "Copy the answer", priority=True),
    Key("chat.copy_all", "f10", "copy_conversation", "Copy all", "Copy the whole conversation as Markdown"),
    Key("chat.up", "ctrl+up", "focus_answer(-1)", "Earlier", "Move to the answer above"),
    Key("chat.down", "ctrl+down", "focus_answer(1)", "Later", "Move to the answer below, at last to the question"),
    Key("chat.lock", "ctrl+l", "lock", "Lock", "Lock the encrypted history, and hide the conversation"),
)

ANSWER = (
    Key("answer.copy", "c", "screen.copy_answer", "Copy", "Copy the answer", shown=True),
    Key("answer.table", "t", "screen.copy_table", "Copy table", "Copy the answer's first table for a spreadsheet"),
    Key("answer.edit", "e", "screen.edit_question", "Edit", "Change the question and ask it as a branch", shown=True),
    Key("answer.again", "r", "screen.regenerate", "Again", "Answer once more, as another version", shown=True),
    Key("answer.beside", "b", "screen.compare", "Beside", "Answer by another expert, side by side", shown=True),
    Key("answer.keep", "k", "screen.keep_this", "Keep", "Of two side by side, go on with this one", shown=True),
    Key("answer.earlier", "left", "screen.version(-1)", "Version before", "Show the version before this one"),
    Key("answer.later", "right", "screen.version(1)", "Version after", "Show the version after this one"),
    Key(
        "answer.good",
        "g",
        "screen.rate('good')",
        "Good",
        "Rate it as good; once more takes it back",
        shown=True,
    ),
    Key("answer.bad", "x", "screen.rate('bad')", "Bad", "Rate it as bad; once more takes it back", shown=True),
    Key("answer.note", "n", "screen.note", "Note", "Write a note on this answer", shown=True),
)

QUESTION = (
    Key("question.send", "enter", "send", "Send", "Ask the question", priority=True),
    Key("question.newline", "ctrl+j,shift+enter", "newline", "New line", "Begin a new line", priority=True),
    Key("question.earlier", "up", "earlier", "Earlier", "In the first line: an earlier question"),
    Key("question.complete", "tab", "complete", "Complete", "Complete a command that begins with /"),
    Key("question.later", "down", "later", "Later", "In the last line: a later question"),
)

SCREEN = (Key("screen.close", "escape", "close", "Back", "Back to the conversation", shown=True),)

RELOAD = (Key("screen.reload", "r", "reload", "Look again", "Find out anew what this screen shows", shown=True),)

EXPERTS = (
    Key("experts.verify", "v", "verify", "Verify", "Read its adapters and compare them with the record", shown=True),
)

SESSIONS = (
    Key("sessions.open", "enter", "open_session", "Open", "Go on with the conversation", shown=True, priority=True),
    Key("sessions.new", "ctrl+n", "new_chat", "New", "Begin a new conversation", shown=True),
    Key("sessions.rename", "ctrl+r", "rename", "Rename", "Give the conversation another title", shown=True),
    Key("sessions.delete", "ctrl+d", "delete", "Delete", "Delete the conversation for good", True, priority=True),
    Key("sessions.undo", "ctrl+z", "undo", "Undo", "Keep what was to be deleted last", shown=True),
)

SEARCH = (
    Key("sessions.up", "up", "screen.move(-1)", "Up", "The conversation above"),
    Key("sessions.down", "down", "screen.move(1)", "Down", "The conversation below"),
    Key("sessions.page_up", "pageup", "screen.move_page(-1)", "Page up", "A screen further up"),
    Key("sessions.page_down", "pagedown", "screen.move_page(1)", "Page down", "A screen further down"),
    Key("sessions.first", "ctrl+home", "screen.move_to_end(-1)", "First", "The latest conversation"),
    Key("sessions.last", "ctrl+end", "screen.move_to_end(1)", "Last", "The oldest conversation"),
)

CONFIRM = (Key("confirm.yes", "y", "yes", "Yes", "Do it", shown=True),)

_GROUPS = (
    APP,
    CHAT,
    ANSWER,
    QUESTION,
    SCREEN,
    RELOAD,
    EXPERTS,
    SESSIONS,
    SEARCH,
    CONFIRM,
)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return the keys as Textual takes them."""
    return [key.binding() for key in keys]


def all_keys() -> dict[str, Key]:
    """Return every key by its id."""
    return {key.id: key for group in _GROUPS for key in group}


def keymap(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return `chosen`, the user's own keys by id. Raises SettingsError for an id that does not exist."""
    known = all_keys()
    for name in chosen:
        if name not in known:
            from difflib import get_close_matches

            nearest = get_close_matches(name, list(known), n=1)
            raise SettingsError(
                f"{paths.config_folder() / FILE_NAME}: keys: there is no {name!r}",
                f"did you mean {nearest[0]!r}?" if nearest else f"there are: {', '.join(known)}",
            )
    return dict(chosen)
