"""Every error that a user can meet.

MedpocketError
├── InputError            what was typed or piped cannot be used (exit code 2)
│   ├── QuestionError     empty, not text, longer than the context
│   ├── OptionError       an option that does not exist, or a value out of its range
│   └── UnknownNameError  no such model or expert; names the nearest one
├── SettingsError         a file of settings or of the registry is broken: file, key, reason
├── ModelError
│   ├── ModelFileError    missing, damaged, or not a language model that MedPocket can run
│   ├── AdapterError      an adapter is damaged, or does not belong to this model
│   ├── MemoryShortError  the model needs more memory than this machine has free
│   └── EngineError       llama.cpp failed although the file looked right
├── RouterError           the router's weights are missing or damaged
├── BenchmarkError        nothing can be measured: a tool is missing, or does not do what it should
├── ResultsError          the file of evaluation results cannot be used, or has no such run
├── DownloadError         a file cannot be fetched: forbidden, no network, or not what the server promised
├── DiskShortError        there is too little room on the disk
├── KitError              an offline kit cannot be built, is not whole, or is not for this machine
├── HistoryError          the history cannot be read or written
│   ├── LockedHistoryError   it is locked, and no passphrase was given
│   ├── PassphraseError      the passphrase is wrong
│   └── DamagedHistoryError  its file is damaged
└── OfflineError          something tried to reach the network

An error says what is wrong (`message`) and what to do next (`hint`), one line each. Neither ever
holds text of a question. `code` is its name in the JSON envelope.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path


class MedpocketError(Exception):
    """What is wrong and what to do next."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(MedpocketError):
    """What was typed or piped cannot be used."""

    code = "input"
    exit_code = 2


class QuestionError(InputError):
    """The question is empty, is not text, or is longer than the context."""

    code = "question"


class OptionError(InputError):
    """The option does not exist, or its value is out of range."""

    code = "option"


class UnknownNameError(InputError):
    """No model or expert has this name."""

    code = "unknown-name"

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str) -> None:
        from difflib import get_close_matches

        nearest = get_close_matches(name, list(known), n=1, cutoff=0.4)
        # Something long or with spaces may be a question in the wrong place, and is not repeated.
        called = repr(name) if len(name) <= 40 and name.isprintable() and " " not in name else "of this name"
        super().__init__(
            f"there is no {kind} {called}",
            f"did you mean {nearest[0]!r}? {hint}" if nearest else hint,
        )
        self.nearest = nearest[0] if nearest else None


class SettingsError(MedpocketError):
    """A file of settings or of the registry is broken."""

    code = "settings"


class ModelError(MedpocketError):
    """The model cannot be used."""

    code = "model"


class ModelFileError(ModelError):
    """The file is missing, damaged, or not a language model that MedPocket can run."""

    code = "model-file"


class AdapterError(ModelError):
    """The adapter is damaged, or does not belong to this model."""

    code = "adapter"


class MemoryShortError(ModelError):
    """The model needs more memory than this machine has free."""

    code = "memory"


class EngineError(ModelError):
    """llama.cpp failed although the file looked right."""

    code = "engine"


class RouterError(MedpocketError):
    """The router's weights are missing or damaged."""

    code = "router"


class BenchmarkError(MedpocketError):
    """Nothing can be measured: a tool is missing, or does not do what it should."""

    code = "benchmark"


class ResultsError(MedpocketError):
    """The file of evaluation results cannot be used, or has no such run."""

    code = "results"


class DownloadError(MedpocketError):
    """A file cannot be fetched: it is forbidden, there is no network, or what came is not what was promised."""

    code = "download"


class DiskShortError(MedpocketError):
    """There is too little room on the disk."""

    code = "disk"


class KitError(MedpocketError):
    """An offline kit cannot be built, is not whole, or is not for this machine."""

    code = "kit"


class HistoryError(MedpocketError):
    """The history cannot be read or written."""

    code = "history"


class LockedHistoryError(HistoryError):
    """The history is locked, and no passphrase was given."""

    code = "history-locked"


class PassphraseError(HistoryError):
    """The passphrase is wrong."""

    code = "passphrase"


class DamagedHistoryError(HistoryError):
    """The history's file is damaged."""

    code = "history-damaged"


class OfflineError(MedpocketError):
    """Something tried to reach the network."""

    code = "offline"


def unexpected(error: BaseException) -> MedpocketError:
    """Give any error two clear lines. One that is not expected shows where it was raised, never its values."""
    if isinstance(error, MedpocketError):
        return error
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return MedpocketError("the disk is full: not everything could be written", "free some space and try again")
    if isinstance(error, OSError):
        return MedpocketError(
            f"the system refused: {os.strerror(error.errno or 0)}", "`medpocket doctor` shows the folders"
        )
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f" at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
    return MedpocketError(
        f"something went wrong inside MedPocket ({type(error).__name__}{where})",
        "please report this line, with the output of `medpocket doctor` and no patient text",
    )
