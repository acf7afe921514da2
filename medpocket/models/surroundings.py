"""What the machine stands in: its power, the free space of a disk, and the board where it is one that matters."""

import shutil
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Power:
    """Where the power comes from; `percent` is what the battery holds."""

    on_mains: bool
    percent: float


def describe_power() -> Power | None:
    """Look at the battery; None where there is none, or the system does not tell."""
    import psutil

    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (OSError, RuntimeError, ValueError, AttributeError):  # what sits in /sys of a virtual machine may be odd
        return None
    # Without a sensor at the plug psutil says None: a battery that is not known to be used.
    return Power(battery.power_plugged is not False, float(battery.percent)) if battery else None


def free_disk_bytes(folder: Path) -> int | None:
    """Bytes that this user can still write in `folder`, or where it will be made; None where nobody says."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def jetson_board(proc: Path = PROC) -> str | None:
    """The name of NVIDIA's board, whose processors share one memory; None on any other machine."""
    try:
        name = (proc / "device-tree" / "model").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    name = name.replace("\0", " ").strip()
    return name if "jetson" in name.lower() else None
