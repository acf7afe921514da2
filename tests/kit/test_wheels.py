"""From a folder of wheels to those that one platform needs."""

from pathlib import Path

import pytest

from medpocket.errors import KitError
from medpocket.kit.platforms import PLATFORMS
from medpocket.kit.wheels import Wheel, choose, oldest_glibc, wheels_in
from tests.kit.fake_wheels import write_all, write_medpocket, write_wheel

LINUX = PLATFORMS["linux-x86_64"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_all(tmp_path / "wheels", ("cp310", "cp311"))


def chosen(folder: Path, python: str = "3.11", platform: str = "linux-x86_64") -> dict[str, Wheel]:
    return choose(wheels_in(folder), PLATFORMS[platform], python)


def names(folder: Path, python: str = "3.11", platform: str = "linux-x86_64") -> list[str]:
    return sorted(one.path.name for one in chosen(folder, python, platform).values())


def test_what_is_needed_is_chosen_and_nothing_else(folder: Path) -> None:
    write_wheel(folder, "nobody-needs-it")
    assert names(folder) == [
        "llama_cpp_python-0.3.36-py3-none-manylinux_2_34_x86_64.whl",
        "medpocket-0.1.0-py3-none-any.whl",
        "numpy-2.0-cp311-cp311-manylinux_2_34_x86_64.whl",
        "pip-1.0-py3-none-any.whl",
        "pipx-1.0-py3-none-any.whl",
        "virtualenv-1.0-py3-none-any.whl",
    ]


def test_markers_are_those_of_the_python_that_installs_not_of_the_one_that_builds(folder: Path) -> None:
    needs = ('tomli; python_version < "3.11"', 'colorama; sys_platform == "win32"', 'uvloop; extra == "fast"')
    write_medpocket(folder, needs=needs)
    write_wheel(folder, "tomli")
    assert "tomli" in chosen(folder, "3.10") and "tomli" not in chosen(folder, "3.11")


def test_an_extra_brings_what_it_needs(folder: Path) -> None:
    write_medpocket(folder, needs=("web[fast]",))
    write_wheel(folder, "web", needs=('speed; extra == "fast"', 'slow; extra == "slow"'))
    write_wheel(folder, "speed")
    assert {"web", "speed"} <= chosen(folder).keys()


def test_the_newest_version_that_all_allow_and_this_python_runs_is_chosen(folder: Path) -> None:
    write_wheel(folder, "pipx", "2.0", needs=("shared<3",), python=">=3.11")
    write_medpocket(folder, needs=("shared>=1",))
    for version in ("1.5", "2.5", "3.0"):
        write_wheel(folder, "shared", version)
    assert str(chosen(folder, "3.11")["pipx"].version) == "2.0"
    assert str(chosen(folder, "3.11")["shared"].version) == "2.5"
    assert str(chosen(folder, "3.10")["pipx"].version) == "1.0"
    assert str(chosen(folder, "3.10")["shared"].version) == "3.0"


def test_a_missing_wheel_is_named_with_python_and_platform(folder: Path) -> None:
    with pytest.raises(KitError, match=r"no wheel of numpy for Python 3.13 on Linux on x86-64"):
        chosen(folder, "3.13")
    with pytest.raises(KitError, match=r"no wheel of (numpy|llama-cpp-python) for Python 3.11 on macOS"):
        chosen(folder, "3.11", "macos-arm64")


@pytest.mark.parametrize(
    ("platform", "tag"),
    [
        ("linux-aarch64", "manylinux_2_34_aarch64"),
        ("linux-aarch64-jetson", "linux_aarch64"),
        ("macos-arm64", "macosx_11_0_arm64"),
        ("windows-x86_64", "win_amd64"),
    ],
)
def test_each_platform_takes_its_own_wheels(tmp_path: Path, platform: str, tag: str) -> None:
    folder = write_all(tmp_path / "wheels", platform=tag)
    assert f"numpy-2.0-cp311-cp311-{tag}.whl" in names(folder, "3.11", platform)
    with pytest.raises(KitError, match="there is no wheel of"):
        chosen(folder, "3.11", "linux-x86_64")


def test_a_stable_abi_wheel_of_an_older_python_fits(folder: Path) -> None:
    write_medpocket(folder, needs=("psutil",))
    write_wheel(folder, "psutil", tag="cp36-abi3-manylinux2010_x86_64")
    assert "psutil" in chosen(folder)


def test_musl_wheels_do_not_fit(folder: Path) -> None:
    write_medpocket(folder, needs=("psutil",))
    write_wheel(folder, "psutil", tag="cp36-abi3-musllinux_1_2_x86_64")
    with pytest.raises(KitError, match="no wheel of psutil"):
        chosen(folder)


def test_versions_that_cannot_stand_together_are_said(folder: Path) -> None:
    write_wheel(folder, "pipx", "2.0", needs=("shared<2",))
    write_medpocket(folder, needs=("shared>=2",))
    write_wheel(folder, "shared", "1.0")
    write_wheel(folder, "shared", "2.0")
    with pytest.raises(KitError, match=r"there is no wheel of shared <2,>=2"):
        chosen(folder)


def test_the_oldest_glibc_is_what_the_native_code_asks_for(folder: Path) -> None:
    assert oldest_glibc(list(chosen(folder).values())) == "2.34"
    assert oldest_glibc([chosen(folder)["pip"]]) is None


@pytest.mark.parametrize("name", ["pip-2.0-py3-none-any.whl", "not a wheel.whl"])
def test_a_file_that_is_no_wheel_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"no archive")
    with pytest.raises(KitError, match=name):
        chosen(folder)


def test_a_folder_without_wheels_is_said(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="there are no wheels in"):
        wheels_in(tmp_path / "nowhere")
