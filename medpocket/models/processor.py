"""The processor: its name, what it can do that llama.cpp has kernels for, and its fast cores."""

import platform
import sys
from pathlib import Path

PROC = Path("/proc")
SYS = Path("/sys/devices")

# /proc/cpuinfo's word -> what llama.cpp calls it, for what it has kernels for.
FEATURES = {
    "pni": "SSE3", "ssse3": "SSSE3", "sse4_2": "SSE4.2", "avx": "AVX", "f16c": "F16C", "fma": "FMA", "bmi2": "BMI2",
    "avx2": "AVX2", "avx_vnni": "AVX_VNNI", "avx512f": "AVX512", "avx512bw": "AVX512BW", "avx512vl": "AVX512VL",
    "avx512vbmi": "AVX512_VBMI", "avx512_vnni": "AVX512_VNNI", "avx512_bf16": "AVX512_BF16", "amx_tile": "AMX_TILE",
    "amx_int8": "AMX_INT8", "amx_bf16": "AMX_BF16", "asimd": "NEON", "asimdhp": "FP16_VA", "asimddp": "DOTPROD",
    "i8mm": "MATMUL_INT8", "sve": "SVE", "sve2": "SVE2", "sme": "SME", "vsx": "VSX",
}  # fmt: skip
MAC_FEATURES = {
    "hw.optional.neon": "NEON", "hw.optional.arm.FEAT_DotProd": "DOTPROD", "hw.optional.arm.FEAT_I8MM": "MATMUL_INT8",
    "hw.optional.arm.FEAT_SME": "SME", "hw.optional.avx1_0": "AVX", "hw.optional.avx2_0": "AVX2",
    "hw.optional.avx512f": "AVX512",
}  # fmt: skip
_MAC_FAST_CORES = "hw.perflevel0.physicalcpu"


def describe_processor(proc: Path = PROC) -> tuple[str, tuple[str, ...]]:
    """The processor's name and its features; ("unknown", ()) where the system does not tell."""
    if sys.platform == "darwin":
        return read_sysctl(_sysctl("machdep.cpu.brand_string", *MAC_FEATURES))
    model, features = read_cpuinfo(_read(proc / "cpuinfo"))
    return model or platform.processor() or platform.machine() or "unknown", features


def performance_cores(system: Path = SYS) -> int | None:
    """The fast cores of a processor that has two kinds, whole ones; None where all are alike, or nobody says."""
    if sys.platform == "darwin":
        fields = _sysctl(_MAC_FAST_CORES, "hw.perflevel1.physicalcpu")
        fast = fields.get(_MAC_FAST_CORES, "")
        return int(fast) if fast.isdigit() and "hw.perflevel1.physicalcpu" in fields else None
    intel = _read(system / "cpu_core" / "cpus")
    if intel and (system / "cpu_atom").is_dir():
        return _whole_cores(system, cpu_list(intel)) or None
    return _fast_arm_cores(system)


def _fast_arm_cores(system: Path) -> int | None:
    """Cores that are more than half as fast as the fastest: a phone's middle cores count, its small ones do not."""
    folders = [folder for folder in (system / "system" / "cpu").glob("cpu[0-9]*") if folder.is_dir()]
    read = [_read(folder / "cpu_capacity") for folder in folders]
    capacities = [int(one) for one in read if one.isdigit()]
    fast = sum(2 * one > max(capacities) for one in capacities)
    return fast if capacities and fast < len(capacities) else None


def _whole_cores(system: Path, cpus: set[int]) -> int:
    """How many cores these processors of the system are; a core may be two of them."""
    siblings = {_read(system / f"system/cpu/cpu{one}/topology/thread_siblings_list") or str(one) for one in cpus}
    return len(siblings)


def cpu_list(text: str) -> set[int]:
    """The numbers of a list as Linux writes them: "0-3,8" is 0, 1, 2, 3 and 8."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and (last or first).isdigit() and int(last or first) < 1 << 16:
            found.update(range(int(first), int(last or first) + 1))
    return found


def read_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    """The processor's name and its features that llama.cpp has kernels for, out of /proc/cpuinfo."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    words = set((fields.get("flags") or fields.get("features") or fields.get("isa") or "").lower().split())
    model = fields.get("model name") or fields.get("cpu model") or fields.get("hardware") or ""
    return model, tuple(known for word, known in FEATURES.items() if word in words)


def read_sysctl(fields: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The processor's name and its features out of what macOS's `sysctl` answers."""
    model = fields.get("machdep.cpu.brand_string", "unknown")
    features = [known for name, known in MAC_FEATURES.items() if fields.get(name) == "1"]
    if model.startswith("Apple") and "NEON" not in features:
        features.insert(0, "NEON")
    return model, tuple(features)


def sysctl_fields(text: str) -> dict[str, str]:
    """What macOS's `sysctl` prints, by name."""
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def _sysctl(*names: str) -> dict[str, str]:
    import subprocess

    try:
        # It exits with an error for names that this processor does not have, and answers the others.
        answer = subprocess.run(["/usr/sbin/sysctl", *names], capture_output=True, text=True, timeout=5, check=False)
        return sysctl_fields(answer.stdout)
    except (OSError, subprocess.SubprocessError):
        return {}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, ValueError):
        return ""
