"""Whether this user has seen the tour."""

from contextlib import suppress

from medpocket import paths

_SEEN = "tour-seen"


def tour_is_due() -> bool:
    """Tell whether the tour is to be shown unasked: until it was closed once."""
    return not (paths.state_folder() / _SEEN).exists()


def tour_was_seen() -> None:
    """Remember it. Where that cannot be written, the tour comes once more at the next start."""
    with suppress(OSError):
        (paths.make_private(paths.state_folder()) / _SEEN).touch(mode=0o600)
