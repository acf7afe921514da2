"""An answer as Markdown, at little cost while it comes: the engine's threads want every core of the machine.

Textual lays the whole screen out anew with every word, and builds a list anew with all its items. Here a word that
fits into its line is painted and no more, and a list grows. The blocks are Textual's, of which `Markdown.append` asks
the last one to take over what the new source makes of it (`_update_from_block`).
"""

from functools import cache

from markdown_it import MarkdownIt
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown
from textual.widgets._markdown import (
    MarkdownBulletList,
    MarkdownList,
    MarkdownOrderedList,
    MarkdownOrderedListItem,
    MarkdownParagraph,
)
from textual.widgets.markdown import MarkdownBlock, MarkdownFence

from medpocket.text import printable


class _Paragraph(MarkdownParagraph):
    """Lays the screen out anew where its height changes, and not with every word."""

    def set_content(self, content: Content) -> None:
        self._content = content
        width, height = self.size
        self.update(content, layout=not width or content.get_height({}, width) != height)


class _BulletList(MarkdownBulletList):
    async def _update_from_block(self, block: MarkdownBlock) -> None:
        if not await _take_over(self, block):
            await super()._update_from_block(block)


class _OrderedList(MarkdownOrderedList):
    async def _update_from_block(self, block: MarkdownBlock) -> None:
        if not await _take_over(self, block):
            await super()._update_from_block(block)


_GROWING: dict[str, type[MarkdownBlock]] = {
    "paragraph_open": _Paragraph,
    "bullet_list_open": _BulletList,
    "ordered_list_open": _OrderedList,
}


class AnswerText(Markdown):
    """An answer; its links lead nowhere, since nothing leaves this machine."""

    DEFAULT_CSS = """
    AnswerText { padding: 0; margin: 1 0 0 0; background: transparent; }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(printable(text), open_links=False, parser_factory=_parser)

    def get_block_class(self, block_name: str) -> type[MarkdownBlock]:
        """Textual's, but for those that grow in place."""
        return _GROWING.get(block_name) or super().get_block_class(block_name)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("gfm-like").disable("linkify")


async def _take_over(shown: MarkdownBlock, block: MarkdownBlock) -> bool:
    """Take over what `block`, made of more of the same source, has; False, with nothing done, where that cannot be."""
    if type(block) is not type(shown):
        return False
    if isinstance(shown, MarkdownList):
        return await _grow(shown, block)
    if isinstance(shown, (MarkdownParagraph, MarkdownFence)):
        await shown._update_from_block(block)
        return True
    return False


async def _grow(shown: MarkdownList, block: MarkdownBlock) -> bool:
    """Take over what a list has more. Source only grows at its end: all but the last part of the last item stay."""
    rows = list(shown.children)  # of each item: a bullet, and a Vertical with its parts
    parts = [list(item._blocks) for item in block._blocks]
    if not 0 < len(rows) <= len(parts) or _widest(block, len(rows)) != _widest(block, len(parts)):
        return False
    here = rows[-1].query_children(Vertical).first()
    last, new_parts = list(here.query_children(MarkdownBlock)), parts[len(rows) - 1]
    if len(last) > len(new_parts) or (last and not await _take_over(last[-1], new_parts[len(last) - 1])):
        return False
    await here.mount_all(new_parts[len(last) :])
    await shown.mount_all(list(block.compose())[len(rows) :])
    return True


def _widest(block: MarkdownBlock, items: int) -> int:
    """How many digits the numbers of so many items have: all are indented by the last."""
    first = block._blocks[0]
    return len(str(int(first.bullet) + items - 1)) if isinstance(first, MarkdownOrderedListItem) else 0
