"""The installer's steps, with tools that install a script instead of MedPocket: what stays when one of them fails."""

import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medpocket.errors import KitError
from medpocket.exclusive import exclusive
from medpocket.kit.install import machine, program
from medpocket.kit.install.machine import order
from medpocket.kit.install.main import main
from medpocket.kit.install.places import Places, executable_of, python_of, version_of, write_version
from medpocket.kit.install.shown import show
from medpocket.kit.manifest import Manifest, read_manifest, write_manifest
from tests.kit.making import write_kit

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
_FILES = {
    "install.sh": b"#!/bin/sh\n",
    "installer/pythons": HERE.encode(),
    "installer/medpocket/__init__.py": b"",
    "wheels/pip-1.0-py3-none-any.whl": b"",
}


class ToolsOfATest:
    """Stands for pip, virtualenv and pipx: makes a `medpocket` that prints its version and its arguments."""

    fails_at: str | None = None
    error: type[BaseException] = KitError

    def __init__(self, _kit: Path, _places: Places, installation: Path) -> None:
        self.installation, self.temporary = installation, installation / "tmp"

    def _fail(self, step: str) -> None:
        if step == self.fails_at:
            raise self.error("failed", "next") if self.error is KitError else self.error()

    def install_tools(self) -> None:
        self.temporary.mkdir()
        self._fail("tools")

    def install_medpocket(self, version: str) -> None:
        self._fail("medpocket")
        executable = executable_of(self.installation)
        executable.parent.mkdir()
        executable.write_text(f'#!/bin/sh\necho "{version} $*"\n')
        executable.chmod(0o755)
        python = python_of(self.installation)
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        write_version(self.installation, version)

    def try_it(self) -> None:
        self._fail("try")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "Ann's home $HOME"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("medpocket.kit.install.main.Installer", ToolsOfATest)
    monkeypatch.setattr(ToolsOfATest, "fails_at", None)
    monkeypatch.setattr(ToolsOfATest, "error", KitError)
    before = os.umask(0o022)
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield home
    os.umask(before)
    for one, handler in handlers.items():
        signal.signal(one, handler)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return new_kit(tmp_path / "kit")


def new_kit(place: Path, **changes: Any) -> Path:
    manifest = write_kit(place, _FILES)
    changed: Manifest = replace(manifest, **({"pythons": (HERE,), "glibc": None} | changes))
    write_manifest(place, changed)
    return place


