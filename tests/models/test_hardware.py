import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medpocket.models import hardware
from medpocket.models.hardware import (
    Machine,
    Memory,
    cgroup_cores,
    cgroup_memory,
    default_threads,
    describe_machine,
    describe_memory,
    peak_memory_bytes,
    process_age_s,
    usable_cores,
)

GB = 10**9
NOTHING = Path("/nowhere")


def plant(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def planted(folder: Path, groups: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A /proc whose process is in these groups, and a /sys/fs/cgroup of these files."""
    return plant(folder / "proc", {"self/cgroup": groups}), plant(folder / "cgroup", files)


def test_version_2_limits_are_read(tmp_path: Path) -> None:
    files = {
        "job/memory.max": f"{8 * GB}\n",
        "job/memory.current": f"{5 * GB}\n",
        "job/memory.stat": f"anon 1\ninactive_file {2 * GB}\nactive_file 7\n",
        "job/cpu.max": "150000 100000\n",
    }
    places = planted(tmp_path, "0::/job\n", files)
    assert cgroup_memory(*places) == (8 * GB, 3 * GB)
    assert cgroup_cores(*places) == 1.5


def test_no_limit_is_none_in_version_2(tmp_path: Path) -> None:
    places = planted(tmp_path, "0::/job\n", {"job/memory.max": "max\n", "job/cpu.max": "max 100000\n"})
    assert cgroup_memory(*places) == (None, 0)
    assert cgroup_cores(*places) is None


def test_the_tightest_group_around_a_process_counts(tmp_path: Path) -> None:
    files = {
        "memory.max": "max",
        "slice/memory.max": str(4 * GB),
        "slice/memory.current": str(3 * GB),
        "slice/job/memory.max": str(3 * GB),
        "slice/job/memory.current": str(1 * GB),
        "slice/cpu.max": "100000 100000",
        "slice/job/cpu.max": "400000 100000",
    }
    places = planted(tmp_path, "0::/slice/job\n", files)
    assert cgroup_memory(*places) == (4 * GB, 3 * GB)
    assert cgroup_cores(*places) == 1.0


def test_version_1_limits_are_read(tmp_path: Path) -> None:
    files = {
        "memory/docker/memory.limit_in_bytes": str(2 * GB),
        "memory/docker/memory.usage_in_bytes": str(1 * GB),
        "memory/docker/memory.stat": f"inactive_file 5\ntotal_inactive_file {GB // 2}\n",
        "cpu,cpuacct/docker/cpu.cfs_quota_us": "300000",
        "cpu,cpuacct/docker/cpu.cfs_period_us": "100000",
    }
    places = planted(tmp_path, "5:memory:/docker\n4:cpu,cpuacct:/docker\n0::/\n", files)
    assert cgroup_memory(*places) == (2 * GB, GB // 2)
    assert cgroup_cores(*places) == 3.0


def test_no_limit_is_none_in_version_1(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "cpu/cpu.cfs_quota_us": "-1",
        "cpu/cpu.cfs_period_us": "100000",
    }
    places = planted(tmp_path, "2:memory:/\n1:cpu:/\n", files)
    assert cgroup_memory(*places) == (None, 0)
    assert cgroup_cores(*places) is None


def test_a_path_of_the_host_falls_back_to_the_root_of_the_mount(tmp_path: Path) -> None:
    files = {"memory.max": str(GB), "memory.current": "0", "cpu.max": "50000 100000"}
    places = planted(tmp_path, "0::/host/only/here\n", files)
    assert cgroup_memory(*places) == (GB, 0)
    assert cgroup_cores(*places) == 0.5


def test_a_path_cannot_lead_out_of_the_mount(tmp_path: Path) -> None:
    plant(tmp_path, {"memory.max": "1"})
    places = planted(tmp_path, "0::/../x\n", {"memory.max": str(GB), "memory.current": "0"})
    assert cgroup_memory(*places) == (GB, 0)


@pytest.mark.parametrize("text", ["", "garbage", "0::", ":::::\n\xff", "0::/a\n" * 50])
def test_unreadable_groups_are_no_limit(tmp_path: Path, text: str) -> None:
    places = planted(tmp_path, text, {"memory.max": "many", "cpu.max": "some of 3", "memory.stat": "\n\n"})
    assert cgroup_memory(*places) == (None, 0)
    assert cgroup_cores(*places) is None
    assert cgroup_memory(NOTHING, NOTHING) == (None, 0)
    assert cgroup_cores(NOTHING, NOTHING) is None


def test_memory_of_a_container_is_its_limit_and_what_is_left_of_it(tmp_path: Path) -> None:
    files = {"memory.max": str(10**7), "memory.current": str(4 * 10**6)}
    memory = describe_memory(*planted(tmp_path, "0::/\n", files))
    assert (memory.total_bytes, memory.available_bytes) == (10**7, 6 * 10**6)


def test_a_container_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    memory = describe_memory(*planted(tmp_path, "0::/\n", {"memory.max": "1000", "memory.current": "2000"}))
    assert memory.available_bytes == 0


def test_a_limit_above_the_machines_memory_changes_nothing(tmp_path: Path) -> None:
    without = describe_memory(NOTHING, NOTHING)
    with_limit = describe_memory(*planted(tmp_path, "0::/\n", {"memory.max": str(1 << 50), "memory.current": "0"}))
    assert with_limit.total_bytes == without.total_bytes > 10**8


def test_half_a_core_is_one_thread(tmp_path: Path) -> None:
    assert usable_cores(*planted(tmp_path, "0::/\n", {"cpu.max": "50000 100000"})) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_process_bound_to_one_core_has_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from medpocket.models.hardware import *; print(usable_cores(), default_threads())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1", "1"]


def test_threads_are_whole_cores_that_are_ours() -> None:
    memory = Memory(GB, GB, 0)
    assert Machine("cpu", (), physical_cores=8, usable_cores=16, memory=memory).default_threads() == 8
    assert Machine("cpu", (), physical_cores=8, usable_cores=3, memory=memory).default_threads() == 3
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


def test_this_machine_is_described() -> None:
    machine = describe_machine()
    assert machine.cpu_model
    assert 1 <= machine.usable_cores <= (os.cpu_count() or 1)
    assert 0 < machine.memory.available_bytes <= machine.memory.total_bytes
    assert machine.default_threads() == default_threads()


def test_a_system_without_proc_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "PROC", NOTHING)
    monkeypatch.setattr(hardware, "CGROUP", NOTHING)
    machine = describe_machine()
    assert machine.cpu_model
    assert machine.cpu_features == ()


def test_peak_memory_is_in_bytes_and_grows_with_use() -> None:
    code = (
        "from medpocket.models.hardware import peak_memory_bytes; before = peak_memory_bytes(); "
        "block = b'x' * 60_000_000; print(before, peak_memory_bytes())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, result.stdout.split())
    assert 5_000_000 < before < 60_000_000
    assert 55_000_000 < after - before < 90_000_000
    assert peak_memory_bytes() > 5_000_000


def test_a_process_knows_how_long_it_has_run() -> None:
    code = "import time; time.sleep(0.3); from medpocket.models.hardware import process_age_s; print(process_age_s())"
    start = time.perf_counter()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took = time.perf_counter() - start
    assert 0.29 < float(result.stdout) < took + 0.02
    assert process_age_s() > 0.1


def test_without_proc_the_age_comes_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    with_proc = process_age_s()
    monkeypatch.setattr(hardware, "PROC", NOTHING)
    assert abs(process_age_s() - with_proc) < 2
