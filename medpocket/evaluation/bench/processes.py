"""What a process costs, from its start to its end."""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from medpocket.errors import BenchmarkError
from medpocket.models.gguf_kinds import shown


@dataclass(frozen=True)
class Usage:
    """What one process took. Times in seconds; CPU time is user and system together.

    `first_byte_s` is when its first byte of stdout came, None where none did. On Windows nobody tells CPU time and
    memory of a process that has ended: they are NaN there.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: float
    first_byte_s: float | None
    stdout: str
    stderr: str


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run `command` to its end and measure it. Raises BenchmarkError when it fails, or cannot be started.

    The peak is the kernel's `ru_maxrss`. It counts mapped files that are resident, and it starts at what the
    parent held: keep the process that calls this small.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = start(command, errors=errors, environment=environment)
        assert process.stdout is not None
        first_byte: float | None = None
        pieces: list[bytes] = []
        try:
            while piece := os.read(process.stdout.fileno(), 65536):
                first_byte = first_byte or time.perf_counter()
                pieces.append(piece)
            cpu_s, peak_bytes = reap(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()
        ended = time.perf_counter()
        errors.seek(0)
        stderr = errors.read().decode(errors="replace")
    if process.returncode != 0:
        last_lines = " / ".join(stderr.strip().splitlines()[-2:])
        raise BenchmarkError(
            f"{Path(command[0]).name} ended with {process.returncode}: {shown(last_lines, 300)}",
            f"run it by itself to see more: {shown(' '.join(command), 300)}",
        )
    return Usage(
        wall_s=ended - started,
        cpu_s=cpu_s,
        peak_bytes=peak_bytes,
        first_byte_s=first_byte - started if first_byte else None,
        stdout=b"".join(pieces).decode(errors="replace"),
        stderr=stderr,
    )


def start(
    command: Sequence[str], *, errors: IO[bytes], environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start `command` with its stdout on a pipe. Raises BenchmarkError where the system cannot."""
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
    except OSError as error:
        raise BenchmarkError(
            f"{shown(Path(command[0]).name)} cannot be started: {error.strerror}", "build it again, or leave it out"
        ) from None


def reap(process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    """Wait for the end of a process; its CPU seconds and the most memory that it held, in bytes."""
    if sys.platform == "win32":
        process.wait()
        return math.nan, math.nan
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # it is reaped: Popen must not wait for it
    return usage.ru_utime + usage.ru_stime, float(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
