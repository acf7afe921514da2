"""The conversation and the history: opening, locking, and what another window adds."""

import time
from dataclasses import replace

from textual import work

from medpocket.errors import MedpocketError, PassphraseError
from medpocket.tui.conversation import Conversation
from medpocket.tui.screens.chat_parts.asking import Asking
from medpocket.tui.screens.chat_parts.signing import Signing
from medpocket.tui.services.history import HistoryState
from medpocket.tui.widgets.welcome import Welcome


class Keeping(Asking, Signing):
    """Shows conversations of the history, and looks after it."""

    _changes = 0  # of the history by others, as they were seen last

    async def action_new_chat(self) -> None:
        """Begin anew; what is being answered is stopped."""
        self.stop_answers()
        await self.show_conversation(Conversation())

    async def show_conversation(self, conversation: Conversation) -> None:
        """Show another conversation, and go on with it."""
        self.conversation = conversation
        await self.show_branch()
        for welcome in self.query(Welcome):
            welcome.show(self.status.model)
        for exchange in conversation.branch:
            self.box.remember(exchange.question)
        leaf = conversation.leaf
        used = leaf.stats.prompt_tokens + leaf.stats.answer_tokens if leaf and leaf.stats else 0
        self.status = replace(self.status, used=used)
        self.show_status()
        self.box.focus()
        self.refresh_bindings()

    async def open_conversation(self, id_: str, number: int | None = None) -> None:
        """Show a conversation of the history; with `number`, the branch through that turn."""
        try:
            turns = await self.history.turns(id_)
        except MedpocketError as error:
            self.tell(error)
            return
        from medpocket.tui.services import reopening

        self.stop_answers()
        conversation = reopening.conversation_of(id_, turns)
        wanted = next((one for one in conversation.exchanges if one.stored == number), None)
        if wanted:
            conversation.show(wanted)
        await self.show_conversation(conversation)
        await self.show_signatures()

    @work(exclusive=True, group="history")
    async def open_history(self, passphrase: str | None = None) -> None:
        """Open the history; ask for its passphrase where it is locked."""
        try:
            await self.history.open(passphrase)
        except PassphraseError as error:
            self.tell(error)
            self.history.state = HistoryState.LOCKED
        except MedpocketError as error:
            self.tell(error)
        if self.history.notice:
            self.notify(self.history.notice, severity="warning", timeout=12, markup=False)
        self.show_status()
        self.refresh_bindings()
        if self.history.state is HistoryState.LOCKED:
            self._ask_passphrase()

    def _ask_passphrase(self) -> None:
        from medpocket.tui.screens.lock import LockScreen

        def given(passphrase: str | None) -> None:
            if passphrase:
                self.open_history(passphrase)
            else:
                self.notify("The history stays locked: nothing is kept.", markup=False)

        self.app.push_screen(LockScreen(), given)

    async def action_lock(self) -> None:
        """Forget the key of the history, and show nothing of it."""
        if self.history.state is not HistoryState.ENCRYPTED:
            return
        while self.app.screen is not self:  # others show questions too
            await self.app.pop_screen()
        await self.action_new_chat()
        self.box.forget()
        self.forget_preview()
        await self.history.lock()
        self.show_status()
        self._ask_passphrase()

    @property
    def _only_own_answers_come(self) -> bool:
        """Whether an answer of this window is coming, and none of another."""
        coming = self.conversation.open
        return bool(coming) and not any(one.foreign for one in coming)

    @work(exclusive=True, group="watch")
    async def watch_history(self) -> None:
        """Show what another window adds to this conversation; lock after a time without a key."""
        idle_s = abs(time.time() - self.used_at)  # a clock that goes on while the machine sleeps
        if self.lock_after_s and idle_s > self.lock_after_s and not self.conversation.open:
            await self.action_lock()
        if self._only_own_answers_come:
            return
        try:
            changes = await self.history.changes()
            if changes == self._changes or not self.conversation.id:
                return
            turns = await self.history.turns(self.conversation.id)
        except MedpocketError:  # the next question meets it too, and says so
            return
        conversation, self._changes = self.conversation, changes
        before = len(conversation.branch)
        coming = [one for one in conversation.exchanges if one.foreign and one.is_open]
        if self._only_own_answers_come:
            return
        from medpocket.tui.services import reopening

        reopening.extend(conversation, turns)
        if len(conversation.branch) != before or coming:
            await self.show_branch()
        await self.show_signatures()
