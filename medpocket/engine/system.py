"""What the llama.cpp of this installation can do; asked without loading a model."""

import llama_cpp

from medpocket.engine.start import start_llama


def system_features() -> str:
    """Return the processor features that llama.cpp computes with here, in its own words. Start the log before.

    Raises EngineError where it has no code for this processor.
    """
    start_llama()
    return str(llama_cpp.llama_print_system_info(), "utf-8", "replace")
