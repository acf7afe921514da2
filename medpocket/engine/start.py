"""Start llama.cpp with the code for this processor, which a portable build has in a library for each kind.

Left to itself, llama.cpp looks for them beside the interpreter, in the current directory, and where the environment
says: whatever lies there would run. Here they come from the folder of llama.cpp's own library, and from nowhere else.
"""

import os
import threading
from pathlib import Path

import llama_cpp

from medpocket.engine.ggml import function
from medpocket.errors import EngineError

_CPU = 0  # of enum ggml_backend_dev_type

_starting = threading.Lock()  # the app's threads may all begin here, and each library is registered once


def start_llama() -> None:
    """Get llama.cpp ready, as often as is liked; a native build has its code within. Start the log before.

    Raises EngineError where there is no code for this processor.
    """
    with _starting:
        if not function("ggml_backend_reg_count")():
            _load_from(library_folder())
        llama_cpp.llama_backend_init()


def library_folder() -> Path:
    """The folder that llama.cpp's library was loaded from."""
    return Path(llama_cpp.llama_cpp._lib._name).absolute().parent


def _load_from(folder: Path) -> None:
    os.environ.pop("GGML_BACKEND_PATH", None)  # names one more library, of anybody's
    function("ggml_backend_load_all_from_path")(os.fsencode(folder))
    if not function("ggml_backend_dev_by_type")(_CPU):
        raise EngineError(
            f"there is no code of llama.cpp for this processor in {folder}",
            "install MedPocket again on this machine: from a kit that was made for it, or with a compiler",
        )
