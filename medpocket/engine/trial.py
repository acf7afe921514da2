"""Run a model of an uncommon architecture in a process of its own first.

The check in Python knows every tensor of the common architectures (`FAMILIES`). For the others it knows what they all
have in common, and llama.cpp still ends its process on some damaged files: better that process than the user's.
"""

import subprocess
import sys
from pathlib import Path

from medpocket.errors import MedpocketError, ModelFileError
from medpocket.text import printable

_CONTEXT = 256
_REFUSED = 1


def try_model(path: Path) -> None:
    """Load the model, read a token and answer with one, elsewhere. Raises ModelFileError when that crashes.

    A model that is refused there will be refused here too, with the reason.
    """
    command = [sys.executable, "-m", "medpocket.engine.trial", str(path)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    if done.returncode not in (0, _REFUSED):
        raise ModelFileError(
            f"llama.cpp crashes on {printable(path.name)} ({done.returncode}): the file is damaged, or not supported",
            "get the file again, or try another model with -m",
        )


def main() -> int:
    """Try the model whose path is the first argument."""
    from medpocket.lockdown import disable_core_dumps, refuse_network

    refuse_network()
    disable_core_dumps()

    from medpocket.engine import load_engine
    from medpocket.engine.cancel import Cancellation
    from medpocket.types import Sampling, Turn

    try:
        engine = load_engine(Path(sys.argv[1]), context=_CONTEXT, threads=1, gpu_layers=0, try_first=False)
        for _ in engine.generate(engine.encode([Turn("user", "a")]), Sampling(max_tokens=2), Cancellation()):
            pass
    except MedpocketError:
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