def installed(home: Path) -> str:
    command = home / ".local/bin/medpocket"
    return subprocess.run([command, "hello"], capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def said(capfd: pytest.CaptureFixture[str]) -> str:
    captured = capfd.readouterr()
    return captured.out + captured.err


def test_an_installation_is_found_by_the_users_command(
    user: Path, kit: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(str(kit), []) == 0
    assert installed(user) == "0.1.0 hello"
    text = said(capfd)
    assert "0.1.0 doctor" in text  # it ends with the doctor
    assert "To start it, type:  '" in text  # quoted, for a home folder with spaces
    program_folder = user / ".local/share/medpocket-program"
    assert program_folder.stat().st_mode & 0o777 == 0o700
    assert not (program_folder / "1/tmp").exists()


@pytest.mark.parametrize("step", ["tools", "medpocket", "try"])
@pytest.mark.parametrize("error", [KitError, KeyboardInterrupt, OSError])
def test_an_upgrade_that_fails_leaves_what_was_there(
    user: Path, kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: type[BaseException]
) -> None:
    assert main(str(kit), []) == 0
    monkeypatch.setattr(ToolsOfATest, "fails_at", step)
    monkeypatch.setattr(ToolsOfATest, "error", error)
    newer = new_kit(tmp_path / "newer", medpocket="0.2.0")
    assert main(str(newer), []) == (130 if error is KeyboardInterrupt else 1)
    assert installed(user) == "0.1.0 hello"
    assert [path.name for path in Places.of_this_user().installations()] == ["1"]
    monkeypatch.setattr(ToolsOfATest, "fails_at", None)
    assert main(str(newer), []) == 0
    assert installed(user) == "0.2.0 hello"


def test_a_first_installation_that_fails_leaves_no_command(
    user: Path, kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToolsOfATest, "fails_at", "try")
    assert main(str(kit), []) == 1
    assert not (user / ".local/bin/medpocket").exists()
    assert Places.of_this_user().installations() == []


def test_what_a_killed_installation_left_is_cleared_by_the_next(user: Path, kit: Path, tmp_path: Path) -> None:
    assert main(str(kit), []) == 0
    half = user / ".local/share/medpocket-program/2"
    (half / "tools").mkdir(parents=True)
    (half / "tools/half").write_bytes(b"x")
    assert main(str(new_kit(tmp_path / "newer", medpocket="0.2.0")), []) == 0
    assert installed(user) == "0.2.0 hello"
    assert not (half / "tools").exists()


def test_the_installation_before_stays_for_an_app_that_is_open_and_goes_with_the_next(
    user: Path, kit: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        assert main(str(kit), []) == 0
    assert [path.name for path in Places.of_this_user().installations()] == ["2", "3"]


def test_an_older_kit_goes_over_a_newer_one_only_when_asked(
    user: Path, kit: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(str(new_kit(tmp_path / "newer", medpocket="0.10.0")), []) == 0
    said(capfd)
    assert main(str(kit), []) == 1
    assert "MedPocket 0.10.0 is installed, and this kit has the older 0.1.0" in said(capfd)
    assert installed(user) == "0.10.0 hello"
    assert main(str(kit), ["--older"]) == 0
    assert installed(user) == "0.1.0 hello"


def test_versions_are_compared_as_numbers() -> None:
    versions = ["1.0", "0.10.1", "1.0.dev1", "0.10", "0.10.0rc1", "0.9"]
    assert sorted(versions, key=order) == ["0.9", "0.10.0rc1", "0.10", "0.10.1", "1.0.dev1", "1.0"]
    assert order("1.0") == order("1.0.0")


def test_a_command_that_no_kit_put_there_is_left_alone(
    user: Path, kit: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = user / ".local/bin/medpocket"
    command.parent.mkdir(parents=True)
    command.write_text("another's")
    assert main(str(kit), []) == 1
    assert "is there already, and no kit put it there" in said(capfd)
    assert command.read_text() == "another's"


def test_two_installers_do_not_work_at_once(user: Path, kit: Path, capfd: pytest.CaptureFixture[str]) -> None:
    places = Places.of_this_user()
    places.program.mkdir(parents=True)
    with exclusive(places.lock) as held:
        assert held
        assert main(str(kit), []) == 1
    assert "another installation is at work" in said(capfd)


def test_a_changed_byte_is_refused_before_anything_is_installed(
    user: Path, kit: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (kit / "install.sh").write_bytes(b"#!/bin/sh \n")
    assert main(str(kit), []) == 1
    assert "changed: install.sh" in said(capfd)
    assert list(user.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"platform": "macos-arm64"}, "this kit is for macOS on Apple silicon; this machine is Linux on "),
        ({"platform": "toaster"}, "a platform that this version does not know"),
        ({"pythons": ("3.99",)}, f"this kit needs Python 3.99; this one is {HERE}"),
        ({"glibc": "2.999"}, "this kit needs glibc 2.999 or newer; this machine has 2."),
        ({"room": 10**15}, "is free in"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="the kit is for linux-x86_64")
def test_a_kit_that_does_not_fit_is_refused_with_what_this_machine_has(
    user: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], changes: dict[str, Any], words: str
) -> None:
    assert main(str(new_kit(tmp_path / "other", **changes)), []) == 1
    text = said(capfd)
    assert words in text
    assert len(text.splitlines()) <= 4 and "Traceback" not in text
    assert list(user.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(os, "ST_NOEXEC"), reason="needs Linux")
def test_a_home_that_is_mounted_noexec_is_refused_before_anything_is_written(
    user: Path, kit: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Mounted:
        f_flag = os.ST_NOEXEC

    monkeypatch.setattr(os, "statvfs", lambda _place: Mounted)
    assert main(str(kit), []) == 1
    assert "mounted noexec" in said(capfd)
    assert list(user.iterdir()) == []


def test_a_system_without_glibc_is_named(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "_glibc", lambda: None)
    assert main(str(new_kit(tmp_path / "kit", glibc="2.17")), []) == 1
    assert "another C library" in said(capfd)


def test_no_home_folder_is_said(kit: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HOME", "/nowhere/at/all")
    assert main(str(kit), []) == 1
    assert "no home folder" in said(capfd)


def test_removing_leaves_the_data_and_says_so(user: Path, kit: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(str(kit), []) == 0
    data = user / ".local/share/medpocket"
    data.mkdir(parents=True)
    assert main(str(kit), ["--uninstall"]) == 0
    assert "history, settings and models stay" in said(capfd)
    assert not (user / ".local/bin/medpocket").is_symlink()
    assert not (user / ".local/share/medpocket-program").exists()
    assert data.is_dir()
    assert main(str(kit), ["--uninstall"]) == 1
    assert "there is nothing to remove" in said(capfd)


def test_removing_the_data_is_confirmed(user: Path, kit: Path, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(str(kit), []) == 0
    (home / "data/history").mkdir(parents=True)
    # The installed Python of this test has no MedPocket of its own: let it find the one that is tested.
    environment = "medpocket.kit.install.removal._FOLDERS"
    with pytest.MonkeyPatch.context() as patch:
        from medpocket.kit.install import removal

        source = Path(__file__).parents[2]
        patch.setattr(environment, f"import sys; sys.path.insert(0, {str(source)!r})\n" + removal._FOLDERS)
        assert main(str(kit), ["--remove-data"]) == 2
        assert "must be confirmed" in said(capfd)
        assert (home / "data/history").is_dir() and (user / ".local/bin/medpocket").exists()
        assert main(str(kit), ["--remove-data", "--yes"]) == 0
    assert not (home / "data").exists()
    assert not (user / ".local/bin/medpocket").exists()


def test_a_program_that_cannot_say_where_the_data_is_keeps_it(
    user: Path, kit: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(str(kit), []) == 0
    python_of(user / ".local/share/medpocket-program/1").unlink()
    assert main(str(kit), ["--remove-data", "--yes"]) == 1
    assert "cannot say where its data is" in said(capfd)
    assert (user / ".local/bin/medpocket").exists()


def test_the_desktop_entry_starts_the_command_by_its_path(user: Path, kit: Path) -> None:
    assert main(str(kit), []) == 0
    places = Places.of_this_user()
    installation = places.current()
    assert installation
    share = python_of(installation).parents[1] / "share"
    (share / "applications").mkdir(parents=True)
    shutil.copy(Path(__file__).parents[2] / "packaging/medpocket.desktop", share / "applications")
    (share / "man/man1").mkdir(parents=True)
    (share / "man/man1/medpocket.1").write_text(".TH MEDPOCKET 1\n")
    show(places, installation)
    entry = (user / ".local/share/applications/medpocket.desktop").read_text()
    assert f'Exec="{user}/.local/bin/medpocket"'.replace("$", "\\\\$") in entry
    assert (user / ".local/share/man/man1/medpocket.1").is_file()
    assert main(str(kit), ["--uninstall"]) == 0
    assert not (user / ".local/share/applications/medpocket.desktop").exists()
    assert not (user / ".local/share/man/man1/medpocket.1").exists()


def test_settings_of_the_users_own_tools_do_not_reach_the_installation(
    user: Path, kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_INDEX_URL", "PIP_TARGET", "PIPX_HOME", "PYTHONPATH", "VIRTUAL_ENV", "UV_INDEX", "MEDPOCKET_HOME"):
        monkeypatch.setenv(name, "/elsewhere")
    places = Places.of_this_user()
    environment = program.Installer(kit, places, places.program / "1").environment()
    assert "/elsewhere" not in environment.values()
    assert environment["PIP_NO_INDEX"] == "1"


def test_a_damaged_version_file_counts_as_none(tmp_path: Path) -> None:
    write_version(tmp_path, "0.1.0")
    assert version_of(tmp_path) == "0.1.0"
    (tmp_path / "version").write_bytes(b"\xff\x1b[2J")
    assert version_of(tmp_path) is None


def test_install_sh_says_which_pythons_it_needs_and_which_are_here(tmp_path: Path) -> None:
    script = Path(machine.__file__).parents[1] / "install.sh"
    (tmp_path / "kit/installer").mkdir(parents=True)
    shutil.copy(script, tmp_path / "kit")
    (tmp_path / "kit/installer/pythons").write_text("3.98 3.99\n")
    ran = subprocess.run(
        ["sh", str(tmp_path / "kit/install.sh")], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "this kit needs Python 3.98 or 3.99; this machine has:" in ran.stderr
    assert len(ran.stderr.splitlines()) == 2
    (tmp_path / "kit/installer/pythons").unlink()
    ran = subprocess.run(
        ["sh", str(tmp_path / "kit/install.sh")], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1 and "is not a whole kit" in ran.stderr


def test_the_kit_of_these_tests_is_read_as_it_was_written(kit: Path) -> None:
    assert read_manifest(kit).pythons == (HERE,)
