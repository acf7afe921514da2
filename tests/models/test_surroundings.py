from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from medpocket.models.surroundings import Power, describe_power, free_disk_bytes, jetson_board


@pytest.mark.parametrize(
    ("plugged", "power"), [(True, Power(True, 80)), (False, Power(False, 80)), (None, Power(True, 80))]
)
def test_a_battery_says_whether_it_is_used(monkeypatch: pytest.MonkeyPatch, plugged: bool | None, power: Power) -> None:
    battery = SimpleNamespace(percent=80, power_plugged=plugged)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert describe_power() == power


def test_a_machine_without_a_battery_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    assert describe_power() is None
    monkeypatch.delattr(psutil, "sensors_battery")
    assert describe_power() is None


def test_free_space_is_that_of_the_disk_where_a_folder_will_be(tmp_path: Path) -> None:
    here, there = free_disk_bytes(tmp_path), free_disk_bytes(tmp_path / "not" / "there" / "yet")
    assert here and there and abs(here - there) < 10**9


def test_a_jetson_is_recognised_by_its_board(tmp_path: Path) -> None:
    assert jetson_board(tmp_path) is None
    (tmp_path / "device-tree").mkdir()
    model = tmp_path / "device-tree" / "model"
    model.write_text("NVIDIA Jetson Orin Nano Developer Kit\0")
    assert jetson_board(tmp_path) == "NVIDIA Jetson Orin Nano Developer Kit"
    model.write_text("Raspberry Pi 5\0")
    assert jetson_board(tmp_path) is None
