"""Put a model where `medpocket models import` would, without its checks."""

import hashlib
from pathlib import Path

from medpocket.models.installed import Installed, own_folder
from medpocket.models.records import Record, RecordedFile, now


def install(name: str, content: bytes = b"weights", file: str = "model.gguf") -> Installed:
    """Record a file of this content as the model of this name."""
    folder = own_folder()
    path: Path = folder.place(name) / file
    path.write_bytes(content)
    recorded = RecordedFile.of(path, hashlib.sha256(content).hexdigest())
    return folder.add(Record(name, (recorded,), "import", "a test", now()))
