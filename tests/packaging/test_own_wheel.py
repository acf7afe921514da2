"""MedPocket's own sdist and wheel, built twice from one commit."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of two builds: other checkouts, by other users, at other times."""
    if not shutil.which("git") or not (PROJECT / ".git").exists():
        pytest.skip("needs a checkout")
    folders = []
    for name, mask in (("one", 0o022), ("another, by somebody else", 0o077)):
        checkout = tmp_path_factory.mktemp(name)
        subprocess.run(["git", "clone", "--quiet", PROJECT, checkout], check=True, umask=mask)
        command = [sys.executable, checkout / "packaging" / "own_wheel.py", checkout / "dist"]
        subprocess.run(command, check=True, capture_output=True, umask=mask)
        folders.append(checkout / "dist")
    return folders[0], folders[1]


def test_the_same_commit_gives_the_same_bytes(built: tuple[Path, Path]) -> None:
    names = [sorted(path.name for path in folder.iterdir()) for folder in built]
    assert names[0] == names[1]
    assert len(names[0]) == 2
    for name in names[0]:
        assert (built[0] / name).read_bytes() == (built[1] / name).read_bytes()


def test_the_wheel_has_what_an_installation_needs(built: tuple[Path, Path]) -> None:
    (wheel,) = built[0].glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("medpocket/models.toml", "medpocket/assets/demo.gguf", "medpocket/assets/router.bin"):
        assert needed in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any(name.endswith(".dist-info/licenses/NOTICE") for name in names)
    for shared in ("man/man1/medpocket.1", "applications/medpocket.desktop"):
        assert any(name.endswith(f".data/data/share/{shared}") for name in names)
    assert not [name for name in names if name.startswith(("tests", "packaging"))]
