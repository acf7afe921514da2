"""llama.cpp with its code apart, as in a portable wheel; tests/packaging tries a real one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medpocket.doctor.facts import _llama
from medpocket.engine import accelerators_if_known, start
from medpocket.engine.start import library_folder, start_llama
from medpocket.errors import EngineError
from tests.models.simulated import GB, machine

CPU = 0


class Llama:
    """llama.cpp, as far as it is started: what was asked of it, in order."""

    def __init__(self, *, within: int, loadable: int = 0) -> None:
        self.asked: list[str] = []
        self.backends, self._loadable = within, loadable

    def function(self, name: str) -> Callable[..., Any]:
        functions: dict[str, Callable[..., Any]] = {
            "ggml_backend_reg_count": lambda: self.backends,
            "ggml_backend_load_all_from_path": self._load,
            "ggml_backend_dev_by_type": lambda kind: self.backends if kind == CPU else 0,
        }
        return functions[name]

    def _load(self, folder: bytes) -> None:
        assert "GGML_BACKEND_PATH" not in os.environ
        self.asked.append(os.fsdecode(folder))
        self.backends += self._loadable

    def llama_backend_init(self) -> None:
        self.asked.append("init")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Llama]:
    def make(**how: int) -> Llama:
        llama = Llama(**how)
        monkeypatch.setattr(start, "function", llama.function)
        monkeypatch.setattr("llama_cpp.llama_backend_init", llama.llama_backend_init)
        return llama

    return make


def test_a_native_build_loads_nothing_more(started: Callable[..., Llama]) -> None:
    llama = started(within=1)
    start_llama()
    assert llama.asked == ["init"]


def test_a_portable_build_loads_from_its_own_folder_once(
    started: Callable[..., Llama], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GGML_BACKEND_PATH", str(tmp_path / "planted.so"))
    monkeypatch.chdir(tmp_path)
    llama = started(within=0, loadable=1)
    start_llama()
    start_llama()
    assert llama.asked == [str(library_folder()), "init", "init"]


def test_the_folder_is_that_of_the_loaded_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert library_folder().is_absolute()
    assert any(path.stem in ("libllama", "llama") for path in library_folder().iterdir())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("llama_cpp.llama_cpp._lib._name", "lib/libllama.so")
    assert library_folder() == tmp_path / "lib"


def test_without_code_for_this_processor_llama_cpp_is_not_left_to_search(started: Callable[..., Llama]) -> None:
    llama = started(within=0)
    with pytest.raises(EngineError, match="for this processor in /") as caught:
        start_llama()
    assert "again" in caught.value.hint
    assert "init" not in llama.asked


def test_the_doctor_and_the_recommendation_survive_it(started: Callable[..., Llama]) -> None:
    started(within=0)
    reason, devices, _ = _llama(machine(16 * GB))
    assert reason and "for this processor" in reason
    assert devices == ()
    assert accelerators_if_known(machine(16 * GB)) == ()
