"""What this machine has: cores and memory that this process may use, and what its processor can do.

Containers and job schedulers give a process less than the machine has; their limits (cgroups) count here.
Nothing raises when the system does not tell: the answer is then what is known without it.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from medpocket.models.processor import describe_processor, performance_cores
from medpocket.models.surroundings import Power, describe_power, jetson_board

PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Memory:
    """Memory that this process may use, and the machine's swap."""

    total_bytes: int
    available_bytes: int
    swap_bytes: int


@dataclass(frozen=True)
class Machine:
    """What this process may use of the machine.

    `performance_cores` is None where all cores are alike, `power` where there is no battery, `jetson` on anything but
    one of NVIDIA's small boards, whose graphics processor shares the memory.
    """

    cpu_model: str
    cpu_features: tuple[str, ...]
    physical_cores: int
    usable_cores: int
    memory: Memory
    performance_cores: int | None = None
    power: Power | None = None
    jetson: str | None = None

    def default_threads(self) -> int:
        """Threads to compute with: what would slow the others down has none.

        That is a second thread on a core, a core that is not ours, and a slow core among fast ones, for which all
        would wait.
        """
        return max(1, min(self.performance_cores or self.physical_cores, self.usable_cores))


def describe_machine() -> Machine:
    """Look at the machine; limits of a container count as the machine's own."""
    model, features = describe_processor(PROC)
    return Machine(
        model,
        features,
        physical_cores(),
        usable_cores(),
        describe_memory(),
        performance_cores(),
        describe_power(),
        jetson_board(PROC),
    )


def default_threads() -> int:
    """Threads to compute with on this machine."""
    return max(1, min(performance_cores() or physical_cores(), usable_cores()))


def describe_memory(proc: Path = PROC, cgroup: Path = CGROUP) -> Memory:
    """Look at the memory; a limit of a container counts as the machine's own."""
    import psutil

    memory = psutil.virtual_memory()
    total, available = int(memory.total), int(memory.available)
    limit, used = cgroup_memory(proc, cgroup)
    if limit is not None and limit < total:
        total, available = limit, max(0, min(available, limit - used))
    try:
        swap = int(psutil.swap_memory().total)
    except (OSError, RuntimeError):
        swap = 0
    return Memory(total, available, swap)


def available_bytes() -> int:
    """Return the memory that can be taken now, in bytes."""
    return describe_memory().available_bytes


def physical_cores() -> int:
    import psutil

    return int(psutil.cpu_count(logical=False) or os.cpu_count() or 1)


def busy_share(interval_s: float = 0.1) -> float:
    """The share of the processor that others use, over so many seconds from now; 0 is idle, 1 all cores."""
    import psutil

    return float(psutil.cpu_percent(interval_s)) / 100


def process_age_s() -> float:
    """Seconds since this process was started, the interpreter's own start included."""
    fields = _read(PROC / "self" / "stat").rpartition(")")[2].split()
    if sys.platform == "linux" and len(fields) > 19 and fields[19].isdigit():  # 22nd field of all: ticks since boot
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK"))
    import psutil

    return max(0.0, time.time() - float(psutil.Process().create_time()))


def peak_memory_bytes() -> int:
    """The most memory that this process has held at once: resident bytes, shared pages of mapped files too."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    # ru_maxrss of a process on Linux begins with the peak of the one that started it; the kernel's mark does not.
    for line in _read(PROC / "self" / "status").splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB elsewhere


def resident_bytes() -> int:
    """Return the memory of this process that is in RAM now, in bytes; pages of a mapped model file included."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def battery() -> str:
    """Say how full the battery is and whether it is charged; '' where there is none, or nobody tells."""
    from medpocket.models.surroundings import describe_power

    power = describe_power()
    return f"battery {power.percent:.0f} %{', plugged in' if power.on_mains else ''}" if power else ""


def usable_cores(proc: Path = PROC, cgroup: Path = CGROUP) -> int:
    """Cores that this process may run on, whole ones: its affinity, and its container's share of time rounded up."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = cgroup_cores(proc, cgroup)
    return max(1, cores if quota is None else min(cores, -int(-quota // 1)))


def cgroup_cores(proc: Path = PROC, cgroup: Path = CGROUP) -> float | None:
    """The share of processor time that this process's group may use, in cores; None without a limit."""
    shares = []
    for folder in _group_folders(proc, cgroup, "cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(quota) and int(period):
            shares.append(int(quota) / int(period))
    return min(shares, default=None)


def cgroup_memory(proc: Path = PROC, cgroup: Path = CGROUP) -> tuple[int | None, int]:
    """The tightest memory limit of this process's group, and what is used of it; (None, 0) without a limit.

    Pages of files that could be dropped at once are not counted as used.
    """
    tightest: tuple[int | None, int] = None, 0
    for folder in _group_folders(proc, cgroup, "memory"):
        for limit_file, used_file, droppable in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _read(folder / limit_file), _read(folder / used_file)
            # Version 1 writes "no limit" as a number near 2**63.
            if not limit.isdigit() or int(limit) >= 1 << 60:
                continue
            held = max(0, int(used or 0) - _statistic(folder / "memory.stat", droppable)) if used.isdigit() else 0
            if tightest[0] is None or int(limit) - held < tightest[0] - tightest[1]:
                tightest = int(limit), held
    return tightest


def _group_folders(proc: Path, cgroup: Path, controller: str) -> list[Path]:
    """The folders of this process's control group and all groups around it, version 1 and 2.

    Inside a container the path is often the host's, and not there: then the mount's own root is the group.
    """
    folders: list[Path] = []
    for line in _read(proc / "self" / "cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroup / (controllers if (cgroup / controllers).is_dir() else controller) if controllers else cgroup
        # A group outside this process's namespace is written with "..", and not there either.
        inside = root if ".." in path.split("/") else root / path.strip("/")
        folders += [one for one in (inside, *inside.parents) if one == root or root in one.parents]
    return folders or [cgroup, cgroup / controller]


def _statistic(file: Path, name: str) -> int:
    for line in _read(file).splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, ValueError):
        return ""
