"""Where a passphrase comes from without being typed, and how strong one is."""

import contextlib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import HistoryError

VARIABLE = "MEDPOCKET_PASSPHRASE_FILE"
LEAST_BITS = 40.0
_STRONG_BITS = 60.0
_WORD_BITS = 11.0  # one of 2,048 common words
_GUESSES_PER_S = 10_000  # of scrypt at 64 MiB, on some hundred rented machines
_SERVICE, _USER = "medpocket", "history"
_MARK = "keyring"  # a file that says that the passphrase is in the system's keyring


@dataclass(frozen=True)
class Strength:
    """An estimate, from above, of how hard a passphrase is to guess."""

    bits: float

    @property
    def word(self) -> str:
        if self.bits < LEAST_BITS:
            return "weak"
        return "fair" if self.bits < _STRONG_BITS else "strong"

    @property
    def described(self) -> str:
        """What the user is told: the word, and the time in which half of the possibilities are tried."""
        years = 2 ** min(self.bits - 1, 500.0) / _GUESSES_PER_S / 31_557_600
        if years >= 1000:
            time = "thousands of years"
        elif years >= 1:
            time = f"{years:,.0f} years"
        else:
            time = f"{max(1, round(years * 365))} days at most"
        return f"{self.word}: about {self.bits:.0f} bits, {time} at {_GUESSES_PER_S:,} guesses a second"


def strength(passphrase: str) -> Strength:
    """Estimate it: words count as one of 2,048, other characters by their kinds, repetitions and rows not at all."""
    words = re.findall(r"[^\W\d_]{3,}", passphrase)
    rest = re.sub(r"[^\W\d_]{3,}|\s", "", passphrase)
    kinds = sum(
        size
        for size, pattern in ((26, "[a-z]"), (26, "[A-Z]"), (10, r"\d"), (33, r"[^\w\s]|_"), (100, r"[^\x00-\x7f]"))
        if re.search(pattern, rest)
    )
    counted = sum(1 for before, now in zip(" " + rest, rest, strict=False) if abs(ord(now) - ord(before)) > 1)
    bits = counted * math.log2(kinds) if kinds else 0.0
    # Letters that spell no word are worth more than one of 2,048, but nobody can tell here that they spell none.
    distinct = {word.lower() for word in words}
    return Strength(bits + sum(min(_WORD_BITS, 4.7 * len(set(word))) for word in distinct))


def from_surroundings(folder: Path) -> str | None:
    """Return the passphrase from the file that MEDPOCKET_PASSPHRASE_FILE names, else from the keyring, else None.

    Raises HistoryError where the file cannot be read, or others can read it.
    """
    name = os.environ.get(VARIABLE)
    if name:
        return _from_file(Path(name).expanduser())
    if (folder / _MARK).exists():
        with contextlib.suppress(Exception):  # no keyring here, or it stays closed: the prompt remains
            import keyring

            found: str | None = keyring.get_password(_SERVICE, _USER)
            return found
    return None


def put_into_keyring(folder: Path, passphrase: str) -> None:
    """Keep the passphrase in the system's keyring. Raises HistoryError."""
    try:
        import keyring
    except ImportError:
        raise HistoryError("keyring is not installed", "`pip install medpocket[keyring]` brings it") from None
    try:
        keyring.set_password(_SERVICE, _USER, passphrase)
        (folder / _MARK).touch(mode=0o600)
    except Exception as error:  # each system's keyring has errors of its own
        raise HistoryError(
            f"the system's keyring did not take the passphrase ({type(error).__name__})",
            "without it, the passphrase is asked for, or read from MEDPOCKET_PASSPHRASE_FILE",
        ) from None


def take_out_of_keyring(folder: Path) -> None:
    """Forget the passphrase in the system's keyring, where it is there."""
    if (folder / _MARK).exists():
        with contextlib.suppress(Exception):
            import keyring

            keyring.delete_password(_SERVICE, _USER)
        (folder / _MARK).unlink(missing_ok=True)


def _from_file(path: Path) -> str:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise HistoryError(f"others can read the file that {VARIABLE} names", f"chmod 600 {path}")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise HistoryError(
            f"the file that {VARIABLE} names cannot be read", "its first line is the passphrase"
        ) from None
