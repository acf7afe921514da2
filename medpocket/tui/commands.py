"""The command palette: every key's action that can be taken now, by its name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from medpocket.tui.keys import Key, all_keys


class KeyCommands(Provider):
    """What the keys of the present screen and of the app do."""

    async def discover(self) -> Hits:
        """List all of them."""
        for key, run in self._commands():
            yield DiscoveryHit(key.label, run, help=key.tooltip)

    async def search(self, query: str) -> Hits:
        """List those that match, by label or explanation."""
        matcher = self.matcher(query)
        for key, run in self._commands():
            score = max(matcher.match(key.label), matcher.match(key.tooltip) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(key.label), run, help=key.tooltip)

    def _commands(self) -> Iterator[tuple[Key, Callable[[], Any]]]:
        known = all_keys()
        seen = {"app.palette"}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            key = known.get(binding.id or "")
            if key is None or not enabled or key.id in seen or key.group == "question":
                continue
            seen.add(key.id)
            namespace = self.app if key.group == "app" else self.screen
            yield key, partial(self.app.run_action, key.action, namespace)
