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
    Key("app.tour", "shift+f1,f13", "app.show_tour", "Tour", "Three pages on what this is and how it is used"),
    Key("app.palette", "ctrl+p", "app.command_palette", "Commands", "Find anything by its name", shown=True),
    Key("app.sessions", "f2", "app.open('sessions')", "Sessions", "Every conversation that is kept, with a search"),
    Key("app.models", "f3", "app.open('models')", "Models", "What is here, what can be got, and what runs here"),
    Key("app.experts", "f4", "app.open('experts')", "Experts", "What each expert is for, and what it is worth"),
    Key("app.settings", "f5", "app.open('settings')", "Settings", "What can be set, what it is now, and why"),
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
    Key("chat.export", "ctrl+s", "export_conversation", "Export", "Write the conversation into a new file"),
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
    Key("answer.sign", "s", "screen.sign", "Sign", "Sign this answer and all that led to it"),
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

MODELS = (
    Key("models.use", "enter", "use", "Use", "Answer with this model from now on", shown=True, priority=True),
    Key("models.download", "d", "download", "Download", "Get it from the hub, or go on where it stopped", shown=True),
    Key("models.stop", "s", "stop_transfer", "Stop", "Stop the download, copy or check; what came is kept", shown=True),
    Key("models.import", "i", "import_model", "Import", "Take a model from a file or a folder", shown=True),
    Key("models.verify", "v", "verify", "Verify", "Read all of its files and compare them with the record", shown=True),
    Key("models.remove", "x,delete", "remove", "Remove", "Delete it from this machine, after a question", shown=True),
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

SETTINGS = (
    Key("settings.change", "enter", "change", "Change", "Give it another value", shown=True, priority=True),
    Key("settings.unset", "delete,u", "unset", "Unset", "Take it out of your file: MedPocket decides", shown=True),
)

TOUR = (
    Key("tour.next", "enter,right", "next", "Next", "The next page; after the last one, begin", shown=True),
    Key("tour.back", "left", "back", "Before", "The page before", shown=True),
)

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
    MODELS,
    CONFIRM,
    SETTINGS,
    TOUR,
)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """Return the keys as Textual takes them."""
    return [key.binding() for key in keys]


def all_keys() -> dict[str, Key]:
    """Return every key by its id."""
    return {key.id: key for group in _GROUPS for key in group}


_CHAT = frozenset({"chat", "question", "answer"})  # groups of the conversation; every other is a screen over it


def clashing(id_: str, key: str, chosen: Mapping[str, str]) -> Key | None:
    """Return another action that listens to `key` where this one does; `chosen` are the user's own keys by id."""
    known = all_keys()
    for other in known.values():
        keys = chosen.get(other.id, other.keys).replace(" ", "").split(",")
        if other.id != id_ and key in keys and _together(other.group, known[id_].group):
            return other
    return None


def _together(one: str, other: str) -> bool:
    """Tell whether the keys of two groups are listened to at the same time."""
    if one == other or "app" in (one, other) or {one, other} < _CHAT:
        return {one, other} != {"question", "answer"}
    return "screen" in (one, other) and not {one, other} & _CHAT


def is_typed_there(id_: str) -> bool:
    """Tell whether letters are text where this action's keys work."""
    return all_keys()[id_].group in ("app", "chat", "question")


_NAMES = {"escape": "Esc", "pageup": "PageUp", "pagedown": "PageDown"}


def as_written(key: str) -> str:
    """Name a key as people do: Ctrl+K, Esc, F1, and a letter alone as it is."""
    *held, last = key.split("+")
    if len(last) > 1:
        last = _NAMES.get(last) or last.replace("_", " ").capitalize()
    elif held:
        last = last.upper()
    return "+".join([*(one.capitalize() for one in held), last])


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
