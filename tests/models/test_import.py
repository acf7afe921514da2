"""Models from a stick: what is found there, what it is taken for, and how it is copied."""

import errno
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from medpocket import paths
from medpocket.errors import DiskShortError, InputError, ModelFileError
from medpocket.models import copying
from medpocket.models.copying import copy_hashed
from medpocket.models.gguf_file import FILE_TYPES, GgufFile, Value
from medpocket.models.import_files import import_model, name_for
from medpocket.models.import_source import read_source
from medpocket.models.installed import Installed, find_installed, own_folder
from medpocket.models.locate import locate_model
from medpocket.models.recognise import recognise
from medpocket.models.records import RECORD
from medpocket.registry import Registry, load_registry
from tests.models.gguf_seeds import write_seed
from tests.models.test_gguf_parts import split

REGISTRY = load_registry()
FILE_TYPE_NUMBERS = {name: number for number, name in FILE_TYPES.items()}
SEED_ROW = """
[models.tiny]
title = "Tiny"
parameters = "1M"
architecture = "Llama"
quantization = "F32"
licence = "MIT"
prompt = "mistral"
trained_context = 128
repository = "nobody/tiny-model-GGUF"
file = "tiny-model.gguf"
shape = { layers = 3, embedding = 64, feed_forward = 96, heads = 8, kv_heads = 4 }
"""


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def with_tiny(home: Path) -> Registry:
    (home / "config").mkdir(parents=True)
    (home / "config" / "models.toml").write_text(SEED_ROW)
    return load_registry()


def bring(path: Path, registry: Registry = REGISTRY, name: str | None = None, link: bool = False) -> Installed:
    source = read_source(path, registry)
    called, spec = name_for(source, registry, name)
    return import_model(source, called, spec, own_folder(), link=link)


