"""The adapters that answer: from an expert's id to a file that the engine may load."""

from medpocket.engine.protocol import Scaled
from medpocket.experts.library import Library

NONE = "none"  # on the command line, where experts are named: the base model as it is
LARGEST_SCALE = 2.0


class ActiveExperts:
    """The adapters of one loaded model, each file read and checked once."""

    def __init__(self, library: Library, fingerprint: str) -> None:
        self._library, self._fingerprint = library, fingerprint
        self._found: dict[str, Scaled | None] = {}

    def adapter(self, expert: str, scale: float = 1.0) -> Scaled | None:
        """The expert's adapter for this model, None where it has none. Raises AdapterError where it cannot be used."""
        if expert not in self._found:
            entry = self._library.find(expert, self._fingerprint)
            self._found[expert] = Scaled(entry.load().file) if entry else None
        found = self._found[expert]
        return Scaled(found.file, scale) if found else None
