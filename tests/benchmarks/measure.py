"""What a process costs, and what is said about it: runs, medians, bounds and a table."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class BenchmarkError(Exception):
    """Nothing can be measured; the message says why."""


@dataclass(frozen=True)
class Usage:
    """What one process took, from its start to its end. Times in seconds; CPU time is user and system together.

    `first_byte_s` is when its first byte of stdout came, None where none did.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    first_byte_s: float | None
    stdout: str
    stderr: str


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run `command` to its end and measure it. Raises BenchmarkError when it fails.

    The peak is the kernel's `ru_maxrss`. It counts mapped files that are resident, and it starts at what the
    parent held: keep the process that calls this small.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
        assert process.stdout is not None
        first_byte: float | None = None
        pieces: list[bytes] = []
        while piece := os.read(process.stdout.fileno(), 65536):
            first_byte = first_byte or time.perf_counter()
            pieces.append(piece)
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)  # the process is reaped: Popen must not wait for it
        process.stdout.close()
        errors.seek(0)
        stderr = errors.read().decode(errors="replace")
    if process.returncode != 0:
        last_lines = " / ".join(stderr.strip().splitlines()[-2:])
        raise BenchmarkError(f"exit code {process.returncode} of {' '.join(command)[:300]}: {last_lines}")
    return Usage(
        wall_s=ended - started,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        first_byte_s=first_byte - started if first_byte else None,
        stdout=b"".join(pieces).decode(errors="replace"),
        stderr=stderr,
    )


@dataclass(frozen=True)
class Check:
    """A row of the table: values of MedPocket, round by round, and those of what it is compared with.

    What is judged is the median: of the ratios MedPocket / other, round by round, or of MedPocket's own values
    where there is no other. A row without a bound only informs.
    """

    name: str
    unit: str
    medpocket: list[float]
    other: list[float] = field(default_factory=list)
    at_least: float | None = None
    at_most: float | None = None

    @property
    def judged(self) -> list[float]:
        if not self.other:
            return self.medpocket
        return [ours / theirs for ours, theirs in zip(self.medpocket, self.other, strict=True)]

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; None without one."""
        median = statistics.median(self.judged)
        if self.at_least is not None:
            return median >= self.at_least
        if self.at_most is not None:
            return median <= self.at_most
        return None

    def cells(self) -> tuple[str, ...]:
        bound = "" if self.at_least is None else f">= {self.at_least:g}"
        bound = bound if self.at_most is None else f"<= {self.at_most:g}"
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        ratio = spread(self.judged) if self.other else ""
        return (f"{self.name}, {self.unit}", spread(self.medpocket), spread(self.other), ratio, bound, verdict)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "medpocket": self.medpocket,
            "other": self.other,
            "judged": self.judged,
            "median": statistics.median(self.judged),
            "at_least": self.at_least,
            "at_most": self.at_most,
            "met": self.met,
        }


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest, in four digits."""
    if not values:
        return ""
    return f"{_short(statistics.median(values))} ({_short(min(values))} - {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def table(checks: Sequence[Check]) -> str:
    """The checks as text, one line each: medians, in brackets the least and the greatest."""
    rows = [("", "MedPocket", "compared with", "ratio", "bound", ""), *(check.cells() for check in checks)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)
