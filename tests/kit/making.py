"""Small kits: the manifest and the files, without what a real one installs."""

import hashlib
from dataclasses import replace
from pathlib import Path

from medpocket.kit.manifest import KitModel, Listed, Manifest, ModelFile, write_manifest

FILES = {"README.txt": b"read me", "wheels/a-1.0-py3-none-any.whl": b"wheel a", "models/tiny/tiny.gguf": b"weights"}
EMPTY = Manifest("0.1.0", "linux-x86_64", True, ("3.11",), "2.34", "2026-11-26", 1000, (), {})


def write_kit(kit: Path, files: dict[str, bytes] = FILES, models: tuple[KitModel, ...] = ()) -> Manifest:
    """Write these files, and the manifest that lists them."""
    for name, content in files.items():
        (kit / name).parent.mkdir(parents=True, exist_ok=True)
        (kit / name).write_bytes(content)
    listed = {name: Listed(len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()}
    manifest = replace(EMPTY, models=models, files=listed)
    write_manifest(kit, manifest)
    return manifest


def model_in_pieces(name: str, content: bytes, pieces: tuple[str, ...], file: str = "tiny.gguf") -> KitModel:
    """A model of one file that lies in these pieces."""
    whole = ModelFile(file, len(content), hashlib.sha256(content).hexdigest(), pieces)
    return KitModel(name, "Tiny", "MIT", "Mind what it says.", None, None, (whole,))
