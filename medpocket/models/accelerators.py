"""Graphics processors that llama.cpp can use; the engine looks for them (`medpocket.engine.devices`)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Accelerator:
    """A device that can hold layers. `backend` is llama.cpp's: CUDA, Metal, Vulkan, ...

    `shares_memory`: its memory is the machine's own (Apple, Jetson, graphics inside the processor), so what layers
    take on it is taken from everything else.
    """

    name: str
    description: str
    backend: str
    total_bytes: int
    free_bytes: int
    shares_memory: bool
