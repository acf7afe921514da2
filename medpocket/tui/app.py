"""The app: wires the engine's thread to the screens."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from textual import events, on
from textual.app import App
from textual.filter import LineFilter
from textual.message import Message

from medpocket.errors import MedpocketError, unexpected
from medpocket.tui.commands import KeyCommands
from medpocket.tui.keys import APP, all_keys, as_written, bindings
from medpocket.tui.messages import SettingChanged
from medpocket.tui.screens.base import InfoScreen
from medpocket.tui.screens.by_name import screen_named
from medpocket.tui.screens.chat import ChatScreen
from medpocket.tui.services.engine_thread import EngineThread, Loader
from medpocket.tui.services.history import ChatHistory
from medpocket.tui.themes import OWN, THEMES
from medpocket.tui.widgets.question_box import QuestionBox
from medpocket.tui.without_colours import WithoutColours

_TOO_SMALL = {"-tiny", "-flat"}  # what the chat is called where a terminal is


class MedpocketApp(App[None]):
    """The chat lies below; every other screen is opened over it."""

    TITLE = "MedPocket"
    BINDINGS = bindings(APP)
    COMMANDS = frozenset({KeyCommands})  # type: ignore[assignment]
    COMMAND_PALETTE_BINDING = "ctrl+p"
    DEFAULT_CSS = """
    Footer { background: $panel; }
    ToastRack { margin-bottom: 6; }
    ModalScreen:nocolor #box, App.-theme-medpocket-contrast ModalScreen #box { border: round $border; }
    """

    def __init__(
        self,
        load: Loader,
        *,
        theme: str = "dark",
        keymap: Mapping[str, str] | None = None,
        lock_after_min: float = 0,
        first_run: bool = False,
    ) -> None:
        super().__init__()
        for own in OWN:
            self.register_theme(own)
        self.theme = THEMES[theme]
        self.crash: MedpocketError | None = None
        self.history = ChatHistory()
        self.engine = EngineThread(self.post_to_chat, load, self.history.keep)
        self.chat = ChatScreen(self.engine, self.history, lock_after_min)
        self._own_keys = dict(keymap or {})
        self._first_run = first_run
        self._without_colours = [WithoutColours()]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """With NO_COLOR, no colour at all; Textual's own are greys."""
        return self._without_colours if self.no_color else super().get_line_filters()

    def get_default_screen(self) -> ChatScreen:
        """The chat."""
        return self.chat

    def on_mount(self) -> None:
        """Load the model behind the first frame."""
        self.set_keymap(self._own_keys)
        self.engine.load()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.engine.start()
        self.take_keys(self._own_keys)
        if self._first_run and not self.chat.classes & _TOO_SMALL:
            self.action_show_tour()

    def on_unmount(self) -> None:
        """Stop the engine before the process ends; what came of an answer is kept."""
        self.engine.close()
        self.history.close()

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there."""
        if isinstance(event, events.InputEvent):
            self.chat.used_at = time.monotonic()
        await super().on_event(event)

    def post_to_chat(self, message: Message) -> None:
        """Hand over a message of the engine; from any thread."""
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.chat.post_message(message)

    def key_of(self, id_: str) -> str:
        """Name the first key of an action, as the user has it."""
        return as_written(self._keymap.get(id_, all_keys()[id_].keys).split(",")[0])

    def action_show_tour(self) -> None:
        """Show the pages of the first run; what is typed there goes into the question."""
        from medpocket.tui.screens.tour import TourScreen

        box = self.chat.query_one(QuestionBox)
        self.push_screen(TourScreen(self.key_of, box.insert))

    def action_show_help(self) -> None:
        """Open the help for what has the focus."""
        from medpocket.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen.active_bindings.values()))

    def action_open(self, name: str) -> None:
        """Open a screen over the conversation, in the place of another one that is open."""
        screen = screen_named(name)
        if isinstance(self.screen, InfoScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def take_keys(self, chosen: Mapping[str, str]) -> None:
        """Give actions other keys, by their ids; the text of the question box makes way for them."""
        self.set_keymap(dict(chosen))
        self.chat.query_one(QuestionBox).leave_keys({key for keys in self._keymap.values() for key in keys.split(",")})

    @on(SettingChanged)
    def take_setting(self, message: SettingChanged) -> None:
        """Have what can change at once change at once."""
        chosen = message.settings
        if message.name == "theme":
            self.theme = THEMES[chosen.theme]
        elif message.name == "lock_after":
            self.chat.lock_after_s = chosen.lock_after * 60
        elif message.name == "keys":
            self.take_keys(chosen.keys)

    def action_next_theme(self) -> None:
        """Take the next colours."""
        names = list(THEMES.values())
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    # Textual's own crash screen prints local variables, and with them text of questions.

    def _fatal_error(self) -> None:
        self._keep_crash()
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:  # noqa: ARG002 - Textual's
        """End without showing anything of the error but its kind and place."""
        self._keep_crash()
        self._close_messages_no_wait()

    def _keep_crash(self) -> None:
        if self.crash is None and self._exception is not None:
            self.crash = unexpected(self._exception)
