"""Open the app."""

import os
import sys
from typing import TYPE_CHECKING

from medpocket.config import load_settings
from medpocket.errors import InputError
from medpocket.lockdown import hide_memory

if TYPE_CHECKING:
    from medpocket.tui.services.engine_thread import Loaded, LoadModel, Post

# Textual writes what happens, keys included, to where these say, or connects there.
_WATCHERS = ("TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DEBUG", "TEXTUAL_DEVTOOLS_HOST", "TEXTUAL_DEVTOOLS_PORT")


def open_app() -> int:
    """Run the app until it is closed; return the exit code. Raises MedpocketError: no terminal, or a crash."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
        raise InputError(
            "the app needs a terminal, for input and for output",
            'without one: medpocket ask "...", or `medpocket --help`',
        )
    hide_memory()
    for name in _WATCHERS:
        os.environ.pop(name, None)
    settings = load_settings()

    from medpocket.tui.app import MedpocketApp
    from medpocket.tui.first_run import tour_is_due
    from medpocket.tui.keys import keymap

    app = MedpocketApp(
        _load,
        theme=settings.theme,
        keymap=keymap(settings.keys),
        lock_after_min=settings.lock_after,
        first_run=tour_is_due(),
    )
    app.call_later(app.take_over_process)
    app.run()
    if app.crash:
        raise app.crash
    if app.history.undeleted:
        raise app.history.undeleted
    return app.return_code or 0


def _load(request: "LoadModel", post: "Post") -> "Loaded":
    """Load a model; what that needs is imported in the engine's thread, behind the first frame."""
    from medpocket.tui.services.loading import load_installed

    return load_installed(request, post)
