"""What was measured, in one SQLite file: runs, their questions, and each option's log likelihood under each expert.

No text of a question is kept, only its id; so the file can be passed on. Options are numbered as their file gives them,
from 0. Log likelihoods are natural logarithms. What was chosen is not stored, it follows from the scores (`Scored`).
"""

import contextlib
import errno
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from medpocket import paths
from medpocket.errors import DiskShortError, ResultsError
from medpocket.models.gguf_kinds import shown

FILE_NAME = "results.sqlite"
NONE, ROUTED, ALL = "none", "routed", "all"
_VERSION = 1
_WAIT_S = 30.0  # for another process that is writing

_SCHEMA = (
    """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,          -- UTC, as 2026-01-31T12:00:00Z
    finished TEXT,                  -- NULL as long as questions are missing
    seconds REAL NOT NULL,          -- spent on evaluating, over all the times that the run was resumed
    tokens_evaluated INTEGER NOT NULL,
    peak_memory_bytes INTEGER NOT NULL,
    setup TEXT NOT NULL             -- JSON: everything that decides the numbers, see Setup
)""",
    """
CREATE TABLE questions (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    place INTEGER NOT NULL,         -- in the order of evaluation
    id TEXT NOT NULL,
    set_name TEXT NOT NULL,
    characters INTEGER NOT NULL,    -- of the question
    accepted TEXT NOT NULL,         -- JSON: the options that are right, two where the right one stands there twice
    shown TEXT NOT NULL,            -- JSON: the options in the order in which they were shown
    bytes TEXT NOT NULL,            -- JSON: of each option, in UTF-8
    routed TEXT,                    -- the router's expert, NULL where it was not asked
    PRIMARY KEY (run, place)
)""",
    """
CREATE TABLE scores (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    place INTEGER NOT NULL,
    expert TEXT NOT NULL,           -- none: the base model
    letters TEXT NOT NULL,          -- JSON: ln p of each option's letter
    answers TEXT NOT NULL,          -- JSON: ln p of each option's whole text
    PRIMARY KEY (run, place, expert)
)""",
)


@dataclass(frozen=True)
class Column:
    """An expert that was measured: its line, and its adapter where it has one. `none` is the base model."""

    expert: str
    adapter_sha256: str | None
    line: str


