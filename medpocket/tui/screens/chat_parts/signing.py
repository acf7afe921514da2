"""Signatures under answers."""

from medpocket.errors import MedpocketError
from medpocket.tui.conversation import Exchange
from medpocket.tui.screens.chat_parts.part import ChatPart


class Signing(ChatPart):
    """Signs the answer that is meant, with all that led to it, and says whether signatures hold."""

    _signer = ""  # as it was given last

    def kept(self) -> Exchange | None:
        """The exchange that is meant, where the history has it; else say so."""
        exchange = self.current
        if exchange and exchange.stored is None:
            self.notify("This answer is not in the history: there is nowhere to write it.", markup=False)
            return None
        return exchange

    def action_sign(self) -> None:
        """Ask for a name, and sign."""
        exchange = self.kept()
        if exchange is None:
            return
        conversation = self.conversation.id or ""

        async def signed(signer: str | None) -> None:
            if not (signer and signer.strip()):
                return
            try:
                notice = await self.history.sign(conversation, exchange.stored or 0, signer)
            except MedpocketError as error:
                self.tell(error)
                return
            self._signer = signer
            if notice:
                self.notify(notice, severity="warning", markup=False)
            await self.show_signatures()

        from medpocket.tui.screens.ask_line import AskLine

        self.app.push_screen(AskLine("Sign this answer and all that led to it. Your name:", self._signer), signed)

    async def show_signatures(self) -> None:
        """Say under each answer who signed it, and whether that holds."""
        conversation = self.conversation
        try:
            found = await self.history.signatures(conversation.id or "") if conversation.id else {}
        except MedpocketError as error:
            self.tell(error)
            return
        for exchange in conversation.exchanges:
            words = found.get(exchange.stored or 0, "")
            if words != exchange.signed:
                exchange.signed = words
                self.refresh_words(exchange)
