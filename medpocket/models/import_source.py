"""What lies at a path that is to be imported: the files of one model, and the hashes that came with them."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medpocket.errors import InputError, ModelFileError
from medpocket.models.gguf_check import check_model_file
from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_kinds import shown
from medpocket.models.gguf_parts import NAME
from medpocket.models.records import RECORD, Record, read_records
from medpocket.registry import ModelSpec, Registry

_SUMS = ("SHA256SUMS", "sha256sum.txt", "SHA256SUMS.txt")
_SUM_LINE = re.compile(r"(?P<sha256>[0-9a-fA-F]{64}) [ *]?(?P<name>.+)")
_MOST_BYTES = 1 << 20
_SHOWN_NAMES = 6


@dataclass(frozen=True)
class ImportSource:
    """A model's checked files, the first of them the one to load. `expected` are hashes by file name."""

    gguf: GgufFile
    paths: tuple[Path, ...]
    expected: dict[str, str] = field(default_factory=dict)
    record: Record | None = None  # of the MedPocket that the files come from

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.paths)


def read_source(path: Path, registry: Registry) -> ImportSource:
    """Find and check the one model at `path`, a file or a folder. Raises ModelFileError and InputError."""
    file = _only_model(path, registry) if path.is_dir() else path
    gguf = check_model_file(file)
    paths = (gguf.path, *gguf.other_parts)
    record = _record_beside(file)
    expected = _sums_beside(paths)
    if record:
        expected |= {one.name: one.sha256 for one in record.files}
    return ImportSource(gguf, paths, expected, record)


def _only_model(folder: Path, registry: Registry) -> Path:
    """The one GGUF model in a folder, or below it. Raises InputError and ModelFileError."""
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
    except OSError:
        raise InputError(f"the folder {shown(str(folder), 200)} cannot be read", "check its permissions") from None
    models = [path for path in files if path.suffix.lower() == ".gguf" and not path.name.startswith(".")]
    models = [path for path in models if not (part := NAME.fullmatch(path.name)) or int(part["number"]) == 1]
    if len(models) == 1:
        return models[0]
    if models:
        named = ", ".join(shown(str(path.relative_to(folder)), 100) for path in models[:_SHOWN_NAMES])
        raise InputError(f"{shown(str(folder), 200)} holds {len(models)} models", f"give one of them: {named}")
    raise _no_gguf(folder, files, registry)


def _no_gguf(folder: Path, files: list[Path], registry: Registry) -> ModelFileError:
    method = _quantization_method(folder)
    if method:
        known = next((spec.runtime_note for spec in registry.models.values() if _is_called(folder, spec)), None)
        return ModelFileError(
            f"{shown(str(folder), 200)} holds {method.upper()} weights, which llama.cpp does not read",
            known or f"vLLM runs {method.upper()} files; for MedPocket take the model's GGUF version",
        )
    if any(path.suffix == ".safetensors" or path.name.startswith("pytorch_model") for path in files):
        return ModelFileError(
            f"{shown(str(folder), 200)} holds a model for PyTorch, which llama.cpp does not read",
            "transformers and vLLM run it; for MedPocket take its GGUF version, "
            "or convert it with llama.cpp's convert_hf_to_gguf.py",
        )
    return ModelFileError(f"{shown(str(folder), 200)} holds no GGUF file", "give the path of a model in GGUF format")


def _is_called(folder: Path, spec: ModelSpec) -> bool:
    """Whether the folder has the name of a repository whose files do not run here."""
    name = (spec.repository or "").rpartition("/")[2].lower()
    return not spec.runs_here and bool(name) and name in folder.resolve().name.lower()


def _quantization_method(folder: Path) -> str | None:
    """How config.json says that the weights were quantized: "awq", "gptq"; None where it does not."""
    for path in sorted(folder.glob("config.json")) + sorted(folder.glob("*/config.json")):
        try:
            config: Any = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size < _MOST_BYTES else None
        except (OSError, ValueError, RecursionError):
            continue
        quantization = config.get("quantization_config") if isinstance(config, dict) else None
        method = quantization.get("quant_method") if isinstance(quantization, dict) else None
        if isinstance(method, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,20}", method):
            return method
    return None


def _record_beside(file: Path) -> Record | None:
    """The record of a MedPocket folder that the file lies in, on a stick or a share."""
    for folder in (file.parent.parent, file.parent):
        if (folder / RECORD).is_file():
            for record in read_records(folder).models:
                if record.files[0].name == file.name and folder / record.name == file.parent:
                    return record
    return None


def _sums_beside(paths: tuple[Path, ...]) -> dict[str, str]:
    """Hashes that `sha256sum` wrote beside the files: in SHA256SUMS, or in FILE.sha256."""
    names = {path.name for path in paths}
    found: dict[str, str] = {}
    for path in [paths[0].with_name(name) for name in _SUMS] + [one.with_name(f"{one.name}.sha256") for one in paths]:
        try:
            text = path.read_text(encoding="utf-8") if path.stat().st_size < _MOST_BYTES else ""
        except (OSError, ValueError):
            continue
        for line in text.splitlines():
            matched = _SUM_LINE.fullmatch(line.strip())
            name = matched["name"].removeprefix("./") if matched else ""
            if matched and name in names:
                found[name] = matched["sha256"].lower()
    return found