@dataclass(frozen=True)
class TaskFile:
    """A file of questions."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Setup:
    """Everything that decides the numbers of a run; two runs with equal ones have equal numbers.

    `experts` is what was asked for: none, routed, all, or an expert's id. `columns` are those whose scores there are;
    the base model is always the first. `left_out` counts the rows that could not be scored, by reason; `seed` is None
    where options stand in the order of their file. `machine` is the processor, its cores, memory and system.
    """

    model: str
    model_sha256: str
    fingerprint: str
    architecture: str
    quantization: str
    parameters: int
    size_bytes: int
    demonstration: bool
    experts: str
    columns: tuple[Column, ...]
    router_sha256: str | None
    tasks: tuple[TaskFile, ...]
    limit: int | None
    shots: int
    seed: int | None
    questions: int
    left_out: Mapping[str, int]
    prompt_version: int
    medpocket: str
    llama_cpp: str
    machine: Mapping[str, Any]
    threads: int
    batch: int
    context: int
    gpu_layers: int

    def as_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Setup":
        """Read what `as_json` wrote. Raises ValueError, TypeError and KeyError."""
        values = json.loads(text)
        values["columns"] = tuple(Column(**one) for one in values["columns"])
        values["tasks"] = tuple(TaskFile(**one) for one in values["tasks"])
        return cls(**{one.name: values[one.name] for one in fields(cls)})


@dataclass(frozen=True)
class Run:
    """A run; `finished` is None as long as questions are missing. Times in UTC."""

    id: int
    started: str
    finished: str | None
    seconds: float
    tokens_evaluated: int
    peak_memory_bytes: int
    setup: Setup


@dataclass(frozen=True)
class Scored:
    """A question under one expert: the log likelihoods of its options, and what follows from them."""

    id: str
    set: str
    characters: int
    accepted: tuple[int, ...]
    shown: tuple[int, ...]
    bytes: tuple[int, ...]
    routed: str | None
    expert: str
    letters: tuple[float, ...]
    answers: tuple[float, ...]

    @property
    def by_letter(self) -> int:
        """The option whose letter is likeliest; of equals the one shown first."""
        return max(self.shown, key=lambda option: self.letters[option])

    @property
    def by_answer(self) -> int:
        """The option whose text is likeliest for each of its bytes; of equals the one shown first."""
        return max(self.shown, key=lambda option: self.answers[option] / self.bytes[option])

    @property
    def letter_is_right(self) -> bool:
        return self.by_letter in self.accepted

    @property
    def answer_is_right(self) -> bool:
        return self.by_answer in self.accepted

    @property
    def place_of_letter(self) -> int:
        """Where the option that was chosen by its letter was shown, from 0."""
        return self.shown.index(self.by_letter)

    @property
    def guess(self) -> float:
        """How often a random choice is right."""
        return len(self.accepted) / len(self.shown)


class Results:
    """The file of all results."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, made where it is missing. Raises ResultsError."""
        self.path = path or paths.data_folder() / "evaluation" / FILE_NAME
        with _as_ours(self.path):
            paths.make_private(self.path.parent)
            self.path.touch(mode=0o600)
            self._connection = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
            self._prepare()

    def _prepare(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            self._connection.close()
            raise ResultsError(
                "the results were written by a later version of MedPocket", "update MedPocket, or name a new --results"
            )
        self._connection.execute("PRAGMA foreign_keys = ON")
        if version < _VERSION:
            with self._transaction():
                (version,) = self._connection.execute("PRAGMA user_version").fetchone()
                if version < _VERSION:  # still: another process may have been quicker
                    for statement in _SCHEMA:
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def begin(self, setup: Setup) -> Run:
        """Record a new run. Raises ResultsError and DiskShortError."""
        with _as_ours(self.path), self._transaction():
            cursor = self._connection.execute(
                "INSERT INTO runs (started, seconds, tokens_evaluated, peak_memory_bytes, setup) "
                "VALUES (?, 0, 0, 0, ?)",
                (_now(), setup.as_json()),
            )
        return self.run(int(cursor.lastrowid or 0))

    def resumable(self, setup: Setup) -> Run | None:
        """The last run with this very setup, complete or not. Raises ResultsError."""
        with _as_ours(self.path):
            row = self._connection.execute(
                "SELECT id FROM runs WHERE setup = ? ORDER BY id DESC LIMIT 1", (setup.as_json(),)
            ).fetchone()
        return self.run(row[0]) if row else None

    def done(self, run: int) -> set[int]:
        """The places whose scores there are. Raises ResultsError."""
        with _as_ours(self.path):
            return {place for (place,) in self._connection.execute("SELECT place FROM questions WHERE run = ?", (run,))}

    def add(
        self,
        run: int,
        scored: Mapping[int, Sequence[Scored]],
        *,
        seconds: float,
        tokens_evaluated: int,
        peak_memory_bytes: int,
    ) -> None:
        """Write questions, by place, each under all of its experts: all of them or, on a failure, none.

        Raises ResultsError and DiskShortError.
        """
        with _as_ours(self.path), self._transaction():
            for place, columns in scored.items():
                first = columns[0]
                self._connection.execute(
                    "INSERT OR REPLACE INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        run,
                        place,
                        first.id,
                        first.set,
                        first.characters,
                        *map(json.dumps, (first.accepted, first.shown, first.bytes)),
                        first.routed,
                    ),
                )
                self._connection.executemany(
                    "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)",
                    [(run, place, one.expert, json.dumps(one.letters), json.dumps(one.answers)) for one in columns],
                )
            self._connection.execute(
                "UPDATE runs SET seconds = seconds + ?, tokens_evaluated = tokens_evaluated + ?, "
                "peak_memory_bytes = max(peak_memory_bytes, ?) WHERE id = ?",
                (seconds, tokens_evaluated, peak_memory_bytes, run),
            )

    def finish(self, run: int) -> None:
        """Note that a run is complete. Raises ResultsError and DiskShortError."""
        with _as_ours(self.path), self._transaction():
            self._connection.execute("UPDATE runs SET finished = ? WHERE id = ? AND finished IS NULL", (_now(), run))

    def run(self, number: int) -> Run:
        """The run with this number. Raises ResultsError."""
        found = next(iter(self._runs("WHERE id = ?", number)), None)
        if found is None:
            raise ResultsError(f"there is no run {number}", "`medpocket eval list` shows the runs")
        return found

    def runs(self) -> list[Run]:
        """All runs, the oldest first. Raises ResultsError."""
        return self._runs("")

    def scored(self, run: Run, expert: str = NONE) -> list[Scored]:
        """The run's questions in the order of evaluation, under one of its columns, or as routed.

        Under ROUTED each question is taken from the column of its own expert; from the base model's where that is
        `general`. Raises ResultsError where there are no such scores.
        """
        with _as_ours(self.path):
            rows = self._connection.execute(
                "SELECT q.id, q.set_name, q.characters, q.accepted, q.shown, q.bytes, q.routed, s.expert, s.letters, "
                "s.answers FROM questions q JOIN scores s USING (run, place) WHERE q.run = ?1 AND s.expert = "
                "CASE WHEN ?2 = 'routed' THEN CASE WHEN q.routed = 'general' THEN 'none' ELSE q.routed END ELSE ?2 END "
                "ORDER BY place",
                (run.id, expert),
            ).fetchall()
        if not rows:
            raise ResultsError(
                f"run {run.id} has no scores of {expert}", "`medpocket eval list` shows what each run measured"
            )
        return [_scored(row) for row in rows]

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _runs(self, where: str, *values: Any) -> list[Run]:
        with _as_ours(self.path):
            rows = self._connection.execute(
                "SELECT id, started, finished, seconds, tokens_evaluated, peak_memory_bytes, setup "
                f"FROM runs {where} ORDER BY id",
                values,
            ).fetchall()
            return [_run(*row) for row in rows]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


@contextlib.contextmanager
def _as_ours(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into errors of ours."""
    try:
        yield
    except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as error:
        if str(error) == "database or disk is full" or getattr(error, "errno", None) == errno.ENOSPC:
            raise DiskShortError(
                "the disk is full: the last questions were not kept", "free some space; --resume goes on"
            ) from None
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ResultsError(
            f"the results in {shown(str(path), 120)} cannot be used: {shown(str(reason))}",
            "move the file away, or name another one with --results",
        ) from None


def _run(
    number: int, started: str, finished: str | None, seconds: float, evaluated: int, peak_bytes: int, setup: str
) -> Run:
    return Run(number, started, finished, seconds, evaluated, peak_bytes, Setup.from_json(setup))


def _scored(row: Sequence[Any]) -> Scored:
    name, set_name, characters, accepted, shown_, sizes, routed, expert, letters, answers = row
    return Scored(
        id=name,
        set=set_name,
        characters=characters,
        accepted=tuple(json.loads(accepted)),
        shown=tuple(json.loads(shown_)),
        bytes=tuple(json.loads(sizes)),
        routed=routed,
        expert=expert,
        letters=tuple(json.loads(letters)),
        answers=tuple(json.loads(answers)),
    )


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
