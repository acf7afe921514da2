"""The few functions of ggml, llama.cpp's calculator, that MedPocket calls beside llama.cpp's own.

They are looked up in llama.cpp's own library, which finds them in the ggml that it is bound to: a wheel may carry
copies of ggml under other names, and each copy has devices of its own.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llama_cpp

POINTER, SIZE, INT, INT64 = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64
_SIZES = ctypes.POINTER(ctypes.c_size_t)


class ContextParameters(ctypes.Structure):
    """`ggml_init_params` of ggml.h."""

    _fields_ = (("mem_size", SIZE), ("mem_buffer", POINTER), ("no_alloc", ctypes.c_bool))


# Name: result, arguments; ggml.h and ggml-backend.h of llama.cpp 0c1e57098.
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ggml_backend_reg_count": (SIZE, ()),
    "ggml_backend_load_all_from_path": (None, (ctypes.c_char_p,)),
    "ggml_backend_dev_count": (SIZE, ()),
    "ggml_backend_dev_get": (POINTER, (SIZE,)),
    "ggml_backend_dev_by_type": (POINTER, (INT,)),
    "ggml_backend_dev_name": (ctypes.c_char_p, (POINTER,)),
    "ggml_backend_dev_description": (ctypes.c_char_p, (POINTER,)),
    "ggml_backend_dev_memory": (None, (POINTER, _SIZES, _SIZES)),
    "ggml_backend_dev_type": (INT, (POINTER,)),
    "ggml_backend_dev_backend_reg": (POINTER, (POINTER,)),
    "ggml_backend_dev_init": (POINTER, (POINTER, ctypes.c_char_p)),
    "ggml_backend_reg_name": (ctypes.c_char_p, (POINTER,)),
    "ggml_backend_reg_get_proc_address": (POINTER, (POINTER, ctypes.c_char_p)),
    "ggml_backend_free": (None, (POINTER,)),
    "ggml_backend_graph_compute": (INT, (POINTER, POINTER)),
    "ggml_backend_alloc_buffer": (POINTER, (POINTER, SIZE)),
    "ggml_backend_buffer_get_base": (POINTER, (POINTER,)),
    "ggml_backend_buffer_free": (None, (POINTER,)),
    "ggml_backend_tensor_alloc": (INT, (POINTER, POINTER, POINTER)),
    "ggml_init": (POINTER, (ContextParameters,)),
    "ggml_free": (None, (POINTER,)),
    "ggml_new_tensor_3d": (POINTER, (POINTER, INT, INT64, INT64, INT64)),
    "ggml_nbytes": (SIZE, (POINTER,)),
    "ggml_mul_mat": (POINTER, (POINTER, POINTER, POINTER)),
    "ggml_flash_attn_ext": (POINTER, (POINTER, POINTER, POINTER, POINTER, POINTER, *(ctypes.c_float,) * 3)),
    "ggml_new_graph": (POINTER, (POINTER,)),
    "ggml_build_forward_expand": (None, (POINTER, POINTER)),
}


@cache
def function(name: str) -> Callable[..., Any]:
    """The function of this name, with its types. Raises AttributeError where this llama.cpp has none."""
    result, arguments = _SIGNATURES[name]
    for library in _libraries():
        try:
            found = getattr(library, name)
        except AttributeError:
            continue
        found.restype, found.argtypes = result, arguments
        return found  # type: ignore[no-any-return]
    raise AttributeError(f"this llama.cpp has no {name}")


@cache
def _libraries() -> tuple[Any, ...]:
    library = llama_cpp.llama_cpp._lib
    if sys.platform != "win32":
        return (library,)
    # Windows looks into one library alone, and never into those that it needs.
    folder = Path(library._name).parent
    return (library, *(ctypes.CDLL(str(folder / name)) for name in ("ggml.dll", "ggml-base.dll")))
