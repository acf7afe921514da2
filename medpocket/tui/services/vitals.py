"""What the status line says of the machine: memory, battery, and that nothing can reach the network."""

from dataclasses import dataclass

from medpocket.lockdown import network_is_refused
from medpocket.models.hardware import available_bytes, battery, resident_bytes


@dataclass(frozen=True)
class Vitals:
    """Bytes of this process and free on the machine; the battery in words, '' where there is none."""

    process_bytes: int
    free_bytes: int
    battery: str
    offline: bool


def vitals() -> Vitals:
    """Look now."""
    return Vitals(resident_bytes(), available_bytes(), battery(), network_is_refused())
