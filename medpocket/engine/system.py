"""What the llama.cpp of this installation can do; asked without loading a model."""

import llama_cpp


def offload_devices() -> list[str]:
    """Return what llama.cpp can offload layers to, as far as it tells without a model."""
    return ["a graphics processor (untested by this project)"] if llama_cpp.llama_supports_gpu_offload() else []


def system_features() -> str:
    """Return the processor features that llama.cpp was compiled with, in its own words."""
    return str(llama_cpp.llama_print_system_info(), "utf-8", "replace")
