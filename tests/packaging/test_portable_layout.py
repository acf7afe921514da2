"""Wheels of tiny libraries, laid out as one of llama.cpp is."""

import base64
import csv
import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
INFORMATION = "llama_cpp_python-0.3.36.dist-info"
MADE = "llama_cpp_python-0.3.36-py3-none-linux_x86_64.whl"
LIBGOMP = "libgomp.so.1"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("cc") or not shutil.which("readelf"),
    reason="needs Linux, a C compiler and readelf",
)
Make = Callable[..., Path]


@pytest.fixture
def library(tmp_path: Path) -> Make:
    """Compile a library of this name that needs the C library and `needs`."""

    def make(name: str, *needs: Path, search: str | None = "$ORIGIN") -> Path:
        path = tmp_path / "compiled" / name
        path.parent.mkdir(exist_ok=True)
        source = b"#include <stdlib.h>\nint answer(void) { return rand(); }\n"
        options = [f"-Wl,-rpath,{search}", "-Wl,--disable-new-dtags"] if search else []
        options += ["-Wl,--no-as-needed", f"-Wl,-soname,{name}"]
        command: list[str | Path] = [
            "cc",
            "-shared",
            "-fPIC",
            *options,
            "-o",
            path,
            "-x",
            "c",
            "-",
            "-x",
            "none",
            *needs,
        ]
        subprocess.run(command, input=source, check=True)
        return path

    return make


@pytest.fixture
def wheel(tmp_path: Path, library: Make) -> Make:
    """A wheel as the build leaves it: a variant in bin/, headers, the library of the command line."""

    def make(**more: Path) -> Path:
        base = library("libggml-base.so")
        members = {
            "llama_cpp/__init__.py": b"",
            "llama_cpp/lib/libllama.so": library("libllama.so", base).read_bytes(),
            "llama_cpp/lib/libllama-common.so": b"of the command line",
            "llama_cpp/lib/libggml-base.so": base.read_bytes(),
            "llama_cpp/lib/cmake/ggml-config.cmake": b"",
            "lib/libggml-base.so": base.read_bytes(),
            "bin/libggml-cpu-haswell.so": library("libggml-cpu-haswell.so", base).read_bytes(),
            "include/ggml.h": b"",
            f"{INFORMATION}/METADATA": b"Name: llama_cpp_python\n",
            f"{INFORMATION}/WHEEL": b"Tag: py3-none-linux_x86_64\n",
            f"{INFORMATION}/RECORD": b"old,,\n",
        } | {name: path.read_bytes() for name, path in more.items()}
        path = tmp_path / MADE
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return make


