"""The portable wheel of llama.cpp that `make wheels` built: on other processors' code, and with a library planted."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from medpocket.models.hardware import describe_machine
from tests.conftest import check_error

pytestmark = pytest.mark.prove
PROJECT = Path(__file__).parent.parent.parent
QUESTION = "What are the symptoms of glaucoma?"
VARIANTS = "libggml-cpu-*.so"
# Claims to be the best there is, and leaves a trace when somebody loads it.
PLANTED = """
#include <fcntl.h>
__attribute__((constructor)) static void loaded(void) { creat(TRACE, 0600); }
int ggml_backend_score(void) { return 1000000; }
void *ggml_backend_init(void) { return 0; }
"""
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The wheel, unpacked as it is installed."""
    wheels = list((PROJECT / "build" / "portable").glob("llama_cpp_python-*.whl"))
    assert len(wheels) == 1, "run `make wheels` first"
    folder = tmp_path / "site"
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Run:
    """Run MedPocket with the portable llama.cpp, in a folder of its own."""
    (tmp_path / "elsewhere").mkdir()

    def start(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "medpocket", *arguments],
            cwd=tmp_path / "elsewhere",
            env=os.environ | {"PYTHONPATH": f"{site}:{PROJECT}"} | environment,
            capture_output=True,
            timeout=300,
            check=False,
        )

    return start


@pytest.fixture
def planted(tmp_path: Path) -> Callable[[Path], Path]:
    """Plant a library in a folder; the file that is there once it was loaded."""

    def plant(folder: Path) -> Path:
        trace = tmp_path / "somebody loaded it"
        command = ["cc", "-shared", "-fPIC", f'-DTRACE="{trace}"', "-x", "c", "-"]
        subprocess.run([*command, "-o", folder / "libggml-cpu-planted.so"], input=PLANTED.encode(), check=True)
        return trace

    return plant


def keep_only(site: Path, *names: str) -> None:
    for path in (site / "llama_cpp" / "lib").glob(VARIANTS):
        if path.name.removeprefix("libggml-cpu-").removesuffix(".so") not in names:
            path.unlink()


def answered(result: "subprocess.CompletedProcess[bytes]") -> str:
    assert result.returncode == 0, result.stderr
    text: str = json.loads(result.stdout)["data"]["answer"]
    assert len(text) > 40
    return text


def features(run: Run) -> set[str]:
    """What llama.cpp's code computes with, as the doctor shows it."""
    said = json.loads(run("doctor", "--json").stdout)["data"]["offload"]["compiled_with"]
    return {part.split("=")[0].strip().removeprefix("CPU : ") for part in said.split("|") if "= 1" in part}


def ask(run: Run, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return run("ask", "-m", "demo", "--json", QUESTION, **environment)


def test_the_best_code_for_this_processor_is_chosen(run: Run, site: Path) -> None:
    assert len(list((site / "llama_cpp" / "lib").glob(VARIANTS))) == 14
    assert answered(ask(run))
    here = set(describe_machine().cpu_features) & {"AVX", "AVX2", "FMA", "AVX512", "AVX512_VNNI"}
    assert here <= features(run)


@pytest.mark.parametrize(
    ("variant", "has", "lacks"),
    [
        ("haswell", {"AVX2", "FMA", "F16C", "BMI2"}, {"AVX512", "AVX_VNNI", "AMX_INT8"}),
        ("sse42", {"SSE3", "SSSE3"}, {"AVX", "AVX2", "FMA"}),
        ("x64", set(), {"AVX", "AVX2", "FMA"}),
    ],
)
def test_one_processors_code_alone_answers(run: Run, site: Path, variant: str, has: set[str], lacks: set[str]) -> None:
    keep_only(site, variant)
    assert answered(ask(run))
    found = features(run)
    assert has <= found
    assert not lacks & found


def test_a_library_that_was_planted_is_not_loaded(run: Run, tmp_path: Path, planted: Callable[[Path], Path]) -> None:
    trace = planted(tmp_path / "elsewhere")
    library = tmp_path / "elsewhere" / "libggml-cpu-planted.so"
    assert answered(ask(run, GGML_BACKEND_PATH=str(library)))
    run("doctor")
    run("models", "recommend", GGML_BACKEND_PATH=str(library))
    assert not trace.exists()


def test_llama_cpp_left_to_itself_would_load_it(site: Path, tmp_path: Path, planted: Callable[[Path], Path]) -> None:
    (tmp_path / "elsewhere").mkdir()
    trace = planted(tmp_path / "elsewhere")
    code = "import llama_cpp; llama_cpp.llama_backend_init()"
    environment = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "elsewhere", env=environment, timeout=60, check=True)
    assert trace.exists()


def test_without_code_for_this_processor_the_error_says_what_to_do(
    run: Run, site: Path, tmp_path: Path, planted: Callable[[Path], Path]
) -> None:
    keep_only(site)
    trace = planted(tmp_path / "elsewhere")
    check_error(run("ask", "-m", "demo", QUESTION), 1, "for this processor", "install MedPocket again")
    assert b"for this processor" in run("doctor").stdout
    assert not trace.exists()


def test_nothing_but_the_wheels_folder_and_the_system_is_loaded_from(run: Run, site: Path, tmp_path: Path) -> None:
    assert shutil.which("strace"), "install strace"
    log = tmp_path / "opened"
    traced = ["strace", "-f", "-e", "trace=open,openat,execve", "-o", str(log)]
    command = [*traced, sys.executable, "-m", "medpocket", "ask", "-m", "demo", QUESTION]
    environment = os.environ | {"PYTHONPATH": f"{site}:{PROJECT}"}
    subprocess.run(command, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, timeout=300, check=True)
    opened = [line.split('"')[1] for line in log.read_text().splitlines() if '"' in line and " = -1 " not in line]
    libraries = {Path(path) for path in opened if ".so" in Path(path).name and ("ggml" in path or "gomp" in path)}
    assert any(path.name == "libgomp.so.1" for path in libraries)
    assert {path.parent for path in libraries} == {site / "llama_cpp" / "lib"}
    assert not [path for path in opened if not path.startswith("/") and ".so" in path]
