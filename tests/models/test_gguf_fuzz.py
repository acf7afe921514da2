"""No damaged file may crash the process: what the check lets through, llama.cpp runs or refuses, and never aborts."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_check import check_model_file
from tests.conftest import DEMO
from tests.models.gguf_mutants import mutant
from tests.models.gguf_seeds import BUILDS, write_seed

MUTANTS_OF_A_BUILD = 400
MUTANTS_OF_A_LARGER_FILE = 300
QUICK_MUTANTS = 60
# The demonstration model, and a foreign one where its folder is given (CONTRIBUTING.md).
FOREIGN = Path(os.environ.get("MEDPOCKET_SHARED", "")) / "models" / "stories260k-f32.gguf"
LARGER_FILES = [path for path in (DEMO, FOREIGN) if path.exists()]
MOST_SECONDS, MOST_BYTES = 2.0, 200 * 10**6


def accepts(path: Path) -> bool:
    """Check a file; assert that a refusal is two lines that can be shown, and cheap."""
    start = time.process_time()
    try:
        check_model_file(path)
        accepted = True
    except ModelFileError as error:
        accepted = False
        for line in (error.message, error.hint):
            assert line.isprintable() and 0 < len(line) < 400, line
    assert time.process_time() - start < MOST_SECONDS
    return accepted


@pytest.fixture
def probe() -> Iterator["subprocess.Popen[str]"]:
    """llama.cpp, ready to load file after file, each in a child of its own."""
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("gguf_probe.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        yield process


def ending(probe: "subprocess.Popen[str]", path: Path) -> str:
    assert probe.stdin and probe.stdout
    probe.stdin.write(f"{path}\n")
    probe.stdin.flush()
    return probe.stdout.readline().strip()


def fuzz(seed: bytes, numbers: range, folder: Path, probe: "subprocess.Popen[str]") -> Counter[str]:
    """Check each mutant and load the accepted ones; count how they ended."""
    endings: Counter[str] = Counter()
    path = folder / "mutant.gguf"
    for number in numbers:
        done, data = mutant(seed, number)
        path.write_bytes(data)
        outcome = ending(probe, path) if accepts(path) else "refused by the check"
        endings[outcome] += 1
        assert outcome in ("refused by the check", "refused", "ran"), f"mutant {number} ({done}): {outcome}"
    return endings


def test_damaged_files_are_refused_or_accepted_and_nothing_else(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed.gguf").read_bytes()
    path = tmp_path / "mutant.gguf"
    refused = 0
    for number in range(QUICK_MUTANTS):
        path.write_bytes(mutant(seed, number)[1])
        refused += not accepts(path)
    assert refused > QUICK_MUTANTS // 2


def test_a_mutant_of_a_number_is_always_the_same(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed.gguf").read_bytes()
    assert [mutant(seed, number) for number in range(20)] == [mutant(seed, number) for number in range(20)]
    assert len({mutant(seed, number)[1] for number in range(20)}) > 15


@pytest.mark.prove
@pytest.mark.parametrize("build", BUILDS)
def test_no_accepted_file_crashes_llama_cpp(tmp_path: Path, build: str, probe: "subprocess.Popen[str]") -> None:
    path = write_seed(tmp_path / "seed.gguf", BUILDS[build])
    assert accepts(path)
    assert ending(probe, path) == "ran"
    first = 1000 * list(BUILDS).index(build)
    endings = fuzz(path.read_bytes(), range(first, first + MUTANTS_OF_A_BUILD), tmp_path, probe)
    assert endings["ran"] > MUTANTS_OF_A_BUILD // 20, endings
    assert endings["refused by the check"] > MUTANTS_OF_A_BUILD // 3, endings


@pytest.mark.prove
@pytest.mark.parametrize("path", LARGER_FILES, ids=lambda path: path.stem)
def test_no_accepted_mutant_of_a_whole_model_crashes(
    tmp_path: Path, path: Path, probe: "subprocess.Popen[str]"
) -> None:
    numbers = range(50_000, 50_000 + MUTANTS_OF_A_LARGER_FILE)
    endings = fuzz(path.read_bytes(), numbers, tmp_path, probe)
    assert endings["ran"] > 0, endings


@pytest.mark.prove
def test_checking_damaged_files_takes_little_memory(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed.gguf").read_bytes()
    for number in range(200):
        (tmp_path / f"{number}.gguf").write_bytes(mutant(seed, 70_000 + number)[1])
    code = """if True:
        import sys
        from pathlib import Path
        from medpocket.errors import ModelFileError
        from medpocket.models.gguf_check import check_model_file
        from medpocket.models.hardware import peak_memory_bytes
        for path in Path(sys.argv[1]).iterdir():
            try:
                check_model_file(path)
            except ModelFileError:
                pass
        print(peak_memory_bytes())
    """
    result = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert int(result.stdout) < MOST_BYTES
