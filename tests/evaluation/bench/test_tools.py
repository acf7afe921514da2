import sys
from pathlib import Path

import pytest

from medpocket.errors import BenchmarkError
from medpocket.evaluation.bench.processes import run
from medpocket.evaluation.bench.settings import BenchSettings
from medpocket.evaluation.bench.tools import decode_rate, find_tools, prefill_rate

SETTINGS = BenchSettings(
    threads=3, context=None, batch=256, gpu_layers=0, repack=False, prompt_tokens=128, answer_tokens=16, rounds=1
)
HEEDING = """
words = sys.argv[1:]
given = dict(zip(words[::2], words[1::2]))
print(json.dumps([{"repack": given["--repack"] != "0", "n_threads": int(given["-t"]), "n_batch": int(given["-b"]),
    "avg_ts": float(given["-p"]) + float(given["-n"]) / 100 + float(given.get("-d", 0)) / 1e6,
    "build_commit": "abc", "build_number": 7}]))
"""


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport json, sys\n{text}")
    path.chmod(0o755)
    return path


def test_llama_bench_is_given_the_very_settings_and_its_rate_is_read(tmp_path: Path) -> None:
    tool = program(tmp_path, "llama-bench", HEEDING)
    assert prefill_rate(tool, Path("a.gguf"), SETTINGS, 0).tokens_s == pytest.approx(128)
    found = decode_rate(tool, Path("a.gguf"), SETTINGS, 0)
    assert found.tokens_s == pytest.approx(0.16 + 128 / 1e6)
    assert found.build == "abc (7)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print('pp512 | 25.1')", "no rate"),
        ("print('[]')", "no rate"),
        (HEEDING.replace('int(given["-t"])', "64"), "did not heed"),
        ("sys.stderr.write('no such file\\n'); sys.exit(3)", "ended with 3"),
    ],
)
def test_a_tool_that_does_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BenchmarkError, match=said):
        prefill_rate(program(tmp_path, "llama-bench", text), Path("a.gguf"), SETTINGS, 0)


def test_tools_are_found_in_the_folder_or_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = program(tmp_path, "llama-server", "")
    found = find_tools(tmp_path)
    assert (found.bench, found.server) == (None, server)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tools(None) == found
    with pytest.raises(BenchmarkError, match="no llama-bench and no llama-server"):
        find_tools(tmp_path / "elsewhere")


def test_what_a_process_took_is_that_of_the_process() -> None:
    used = run([sys.executable, "-c", "block = bytearray(200_000_000); print('done')"])
    assert used.stdout == "done\n"
    assert used.peak_bytes > 200e6
    assert 0 < used.cpu_s < 60
    assert used.first_byte_s is not None
    assert used.first_byte_s <= used.wall_s
