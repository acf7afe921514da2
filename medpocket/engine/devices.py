"""The graphics processors that llama.cpp sees, and their free memory; no model is loaded for it."""

import ctypes

from medpocket.engine.ggml import function
from medpocket.engine.logs import start_log
from medpocket.engine.start import start_llama
from medpocket.models.accelerators import Accelerator
from medpocket.text import printable

_GRAPHICS, _GRAPHICS_INSIDE = 1, 2  # of enum ggml_backend_dev_type, those that can hold layers
_SHARING_BACKENDS = ("Metal", "MTL")


def accelerators(*, jetson: bool = False) -> tuple[Accelerator, ...]:
    """Ask llama.cpp for its devices. `jetson`: on that board they have no memory of their own."""
    start_log("warning")  # drivers talk when they are found
    start_llama()
    found = []
    for index in range(function("ggml_backend_dev_count")()):
        device = function("ggml_backend_dev_get")(index)
        kind = function("ggml_backend_dev_type")(device)
        if kind not in (_GRAPHICS, _GRAPHICS_INSIDE):
            continue
        free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
        function("ggml_backend_dev_memory")(device, ctypes.byref(free), ctypes.byref(total))
        backend = _text(function("ggml_backend_reg_name")(function("ggml_backend_dev_backend_reg")(device)))
        found.append(
            Accelerator(
                name=_text(function("ggml_backend_dev_name")(device)),
                description=_text(function("ggml_backend_dev_description")(device)),
                backend=backend,
                total_bytes=total.value,
                free_bytes=free.value,
                shares_memory=jetson or kind == _GRAPHICS_INSIDE or backend in _SHARING_BACKENDS,
            )
        )
    return tuple(found)


def _text(value: bytes | None) -> str:
    return printable((value or b"").decode("utf-8", "replace"))
