"""A history where its user may not write, where the file may not grow, and in a folder that is not there yet."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from medpocket.store.history import History
from tests.cli.test_ask import can_mount
from tests.store.conftest import opened
from tests.store.making import keep

# As root it becomes `nobody`, once all is imported: the interpreter itself may stand where only root can read.
READ_AND_WRITE = """
import os, sys, tempfile
from pathlib import Path
from medpocket.errors import MedpocketError
from medpocket.store.history import History
from tests.store.making import keep
with tempfile.TemporaryDirectory() as own, History.open(Path(own) / "history") as history:
    keep(history)
    [history.branch(one.id) for one in history.conversations()]
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    history = History.open(Path(sys.argv[1]))
    print(*(turn.answer for one in history.conversations() for turn in history.branch(one.id)))
    keep(history)
    print("written")
except MedpocketError as error:
    print(f"{type(error).__name__}: {error}")
"""

# The answer is appended piece by piece until the disk, or the system's limit on the size of a file, takes no more.
GROW = """
import resource, sys
from pathlib import Path
from medpocket.errors import MedpocketError
from medpocket.store import recording as recording_module
from medpocket.store.history import History
from medpocket.store.records import State
from tests.store.making import asked, keep
recording_module.INTERVAL_S = 0.001
history = History.open(Path(sys.argv[1]))
print(keep(history, "one?").id)
recording = history.begin(asked("two?"))
if "limited" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    for _ in range(40):
        recording.append("x" * 100_000)
    recording.finish(State.COMPLETE)
    print("finished")
except MedpocketError as error:
    print(error)
"""


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are the user's alone."""
    place = Path(tempfile.mkdtemp(prefix="medpocket-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def as_somebody_else(folder: Path) -> str:
    """What reading and writing says: to `nobody` where the tests run as root, else to the user under the same modes."""
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_WRITE, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_without_permission_is_named_and_nothing_is_read(open_place: Path) -> None:
    folder = open_place / "history"
    with opened(folder) as history:
        keep(history)
    folder.chmod(0o700 if os.geteuid() == 0 else 0o000)
    try:
        said = as_somebody_else(folder)
    finally:
        folder.chmod(0o700)
    assert said.startswith("HistoryError: "), said
    assert "An eye disease." not in said


def test_a_read_only_folder_is_read_and_not_written_by_who_is_not_root(open_place: Path) -> None:
    folder = open_place / "history"
    with opened(folder) as history:
        keep(history)
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    try:
        said = as_somebody_else(folder)
    finally:
        folder.chmod(0o700)
    assert "An eye disease." in said
    assert "cannot be written" in said.splitlines()[-1], said
    with opened(folder) as history:
        assert len(history.conversations()) == 1


def test_a_file_that_may_not_grow_is_said_and_what_was_finished_stays(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROW, str(folder), "limited"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    turn, said = done.stdout.splitlines()
    assert "disk" in said
    with opened(folder) as history:
        assert history.turn(turn).answer == "An eye disease."
        assert history.read("PRAGMA integrity_check") == [("ok",)]


def test_a_disk_that_fills_in_mid_answer_is_said_to_be_full_and_what_was_finished_stays(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("this system does not let us mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    check = (
        "import sys; from pathlib import Path; from medpocket.store.history import History; "
        "h = History.open(Path(sys.argv[1])); c = h.conversations(); "
        "print(h.read('PRAGMA integrity_check'), [t.state.value for one in c for t in h.branch(one.id)])"
    )
    mounted = f'mount -t tmpfs -o size=1m tmpfs "{disk}" && "$1" -c "$2" "$4" && "$1" -c "$3" "$4"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, "sh", sys.executable, GROW, check, str(disk / "history")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _, said, after = done.stdout.splitlines()
    assert "disk is full" in said
    assert after.startswith("[('ok',)]")
    assert "complete" in after


def test_folders_made_on_the_way_are_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "share" / "medpocket" / "history"
    before = os.umask(0o000)
    try:
        with opened(folder) as history:
            keep(history)
    finally:
        os.umask(before)
    for made in (folder, *folder.parents[:2]):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700, made
    assert isinstance(History.open(folder), History)