# --- the copy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 999, 1000, 1001, 2000, 2500, 7000])
def test_the_copy_is_equal_and_the_hash_is_its_own(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BLOCK", 1000)
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(bytes(range(256)) * 28)
    with source.open("r+b") as file:
        file.truncate(size)
    done: list[int] = []
    assert copy_hashed(source, copy, copied=done.append) == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert copy.read_bytes() == source.read_bytes()
    assert done[-1] == size
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_copy_writes_over_nothing(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(b"new")
    copy.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        copy_hashed(source, copy)
    assert copy.read_bytes() == b"old"


# --- import ----------------------------------------------------------------------------------------


def test_any_gguf_is_taken_under_a_name_made_from_its_file(stick: Path) -> None:
    path = write_seed(stick / "Ward Model (v2).Q4_K_M.gguf")
    entry = bring(path)
    assert entry.record.name == "ward-model-v2-.q4_k_m"
    assert entry.record.files[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert locate_model(entry.record.name, REGISTRY).path == entry.path
    assert entry.path.read_bytes() == path.read_bytes()
    assert entry.path.stat().st_mode & 0o777 == 0o600


def test_a_folder_with_one_model_is_enough(stick: Path) -> None:
    write_seed(stick / "deep.gguf").rename(stick / "ward.gguf")
    (stick / "README.md").write_text("# ward")
    (stick / "._ward.gguf").write_text("what a Mac leaves")
    assert bring(stick).record.name == "ward"


def test_a_folder_with_several_models_asks_which(stick: Path) -> None:
    write_seed(stick / "a.gguf")
    write_seed(stick / "b.gguf")
    with pytest.raises(InputError) as caught:
        bring(stick)
    assert "a.gguf, b.gguf" in caught.value.hint


def test_a_split_model_is_taken_whole(stick: Path) -> None:
    parts = split(stick)
    (stick / "seed.gguf").unlink()
    entry = bring(stick)
    assert entry.record.name == "tiny"
    assert [file.name for file in entry.record.files] == [path.name for path in parts]
    assert entry.check() is None and entry.verify() == []
    assert entry.path.name.endswith("-00001-of-00003.gguf")


def test_a_link_uses_the_file_where_it_lies(stick: Path) -> None:
    path = write_seed(stick / "ward.gguf")
    entry = bring(path, link=True)
    assert entry.path == path
    assert locate_model("ward", REGISTRY).path == path
    entry.remove()
    assert path.exists()
    assert find_installed("ward") is None


def test_what_comes_with_another_hash_is_not_taken(stick: Path) -> None:
    path = write_seed(stick / "ward.gguf")
    (stick / "ward.gguf.sha256").write_text(f"{'0' * 64}  ward.gguf\n")
    with pytest.raises(ModelFileError, match="SHA-256"):
        bring(path)
    assert find_installed("ward") is None
    assert [one.name for one in (paths.models_folder() / "ward").iterdir()] == []


@pytest.mark.parametrize("name", ["SHA256SUMS", "ward.gguf.sha256"])
def test_a_hash_that_came_with_the_file_is_compared(stick: Path, name: str) -> None:
    path = write_seed(stick / "ward.gguf")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (stick / name).write_text(f"{'1' * 64}  other.gguf\n{digest.upper()} *./ward.gguf\nnonsense\n")
    assert read_source(path, REGISTRY).expected == {"ward.gguf": digest}
    assert bring(path).record.files[0].sha256 == digest


def test_a_copy_of_another_medpockets_folder_keeps_where_the_model_came_from(stick: Path) -> None:
    own = bring(write_seed(stick / "ward.gguf"))
    shutil.copytree(paths.models_folder(), stick / "models")
    own.remove()
    source = read_source(stick / "models" / "ward", REGISTRY)
    assert source.record is not None and source.record.name == "ward"
    copied = stick / "models" / "ward" / "ward.gguf"
    copied.write_bytes(copied.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelFileError, match="SHA-256"):
        bring(stick / "models" / "ward")


def test_a_name_that_is_taken_is_not_taken_again_without_being_told(stick: Path) -> None:
    path = write_seed(stick / "ward.gguf")
    bring(path)
    with pytest.raises(InputError, match="installed already"):
        bring(path)
    source = read_source(path, REGISTRY)
    import_model(source, "ward", None, own_folder(), replaces=True)
    linked = import_model(source, "ward", None, own_folder(), link=True, replaces=True)
    assert linked.path == path
    assert not (paths.models_folder() / "ward").exists()


def test_a_model_whose_record_is_lost_is_recorded_where_it_is(stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bring(write_seed(stick / "ward.gguf")).path
    (paths.models_folder() / RECORD).unlink()
    monkeypatch.setattr("medpocket.models.import_files.copy_hashed", None)
    entry = bring(path.parent)
    assert entry.path == path and entry.record.linked is None
    assert locate_model("ward", REGISTRY).path == path


def test_an_import_that_fails_half_way_leaves_nothing(stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_seed(stick / "ward.gguf")

    def full(descriptor: int, block: memoryview) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(copying, "_write_all", full)
    with pytest.raises(DiskShortError) as caught:
        bring(path)
    assert "--link" in caught.value.hint
    assert list((paths.models_folder() / "ward").iterdir()) == []


def test_a_disk_without_room_is_refused_before_copying(stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_seed(stick / "ward.gguf")
    usage = shutil.disk_usage(stick)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(DiskShortError, match="is free in"):
        bring(path)


@pytest.mark.parametrize("name", ["../ward", "Ward", "", "a/b", "x" * 65, "ward.gguf", ".ward", "w\x1b[2J"])
def test_a_name_that_is_none_is_refused(stick: Path, name: str) -> None:
    path = write_seed(stick / "ward.gguf")
    with pytest.raises(InputError) as caught:
        bring(path, name=name)
    assert "\x1b" not in caught.value.message


# --- what is no GGUF -------------------------------------------------------------------------------


def awq_folder(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "quantization_config": {"quant_method": "awq", "bits": 4}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    return folder


def test_an_awq_folder_is_refused_with_the_reason_and_what_runs_it(stick: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        bring(awq_folder(stick / "some-model"))
    assert "AWQ" in caught.value.message and "vLLM" in caught.value.hint


def test_the_reports_awq_model_is_told_its_stand_in(stick: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        bring(awq_folder(stick / "qCammel-13-AWQ"))
    assert "qcammel-13b-q4" in caught.value.hint


def test_a_folder_of_safetensors_is_refused_with_what_runs_it(stick: Path) -> None:
    (stick / "model-00001-of-00002.safetensors").write_bytes(b"x")
    (stick / "config.json").write_text("[1, 2")
    with pytest.raises(ModelFileError) as caught:
        bring(stick)
    assert "PyTorch" in caught.value.message and "convert_hf_to_gguf.py" in caught.value.hint


def test_an_empty_folder_and_a_missing_path_are_said_to_be_that(stick: Path) -> None:
    with pytest.raises(ModelFileError, match="holds no GGUF"):
        bring(stick)
    with pytest.raises(ModelFileError, match="there is no file"):
        bring(stick / "missing.gguf")


def test_a_damaged_record_on_the_stick_is_named(stick: Path) -> None:
    (stick / "ward").mkdir()
    path = write_seed(stick / "ward" / "ward.gguf")
    (stick / RECORD).write_text("{")
    with pytest.raises(ModelFileError, match=RECORD):
        bring(path)


# --- recognising -----------------------------------------------------------------------------------

MISTRAL_7B = {
    "block_count": 32,
    "embedding_length": 4096,
    "feed_forward_length": 14336,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
}
LLAMA_70B = MISTRAL_7B | {
    "block_count": 80,
    "embedding_length": 8192,
    "feed_forward_length": 28672,
    "attention.head_count": 64,
}


def described(file: str, name: str, numbers: Mapping[str, int], quantization: str = "Q4_K_M") -> GgufFile:
    metadata: dict[str, Value] = {f"llama.{key}": value for key, value in numbers.items()}
    metadata |= {
        "general.architecture": "llama",
        "general.name": name,
        "general.file_type": FILE_TYPE_NUMBERS[quantization],
    }
    return GgufFile(Path(file), 1, 3, metadata, {}, (), 32, 0)


@pytest.mark.parametrize(
    ("file", "name", "numbers", "quantization", "expected"),
    [
        ("BioMistral-7B.Q4_K_M.gguf", "hub", MISTRAL_7B, "Q4_K_M", "biomistral-7b-q4"),
        ("ggml-model-Q4_K_M.gguf", "models--BioMistral--BioMistral-7B", MISTRAL_7B, "Q4_K_M", "biomistral-7b-q4"),
        ("biomistral-7b-f16.gguf", "", MISTRAL_7B, "F16", "biomistral-7b-f16"),
        ("openbiollm-llama3-8b.Q4_K_M.gguf", ".", MISTRAL_7B, "Q4_K_M", "openbiollm-8b-q4"),
        ("m-00001-of-00002.gguf", "Llama3-OpenBioLLM-70B", LLAMA_70B, "Q4_K_M", "openbiollm-70b-q4"),
        ("clinicalcamel-70b.Q4_K_M.gguf", "LLaMA v2", LLAMA_70B, "Q4_K_M", "clinicalcamel-70b-q4"),
        ("BioMistral-7B.Q5_K_M.gguf", "BioMistral-7B", MISTRAL_7B, "Q5_K_M", None),
        ("mistral-7b.Q4_K_M.gguf", "Mistral 7B", MISTRAL_7B, "Q4_K_M", None),
        ("BioMistral-7B.Q4_K_M.gguf", "BioMistral-7B", LLAMA_70B, "Q4_K_M", None),
    ],
)
def test_a_model_is_recognised_by_shape_quantization_and_name_together(
    file: str, name: str, numbers: Mapping[str, int], quantization: str, expected: str | None
) -> None:
    spec = recognise(described(file, name, numbers, quantization), REGISTRY)
    assert (spec.id if spec else None) == expected


def test_a_recognised_model_is_installed_under_its_id(stick: Path, with_tiny: Registry) -> None:
    entry = bring(write_seed(stick / "tiny-model.gguf"), with_tiny)
    assert entry.record.name == "tiny"
    assert entry.record.licence == "MIT"
    assert locate_model("tiny", with_tiny).spec is with_tiny.models["tiny"]


def test_a_model_of_the_right_shape_may_be_given_the_id_by_hand(stick: Path, with_tiny: Registry) -> None:
    assert bring(write_seed(stick / "unnamed.gguf"), with_tiny, name="tiny").record.licence == "MIT"


def test_an_id_of_the_registry_is_not_given_to_another_model(stick: Path) -> None:
    with pytest.raises(InputError, match="is not BioMistral-7B Q4_K_M"):
        bring(write_seed(stick / "x.gguf"), name="biomistral-7b-q4")


def test_every_row_that_runs_here_can_be_recognised_and_pulled() -> None:
    for spec in REGISTRY.models.values():
        if spec.runs_here and not spec.asset:
            assert spec.shape, spec.id
            assert spec.repository and (spec.file or spec.file_pattern), spec.id
