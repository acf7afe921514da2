"""The app: wires the engine's thread to the screens."""

import errno
import gc
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from textual import events, on
from textual.app import App
from textual.filter import LineFilter
from textual.message import Message
from textual.worker import WorkerFailed

from medpocket.errors import MedpocketError, unexpected
from medpocket.tui.commands import KeyCommands
from medpocket.tui.hang_up import INTERRUPTED, end_on_signals
from medpocket.tui.keys import APP, all_keys, as_written, bindings
from medpocket.tui.messages import SettingChanged, TransferEnded
from medpocket.tui.screens.base import InfoScreen
from medpocket.tui.screens.by_name import screen_named
from medpocket.tui.screens.chat import ChatScreen
from medpocket.tui.services.engine_thread import EngineThread, Loader
from medpocket.tui.services.history import ChatHistory
from medpocket.tui.services.transfers import Transfers
from medpocket.tui.themes import OWN, THEMES
from medpocket.tui.uncaught import hand_over
from medpocket.tui.without_colours import WithoutColours

_STARTED_S = 2.0  # after the first frame, all modules are there
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
        self.transfers = Transfers(self._post_here)
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
        self.take_keys(self._own_keys)
        self.app_resume_signal.subscribe(self, self._resumed)
        self.engine.load()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.engine.start()
        if self._first_run and not self.chat.classes & _TOO_SMALL:
            self.action_show_tour()

    def _resumed(self, _app: App[object]) -> None:
        """Draw everything again; the screen has the shell's lines now."""
        self.refresh(layout=True)
        self.chat.watch_history()  # which locks it, where the time without a key is over

    def on_unmount(self) -> None:
        """Stop the engine before the process ends; what came of an answer is kept."""
        self._save()

    def _save(self) -> None:
        self.engine.close()
        self.history.close()
        self.transfers.close()

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is there."""
        if isinstance(event, events.InputEvent):
            self.chat.used_at = time.time()
        await super().on_event(event)

    async def delete_held(self, *, due_only: bool) -> None:
        """Carry out the deletions that are held back; what is gone from the history goes from the screen too."""
        try:
            deleted = await self.history.delete_held(due_only=due_only)
        except MedpocketError as error:
            self.chat.tell(error)
            return
        for notice in deleted.notices:
            self.notify(notice, severity="warning", timeout=12, markup=False)
        if self.chat.conversation.id in deleted.ids:
            await self.chat.action_new_chat()

    def post_to_chat(self, message: Message) -> None:
        """Hand over a message of the engine; from any thread."""
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.chat.post_message(message)

    def _post_here(self, message: Message) -> None:
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.post_message(message)

    @on(TransferEnded)
    def transfer_ended(self, message: TransferEnded) -> None:
        """Say how a download, a copy or a check of a model ended, whatever screen is open."""
        if message.error:
            self.chat.tell(message.error)
        else:
            self.notify(message.text, timeout=12, markup=False)

    def key_of(self, id_: str) -> str:
        """Name the first key of an action, as the user has it."""
        return as_written(self._keymap.get(id_, all_keys()[id_].keys).split(",")[0])

    def action_show_tour(self) -> None:
        """Show the pages of the first run; what is typed there goes into the question."""
        from medpocket.tui.screens.tour import TourScreen

        self.push_screen(TourScreen(self.key_of, self.chat.box.insert))

    def action_show_help(self) -> None:
        """Open the help for what has the focus."""
        from medpocket.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen.active_bindings.values()))

    def action_open(self, name: str) -> None:
        """Open a screen over the conversation, in the place of another one that is open."""
        screen = screen_named(name)
        if type(screen) is type(self.screen):
            return
        if isinstance(self.screen, InfoScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def take_keys(self, chosen: Mapping[str, str]) -> None:
        """Give actions other keys, by their ids; the text of the question box makes way for them."""
        self.set_keymap(dict(chosen))
        self.chat.box.leave_keys({key for keys in self._keymap.values() for key in keys.split(",")})

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

    def take_over_process(self) -> None:
        """Be the process's only app: hear its signals, and print nothing that nobody caught.

        What is there when it has started stays there: the collector, which would hold up a key each time that it looks
        through all of it, is told so.
        """
        self.set_timer(_STARTED_S, gc.freeze)
        end_on_signals(self._save, partial(self.exit, return_code=INTERRUPTED))
        hand_over(
            thread_failed=lambda error: self.call_later(self._end_with, error),
            task_failed=lambda error: self.chat.tell(unexpected(error)),
        )

    # Textual's own crash screen prints local variables, and with them text of questions.

    def _end_with(self, error: BaseException) -> None:
        if isinstance(error, OSError) and error.errno == errno.EIO:  # the terminal is gone
            self.exit(return_code=INTERRUPTED)
            return
        self.crash = self.crash or unexpected(error)
        self.exit()

    def _fatal_error(self) -> None:
        self._keep_crash()
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:  # noqa: ARG002 - Textual's
        """End without showing anything of the error but its kind and place."""
        self._keep_crash()
        self._close_messages_no_wait()

    def _keep_crash(self) -> None:
        if self.crash is None and self._exception is not None:
            failed = self._exception
            self.crash = unexpected(failed.error if isinstance(failed, WorkerFailed) else failed)
