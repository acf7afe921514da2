"""Ask the hub, through its own client, which file is meant: its commit, its size and its SHA-256."""

import fnmatch
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from medpocket import __version__
from medpocket.errors import DownloadError, InputError
from medpocket.models.gguf_kinds import shown
from medpocket.models.gguf_parts import MAX_PARTS, NAME
from medpocket.models.http_source import (
    Patience,
    TryAgainError,
    check_status,
    http_errors,
    no_network,
    reason_of,
    session,
)

LARGEST_BYTES = 10**13
_SHOWN_NAMES = 6
_ATTEMPTS = 3  # a user waits for the answer; nothing has arrived yet that would be lost
_SAFE_PART = re.compile(r"(?!\.)[^\\/:*?\"<>|\x00-\x1f\x7f]{1,200}(?<![. ])")
Result = TypeVar("Result")


@dataclass(frozen=True)
class HubFile:
    """A file in a repository of the hub, as the hub describes it."""

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Found:
    """The files of one model, the first of them the one to load, pinned to a commit."""

    repository: str
    commit: str
    files: tuple[HubFile, ...]


@dataclass(frozen=True)
class Sought:
    """Where a file may be: a repository, and the file's path there or a pattern for it."""

    repository: str
    file: str | None
    pattern: str | None = None


class Hub:
    """The hub at one endpoint. `token` may be None."""

    def __init__(self, endpoint: str, token: str | None, patience: Patience) -> None:
        from huggingface_hub import HfApi

        self._api = HfApi(
            endpoint=endpoint, token=token or False, library_name="medpocket", library_version=__version__
        )
        self._endpoint = endpoint
        self._patience = patience

    def url(self, repository: str, commit: str, path: str) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(repository, path, revision=commit, endpoint=self._endpoint)

    def find(self, sought: Sought, revision: str | None) -> Found:
        """Look the file up, with all its parts where it is split. Raises DownloadError and InputError."""
        from huggingface_hub.hf_api import RepoFile

        commit = self._ask(lambda: self._api.model_info(sought.repository, revision=revision or "main")).sha
        if not isinstance(commit, str) or not re.fullmatch(r"[0-9a-f]{40}", commit):
            raise _no_sense("its commit")
        entries = self._ask(lambda: list(self._api.list_repo_tree(sought.repository, recursive=True, revision=commit)))
        files = {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}
        name = sought.file if sought.file and sought.file in files else _matching(sought, files)
        return Found(sought.repository, commit, tuple(_described(files[one]) for one in _all_parts(name, files)))

    def _ask(self, question: Callable[[], Result]) -> Result:
        """Ask, and ask again where the server or the line has a moment of weakness."""
        from huggingface_hub.errors import HfHubHTTPError

        attempts = min(self._patience.attempts, _ATTEMPTS)
        for attempt in range(attempts):
            try:
                return self._asked(question, HfHubHTTPError)
            except TryAgainError as error:
                problem = error
            if attempt + 1 < attempts:
                pause = problem.wait_s if problem.wait_s is not None else self._patience.pause_s * 2**attempt
                time.sleep(pause)
        raise no_network(problem.reason)

    def _asked(self, question: Callable[[], Result], refused: type[Exception]) -> Result:
        client = session(self._patience)
        try:
            return question()
        except refused as error:
            response = getattr(error, "response", None)
            if response is None:
                raise TryAgainError("it gave no answer") from None
            _explain(error, response)
            check_status(response.status_code, response.headers)
            raise TryAgainError(f"it answers with status {response.status_code}") from None
        except http_errors(client) as error:
            raise TryAgainError(reason_of(error)) from None
        except (KeyError, TypeError, ValueError):
            raise _no_sense("its answer") from None


def _explain(error: Exception, response: Any) -> None:
    """Raise DownloadError for what the hub says more precisely than its status does."""
    kind = type(error).__name__
    if kind == "RevisionNotFoundError":
        raise DownloadError("the repository has no such revision", "leave --revision away, or give another")
    if kind == "RepositoryNotFoundError" and response.status_code in (401, 404):
        raise DownloadError(
            "the hub has no such repository, or does not show it to you",
            "for one behind an account set HF_TOKEN; or bring the file on a USB stick: `medpocket models import PATH`",
        )


def _matching(sought: Sought, files: Iterable[str]) -> str:
    """The one path that the pattern means: its first part where it is split. Raises DownloadError and InputError."""
    weights = sorted(name for name in files if name.lower().endswith(".gguf"))
    if sought.pattern is None:
        raise DownloadError(f"{sought.repository} has no {shown(sought.file or '', 100)}", f"it has {_listed(weights)}")
    pattern = sought.pattern.lower()
    found = [name for name in weights if fnmatch.fnmatchcase(name.lower(), pattern)]
    first = [name for name in found if not (part := NAME.fullmatch(name)) or int(part["number"]) == 1]
    if not first:
        raise DownloadError(
            f"{sought.repository} has no file that matches {shown(sought.pattern)}", f"it has {_listed(weights)}"
        )
    if len(first) > 1:
        raise InputError(
            f"{sought.repository} has more than one file that matches {shown(sought.pattern)}",
            f"choose one with --file: {_listed(first)}",
        )
    return first[0]


def _listed(names: list[str]) -> str:
    if not names:
        return "no GGUF file at all"
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(shown(name, 100) for name in names[:_SHOWN_NAMES]) + more


def _all_parts(name: str, files: Iterable[str]) -> list[str]:
    """The parts of a split model in their order; the name alone of a whole one."""
    part = NAME.fullmatch(name)
    if not part:
        return [name]
    count = int(part["count"])
    if not 1 <= count <= MAX_PARTS:
        raise _no_sense("the number of its parts")
    parts = [f"{part['stem']}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    known = set(files)
    missing = [one for one in parts if one not in known]
    if missing:
        raise DownloadError(f"the hub lacks a part of this model: {shown(missing[0], 100)}", "try again later")
    return parts


def _described(entry: Any) -> HubFile:
    """What the hub says of a file, checked. Raises DownloadError."""
    path, lfs = str(entry.path), entry.lfs
    if not is_safe(path):
        raise DownloadError(
            f"the hub names a file so that it would be written elsewhere: {shown(path)}", "this was refused"
        )
    if lfs is None or not isinstance(lfs.sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", lfs.sha256):
        raise DownloadError(
            f"the hub gives no SHA-256 for {shown(path)}", "without one it is not taken: choose another file"
        )
    if type(lfs.size) is not int or lfs.size != entry.size or not 0 < lfs.size <= LARGEST_BYTES:
        raise _no_sense("its size")
    return HubFile(path, lfs.size, lfs.sha256)


def is_safe(path: str) -> bool:
    """Tell whether every part of a path in a repository is a plain name."""
    return all(_SAFE_PART.fullmatch(part) for part in path.split("/"))


def _no_sense(what: str) -> DownloadError:
    return DownloadError(f"the hub's answer makes no sense: {what}", "check --endpoint, or try again later")