def lay_out(wheel: Path, out: Path, *options: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, PROJECT / "packaging" / "portable_layout.py", wheel, out, *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def laid_out(wheel: Path, out: Path, *options: str | Path) -> zipfile.ZipFile:
    done = lay_out(wheel, out, *options)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(done.stdout.strip())


def refusal(wheel: Path, *options: str | Path) -> str:
    done = lay_out(wheel, wheel.parent / "out", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert not (wheel.parent / "out").exists()
    return done.stderr


def test_libraries_lie_together_and_nothing_that_is_not_loaded_remains(wheel: Make, tmp_path: Path) -> None:
    names = laid_out(wheel(), tmp_path / "out").namelist()
    assert [name for name in names if INFORMATION not in name] == [
        "llama_cpp/__init__.py",
        "llama_cpp/lib/libggml-base.so",
        "llama_cpp/lib/libggml-cpu-haswell.so",
        "llama_cpp/lib/libllama.so",
    ]


def test_the_name_and_the_tag_say_the_oldest_glibc(wheel: Make, tmp_path: Path) -> None:
    archive = laid_out(wheel(), tmp_path / "out")
    tag = Path(str(archive.filename)).stem.split("-", 2)[2]
    assert tag.startswith("py3-none-manylinux_2_")
    assert f"Tag: {tag}\n" in archive.read(f"{INFORMATION}/WHEEL").decode()


def test_the_record_has_every_file_as_it_is(wheel: Make, tmp_path: Path) -> None:
    archive = laid_out(wheel(), tmp_path / "out")
    rows = list(csv.reader(io.StringIO(archive.read(f"{INFORMATION}/RECORD").decode())))
    assert sorted(row[0] for row in rows) == sorted(archive.namelist())
    for name, digest, size in rows:
        if not name.endswith("RECORD"):
            data = archive.read(name)
            assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert int(size) == len(data)


def test_the_same_wheel_comes_out_with_the_same_bytes(wheel: Make, tmp_path: Path) -> None:
    made = wheel()
    first, second = (Path(str(laid_out(made, tmp_path / name).filename)) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_what_the_licences_say_comes_along(wheel: Make, tmp_path: Path) -> None:
    (tmp_path / "llama.cpp").mkdir()
    licence = tmp_path / "llama.cpp" / "LICENSE"
    licence.write_text("MIT")
    archive = laid_out(wheel(), tmp_path / "out", "--licence", licence)
    assert archive.read(f"{INFORMATION}/licenses/llama.cpp-LICENSE") == b"MIT"


def test_a_library_that_looks_elsewhere_is_refused(wheel: Make, library: Make) -> None:
    base = library("libggml-base.so")
    for search in (None, "/opt/cuda", "$ORIGIN:"):
        variant = library("libggml-cpu-x64.so", base, search=search)
        assert "not only beside itself" in refusal(wheel(**{"bin/libggml-cpu-x64.so": variant}))


def test_a_library_that_a_system_may_lack_is_refused_unless_it_is_named(
    wheel: Make, library: Make, tmp_path: Path
) -> None:
    needs = library("libggml-base.so"), library("libcudart.so.12")
    made = wheel(**{"bin/libggml-cuda.so": library("libggml-cuda.so", *needs, search="$ORIGIN:/opt/cuda")})
    assert "not only beside itself" in refusal(made)
    assert "needs libcudart.so.12" in refusal(made, "--search", "/opt/cuda")
    named = ("--search", "/opt/cuda", "--system", "libcudart.so.12")
    assert "llama_cpp/lib/libggml-cuda.so" in laid_out(made, tmp_path / "a", *named).namelist()


def test_a_library_that_a_system_may_lack_can_be_carried(wheel: Make, library: Make, tmp_path: Path) -> None:
    openmp = library(LIBGOMP, search=None)
    made = wheel(**{"bin/libggml-cpu-x64.so": library("libggml-cpu-x64.so", openmp)})
    assert f"needs {LIBGOMP}" in refusal(made)
    assert LIBGOMP in refusal(made, "--carry", tmp_path / "missing" / LIBGOMP)
    archive = laid_out(made, tmp_path / "a", "--carry", openmp)
    assert archive.read(f"llama_cpp/lib/{LIBGOMP}") == openmp.read_bytes()


def test_a_wheel_that_was_built_otherwise_is_refused(wheel: Make, library: Make, tmp_path: Path) -> None:
    assert "CMAKE_PLATFORM_NO_VERSIONED_SONAME" in refusal(wheel(**{"bin/libggml.so.0": library("libggml.so.0")}))
    alien = bytearray(library("libggml-cpu-x64.so").read_bytes())
    alien[18:20] = (183).to_bytes(2, "little")
    other = library("libggml-rpc.so")
    assert "two libraries of the name libggml-base.so" in refusal(wheel(**{"bin/libggml-base.so": other}))
    foreign = tmp_path / "foreign"
    foreign.write_bytes(bytes(alien))
    assert "aarch64 and x86_64" in refusal(wheel(**{"bin/libggml-cpu-x64.so": foreign}))
    text = tmp_path / "text"
    text.write_text("no library")
    assert "libggml-cpu-x64.so is no library" in refusal(wheel(**{"bin/libggml-cpu-x64.so": text}))
    with zipfile.ZipFile(tmp_path / MADE, "w") as archive:
        archive.writestr("llama_cpp/__init__.py", "")
    assert "no llama library" in refusal(tmp_path / MADE)
    (tmp_path / MADE).write_text("no archive")
    assert "zip" in refusal(tmp_path / MADE)


def test_elsewhere_the_tag_is_given(wheel: Make, tmp_path: Path) -> None:
    archive = laid_out(wheel(), tmp_path / "out", "--platform", "macosx_11_0_arm64")
    assert str(archive.filename).endswith("-py3-none-macosx_11_0_arm64.whl")


@pytest.mark.parametrize(
    ("glibc", "standard", "oldest"),
    [
        ((2, 17), (3, 4), (2, 28)),
        ((2, 34), (3, 4, 29), (2, 34)),
        ((2, 34), (3, 4, 30), (2, 35)),
        ((2, 29), (3, 4, 32), (2, 39)),
    ],
)
def test_the_oldest_system_has_both_the_c_and_the_cpp_library(
    glibc: tuple[int, ...], standard: tuple[int, ...], oldest: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PROJECT / "packaging")
    from elf import Asked, oldest_glibc

    c = Asked("x86_64", frozenset(), "", {"GLIBC": glibc})
    cpp = Asked("x86_64", frozenset(), "", {"GLIBC": (2, 2, 5), "GLIBCXX": standard})
    assert oldest_glibc([c, cpp]) == oldest
    with pytest.raises(ValueError, match="GLIBC_9"):
        oldest_glibc([Asked("x86_64", frozenset(), "", {"GLIBC": (9,)}), cpp])
