"""The screens that a key or a command opens by their names; each is imported when it is opened first."""

from importlib import import_module
from typing import Any

from medpocket.tui.screens.base import InfoScreen

_SCREENS = {
    "doctor": "DoctorScreen",
    "experts": "ExpertsScreen",
    "sessions": "SessionsScreen",
    "models": "ModelsScreen",
    "settings": "SettingsScreen",
}


def screen_named(name: str) -> InfoScreen[Any]:
    """Make the screen of this name."""
    screen: InfoScreen[Any] = getattr(import_module(f"medpocket.tui.screens.{name}"), _SCREENS[name])()
    return screen
