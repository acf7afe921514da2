"""The platforms that kits are made for."""

import platform
import sys
from dataclasses import dataclass

from medpocket.errors import KitError


@dataclass(frozen=True)
class Platform:
    """`system` is Python's sys.platform, `machines` what the system calls the processor, in small letters.

    `tested`: this project built a kit for it and installed that; `emulated`: in an emulator alone. `portable`:
    llama.cpp must have been compiled for all processors of the kind, not for the one that it was compiled on. `cuda`:
    it must have been compiled for CUDA.
    """

    name: str
    title: str
    system: str
    machines: tuple[str, ...]
    tested: bool = False
    emulated: bool = False
    portable: bool = False
    cuda: bool = False

    def is_here(self) -> bool:
        """Whether this Python runs on it."""
        return sys.platform == self.system and platform.machine().lower() in self.machines


_ALL = (
    Platform("linux-x86_64", "Linux on x86-64", "linux", ("x86_64", "amd64"), tested=True, portable=True),
    Platform("linux-aarch64", "Linux on 64-bit ARM", "linux", ("aarch64", "arm64"), emulated=True, portable=True),
    Platform("linux-aarch64-jetson", "NVIDIA Jetson Orin", "linux", ("aarch64", "arm64"), cuda=True),
    Platform("macos-arm64", "macOS on Apple silicon", "darwin", ("arm64",)),
    Platform("windows-x86_64", "Windows on x86-64", "win32", ("amd64", "x86_64"), portable=True),
)
PLATFORMS = {one.name: one for one in _ALL}


def platform_named(name: str) -> Platform:
    """Return the platform of this name. Raises KitError."""
    if name not in PLATFORMS:
        raise KitError(f"the kit is for a platform that this version does not know: {name}", "use a newer MedPocket")
    return PLATFORMS[name]


def platform_here() -> Platform | None:
    """The first platform that this Python runs on, None where there are no kits for it."""
    return next((one for one in _ALL if one.is_here()), None)
