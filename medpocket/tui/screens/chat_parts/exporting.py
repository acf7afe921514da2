"""The conversation as a file."""

from collections.abc import Sequence
from pathlib import Path

from medpocket.tui.screens.chat_parts.part import ChatPart


class Exporting(ChatPart):
    """Asks for form and name, and writes; nothing is overwritten."""

    def action_export_conversation(self, name: str = "") -> None:
        """Ask into which file the conversation goes, and in which form."""
        from medpocket.tui.screens.export import ExportScreen

        conversation = self.conversation
        if not conversation.leaf:
            self.notify("There is nothing to export yet.", markup=False)
            return

        async def write(target: Path, form: str, deidentified: bool) -> Sequence[str]:
            exported = await self.history.export(conversation, target, form, deidentified)
            self.notify(f"Written to {target}", markup=False)
            if exported.notice:
                self.notify(exported.notice, severity="warning", markup=False)
            return exported.to_read

        self.app.push_screen(ExportScreen(name or f"medpocket-{conversation.id or 'conversation'}.md", write))
