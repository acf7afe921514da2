"""Making a kit."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medpocket import paths
from medpocket.errors import DiskShortError, InputError, KitError, ModelFileError
from medpocket.exclusive import exclusive
from medpocket.experts.adapter import read_adapter
from medpocket.experts.library import Library, read_records
from medpocket.kit import build, pieces
from medpocket.kit.build import Order, build_kit
from medpocket.kit.checking import check_files
from medpocket.kit.contents import Contents, gather
from medpocket.kit.manifest import read_manifest
from medpocket.kit.platforms import PLATFORMS
from medpocket.kit.take import is_taken, take_adapters, take_model
from medpocket.models.installed import own_folder
from medpocket.registry import Registry, load_registry
from tests.conftest import DEMO
from tests.kit.fake_wheels import write_all, write_wheel
from tests.models.gguf_seeds import write_seed
from tests.models.installing import install


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return write_all(tmp_path / "wheels")


@pytest.fixture
def registry() -> Registry:
    return load_registry()


@pytest.fixture
def gguf(tmp_path: Path) -> bytes:
    return write_seed(tmp_path / "seed.gguf").read_bytes()


def contents(wheels: Path, registry: Registry, *models: str, platform: str = "linux-x86_64") -> Contents:
    return gather(PLATFORMS[platform], ["3.11"], wheels, models or ["demo"], None, registry)


def test_a_kit_is_what_its_manifest_says(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    told: list[int] = []
    made = build_kit(contents(wheels, registry), Order(tmp_path / "kit"), told.append)
    assert read_manifest(tmp_path / "kit") == made
    assert check_files(tmp_path / "kit", made).whole
    assert (made.medpocket, made.platform, made.tested, made.glibc) == ("0.1.0", "linux-x86_64", True, "2.34")
    assert told == sorted(told)
    assert {"install.sh", "README.txt", "licences.txt", "wheels/pip-1.0-py3-none-any.whl"} <= made.files.keys()
    assert "install.ps1" not in made.files
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_everyone_can_read_a_kit_whatever_the_umask(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "kit").rglob("*") if path.is_file()}
    folders = [tmp_path / "kit", *(path for path in (tmp_path / "kit").rglob("*") if path.is_dir())]
    assert modes == {0o644}
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o755}


def test_the_readme_fits_a_page_and_names_licence_and_advisory(
    wheels: Path, registry: Registry, tmp_path: Path, gguf: bytes
) -> None:
    install("biomistral-7b-q4", gguf)
    build_kit(contents(wheels, registry, "biomistral-7b-q4"), Order(tmp_path / "kit"))
    readme = (tmp_path / "kit/README.txt").read_text()
    assert len(readme.splitlines()) <= 60
    assert "BioMistral-7B Q4_K_M, licence Apache-2.0" in readme
    assert "BioMistral's authors advise against professional medical use." in readme
    licences = (tmp_path / "kit/licences.txt").read_text()
    assert "advisory: BioMistral's authors" in licences and "numpy 2.0: MIT" in licences


def test_a_model_goes_along_and_is_taken_out_again(
    wheels: Path, registry: Registry, tmp_path: Path, gguf: bytes, home: Path
) -> None:
    install("biomistral-7b-q4", gguf)
    made = build_kit(contents(wheels, registry, "biomistral-7b-q4", "demo"), Order(tmp_path / "kit"))
    (model,) = made.models
    assert model.files[0].sha256 == hashlib.sha256(gguf).hexdigest()
    shutil.rmtree(home)
    entry = take_model(tmp_path / "kit", model, own_folder())
    assert entry.path.read_bytes() == gguf
    assert is_taken(model, own_folder()) == entry
    assert sorted(path.name for path in own_folder().path.iterdir()) == [".lock", "biomistral-7b-q4", "models.json"]
    with pytest.raises(InputError, match="installed already"):
        take_model(tmp_path / "kit", model, own_folder())
    take_model(tmp_path / "kit", model, own_folder(), replaces=True)


def test_a_large_file_goes_in_pieces_that_are_joined(
    wheels: Path, registry: Registry, tmp_path: Path, gguf: bytes, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 1000)
    install("biomistral-7b-q4", gguf)
    most = len(gguf) // 3 + 1
    made = build_kit(contents(wheels, registry, "biomistral-7b-q4"), Order(tmp_path / "kit", most=most))
    (file,) = made.models[0].files
    assert file.pieces == tuple(f"models/biomistral-7b-q4/model.gguf.part-0{n}" for n in (1, 2, 3))
    assert max(listed.size for path, listed in made.files.items() if path.startswith("models/")) == most
    assert check_files(tmp_path / "kit", made).whole
    shutil.rmtree(home)
    told: list[int] = []
    assert take_model(tmp_path / "kit", made.models[0], own_folder(), report=told.append).path.read_bytes() == gguf
    assert told[-1] == len(gguf)


@pytest.mark.parametrize("damage", ["changed", "missing", "swapped"])
def test_a_damaged_model_is_not_taken(
    wheels: Path, registry: Registry, tmp_path: Path, gguf: bytes, home: Path, damage: str
) -> None:
    install("biomistral-7b-q4", gguf)
    made = build_kit(contents(wheels, registry, "biomistral-7b-q4"), Order(tmp_path / "kit", most=len(gguf) // 2 + 1))
    first, second = (tmp_path / "kit" / piece for piece in made.models[0].files[0].pieces)
    shutil.rmtree(home)
    if damage == "changed":
        second.write_bytes(second.read_bytes()[:-1] + b"?")
    elif damage == "missing":
        second.unlink()
    else:
        one, other = first.read_bytes(), second.read_bytes()
        first.write_bytes(other)
        second.write_bytes(one)
    with pytest.raises(ModelFileError, match=r"of the kit is damaged|is missing in the kit"):
        take_model(tmp_path / "kit", made.models[0], own_folder())
    assert not own_folder().entries()
    assert not [path for path in own_folder().path.rglob("*") if path.name != ".lock"]


def test_a_model_that_is_not_as_it_was_installed_makes_no_kit(
    wheels: Path, registry: Registry, tmp_path: Path, gguf: bytes
) -> None:
    entry = install("biomistral-7b-q4", gguf)
    status = entry.path.stat()
    middle = len(gguf) // 2 + 20_000  # between the samples of the fingerprint
    changed = gguf[:middle] + bytes([gguf[middle] ^ 1]) + gguf[middle + 1 :]
    entry.path.write_bytes(changed)
    os.utime(entry.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises((KitError, ModelFileError)):
        build_kit(contents(wheels, registry, "biomistral-7b-q4"), Order(tmp_path / "kit"))
    assert not (tmp_path / "kit").exists()
    assert not list(tmp_path.glob(".kit*"))


def test_models_that_are_not_here_or_do_not_run_are_refused(wheels: Path, registry: Registry) -> None:
    with pytest.raises(InputError, match="is not installed") as caught:
        contents(wheels, registry, "biomistral-7b-q4")
    assert "models pull biomistral-7b-q4" in caught.value.hint
    with pytest.raises(InputError, match="does not run"):
        contents(wheels, registry, "qcammel-13-awq")


def test_added_adapters_go_along_and_are_taken_out_again(
    wheels: Path, registry: Registry, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Library().entries()[0]
    record = replace(shipped.record, expert="cardiology", file="cardiology-added.gguf")
    Library().add(read_adapter(shipped.path), record)
    made = build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert [one.expert for one in read_records(tmp_path / "kit/experts")] == ["cardiology"]
    shutil.rmtree(home)
    assert take_adapters(tmp_path / "kit", made) == []  # MedPocket's own wheel has the same one
    monkeypatch.setattr(paths, "assets_folder", lambda: tmp_path / "none")
    (taken,) = take_adapters(tmp_path / "kit", made)
    assert taken.load().sha256 == record.sha256 and Library().entries() == [taken]
    (tmp_path / "kit/experts/cardiology-added.gguf").write_bytes(b"other")
    with pytest.raises(KitError, match=r"cardiology-added.gguf of the kit is missing or damaged"):
        take_adapters(tmp_path / "kit", made)


def test_a_kit_for_another_platform_needs_wheels_built_there_and_is_labelled_untested(
    tmp_path: Path, registry: Registry
) -> None:
    wheels = write_all(tmp_path / "win", platform="win_amd64")
    made = build_kit(contents(wheels, registry, platform="windows-x86_64"), Order(tmp_path / "kit"))
    assert not made.tested and made.glibc is None
    assert "UNTESTED" in (tmp_path / "kit/README.txt").read_text()
    assert "install.ps1" in made.files and "install.sh" not in made.files
    with pytest.raises(KitError, match="no wheel of"):
        contents(wheels, registry, platform="macos-arm64")


def test_a_native_build_of_llama_cpp_is_refused(wheels: Path, registry: Registry) -> None:
    (wheels / "llama_cpp_python-0.3.36-py3-none-manylinux_2_34_x86_64.whl").unlink()
    write_wheel(wheels, "llama-cpp-python", "0.3.36", "py3-none-linux_x86_64", files={"lib/libggml-cpu.so": b""})
    with pytest.raises(KitError, match="has code for the processor alone that it was compiled on"):
        contents(wheels, registry)


def test_a_wheel_with_code_for_each_arm_processor_is_taken(tmp_path: Path, registry: Registry) -> None:
    wheels = write_all(tmp_path / "arm", platform="manylinux_2_34_aarch64")
    native = {"llama_cpp/lib/libggml-cpu-armv8.2_1.so": b"\0GLIBC_2.34\0"}
    write_wheel(wheels, "llama-cpp-python", "0.3.36", "py3-none-manylinux_2_34_aarch64", files=native)
    assert contents(wheels, registry, platform="linux-aarch64").glibc == "2.34"


def test_a_kit_that_was_installed_in_an_emulator_alone_says_so(tmp_path: Path, registry: Registry) -> None:
    wheels = write_all(tmp_path / "arm", platform="manylinux_2_34_aarch64")
    made = build_kit(contents(wheels, registry, platform="linux-aarch64"), Order(tmp_path / "kit"))
    assert not made.tested
    assert "UNTESTED on a real machine" in (tmp_path / "kit/README.txt").read_text()


def test_a_jetson_kit_needs_cuda(tmp_path: Path, registry: Registry) -> None:
    wheels = write_all(tmp_path / "jetson", platform="linux_aarch64")
    with pytest.raises(KitError, match="was compiled without CUDA"):
        contents(wheels, registry, platform="linux-aarch64-jetson")


def test_a_wheel_from_before_the_kits_is_refused(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    write_wheel(wheels, "medpocket", "0.1.0", needs=("numpy", "llama-cpp-python"))
    with pytest.raises(KitError, match="has no installer"):
        build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert not (tmp_path / "kit").exists() and not list(tmp_path.glob(".kit*"))


def test_an_archive_has_the_same_bytes_for_the_same_kit(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        build_kit(contents(wheels, registry), Order(tmp_path / name / "kit", archive=True))
    one, two = (tmp_path / name / "kit.tar" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        archive.extractall(tmp_path / "out", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    assert check_files(tmp_path / "out/kit", read_manifest(tmp_path / "out/kit")).whole


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"archive": True, "most": 10**6}, "one large file"),
        ({"out": "taken"}, "is there already"),
        ({"out": "file"}, "is there already"),
        ({"out": "nowhere/kit"}, "there is no folder"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_first(
    wheels: Path, registry: Registry, tmp_path: Path, order: dict[str, Any], words: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").write_bytes(b"")
    (tmp_path / "file").write_bytes(b"")
    given = Order(tmp_path / order.pop("out", "kit"), **order)
    with pytest.raises(InputError, match=words):
        build_kit(contents(wheels, registry), given)


def test_an_empty_folder_becomes_the_kit(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert (tmp_path / "kit/manifest.json").is_file()


def test_too_little_room_is_said_before_anything_is_written(
    wheels: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    with pytest.raises(DiskShortError, match="is free in"):
        build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert not list(tmp_path.glob(".kit*"))


def test_a_disk_that_becomes_full_leaves_nothing(
    wheels: Path, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(build, "write_manifest", full)
    with pytest.raises(DiskShortError, match="the disk became full"):
        build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert not (tmp_path / "kit").exists() and not list(tmp_path.glob(".kit*"))


def test_what_a_killed_build_left_is_cleared_and_one_at_work_is_not(
    wheels: Path, registry: Registry, tmp_path: Path
) -> None:
    left = tmp_path / ".kit.unfinished"
    (left / "wheels").mkdir(parents=True)
    (left / "wheels/half").write_bytes(b"x")
    with exclusive(tmp_path / ".kit.unfinished.lock") as held:
        assert held
        with pytest.raises(KitError, match="another process is making"):
            build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert (left / "wheels/half").exists()
    made = build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    assert check_files(tmp_path / "kit", made).whole


def test_a_key_that_cannot_sign_makes_no_kit(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(KitError, match="no key that can be read"):
        build_kit(contents(wheels, registry), Order(tmp_path / "kit", key=tmp_path / "no-key"))
    assert not (tmp_path / "kit").exists()


def test_what_checks_and_installs_a_kit_runs_alone(wheels: Path, registry: Registry, tmp_path: Path) -> None:
    """With no package of ours or of others on the path, and writing nothing into the kit."""
    made = build_kit(contents(wheels, registry), Order(tmp_path / "kit"))
    script = "import sys; sys.path.insert(0, sys.argv[1]); from medpocket.kit.install.main import main"
    check = "; sys.exit(main(sys.argv[2], ['--help']))"
    command = [sys.executable, "-I", "-S", "-B", "-c", script + check, str(tmp_path / "kit/installer"), "kit"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "--uninstall" in shown.stdout
    assert check_files(tmp_path / "kit", made).whole


def test_the_demonstration_model_is_in_the_wheel_and_not_copied(
    wheels: Path, registry: Registry, tmp_path: Path
) -> None:
    made = build_kit(contents(wheels, registry, "demo"), Order(tmp_path / "kit"))
    assert made.models == () and made.size < DEMO.stat().st_size
