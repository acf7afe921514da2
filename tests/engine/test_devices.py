"""Graphics processors as llama.cpp would show them; none is at hand."""

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from medpocket.engine import devices
from medpocket.engine.devices import accelerators

CPU, GPU, IGPU = 0, 1, 2
KINDS = {0: CPU, 1: GPU, 2: IGPU, 3: GPU}
BACKENDS = {1: b"CUDA", 2: b"Vulkan", 3: b"MTL"}


def test_what_llama_cpp_sees_here_can_be_asked() -> None:
    for one in accelerators():
        assert one.name and 0 <= one.free_bytes <= one.total_bytes


@pytest.fixture
def four_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    def memory(device: int, free: Any, total: Any) -> None:
        free._obj.value, total._obj.value = device * 10**9, device * 2 * 10**9

    answers: dict[str, Callable[..., Any]] = {
        "ggml_backend_dev_count": lambda: len(KINDS),
        "ggml_backend_dev_get": lambda index: index,
        "ggml_backend_dev_type": KINDS.__getitem__,
        "ggml_backend_dev_memory": memory,
        "ggml_backend_dev_backend_reg": lambda device: device,
        "ggml_backend_reg_name": BACKENDS.get,
        "ggml_backend_dev_name": lambda device: b"D%d" % device,
        "ggml_backend_dev_description": lambda device: b"card\x1b[2J" if device == 1 else None,
    }
    monkeypatch.setattr(devices, "function", answers.__getitem__)
    assert ctypes.sizeof(ctypes.c_size_t) == 8


def test_only_graphics_processors_are_listed_with_their_memory(four_devices: None) -> None:
    found = accelerators()
    assert [one.name for one in found] == ["D1", "D2", "D3"]
    assert [one.backend for one in found] == ["CUDA", "Vulkan", "MTL"]
    assert (found[0].free_bytes, found[0].total_bytes) == (10**9, 2 * 10**9)


def test_a_device_without_memory_of_its_own_is_known(four_devices: None) -> None:
    assert [one.shares_memory for one in accelerators()] == [False, True, True]
    assert all(one.shares_memory for one in accelerators(jetson=True))


def test_a_drivers_text_cannot_steer_the_terminal(four_devices: None) -> None:
    assert "\x1b" not in accelerators()[0].description
