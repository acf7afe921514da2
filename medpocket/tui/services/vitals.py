"""What the status line says of the machine: memory, battery, and that nothing can reach the network."""

from dataclasses import dataclass

from medpocket.errors import OfflineError
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


def network_is_refused() -> bool:
    """Try to open a network socket; tell whether this process was refused."""
    import socket

    try:
        socket.socket(socket.AF_INET).close()
    except OfflineError:
        return True
    return False
