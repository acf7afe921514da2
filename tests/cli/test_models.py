"""`medpocket models` as a user runs it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DEMO, Medpocket, check_error
from tests.models.gguf_seeds import write_seed
from tests.models.hub_server import COMMIT, Fault, HubServer
from tests.models.test_gguf_parts import split
from tests.models.test_import import SEED_ROW, awq_folder

REPOSITORY, NAME = "nobody/tiny-model-GGUF", "tiny-model.gguf"
ADVISED = SEED_ROW + 'advisory = "Mind what it says."\n'


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_seed(tmp_path / "seed-of-hub.gguf").read_bytes()


@pytest.fixture
def hub(content: bytes, home: Path) -> Iterator[HubServer]:
    """A hub that has the one model of a registry of the user's own."""
    (home / "config").mkdir(parents=True)
    (home / "config" / "models.toml").write_text(ADVISED)
    with HubServer({REPOSITORY: {NAME: content}}) as server:
        yield server


def pull(medpocket: Medpocket, hub: HubServer, *more: str, **env: str) -> "subprocess.CompletedProcess[bytes]":
    return medpocket("models", "pull", "tiny", "--endpoint", hub.endpoint, *more, env=env)


def data(result: "subprocess.CompletedProcess[bytes]") -> Any:
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)["data"]


def row(medpocket: Medpocket, name: str) -> Any:
    return next(one for one in data(medpocket("models", "list", "--json"))["models"] if one["id"] == name)


# --- pull ------------------------------------------------------------------------------------------


def test_a_pulled_model_is_recorded_verified_and_loaded(medpocket: Medpocket, hub: HubServer, content: bytes) -> None:
    result = pull(medpocket, hub, "--yes", "--json")
    installed = data(result)
    assert installed["commit"] == COMMIT and installed["repository"] == REPOSITORY
    assert installed["files"][0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert Path(installed["path"]).read_bytes() == content
    said = result.stderr.decode()
    assert "licence: MIT" in said and "Mind what it says." in said and "localhost" in said
    assert row(medpocket, "tiny")["state"] == "installed"
    assert b"tiny: good" in medpocket("models", "verify", "tiny").stdout
    answered = medpocket("ask", "-m", "tiny", "-o", "max_tokens", "2", "a")
    assert answered.returncode == 0, answered.stderr.decode()


def test_the_licence_is_asked_for_once(medpocket: Medpocket, hub: HubServer) -> None:
    result = pull(medpocket, hub)
    assert result.returncode == 2
    assert "--yes" in result.stderr.decode() and hub.asked == []
    assert pull(medpocket, hub, "--yes").returncode == 0
    assert medpocket("models", "remove", "tiny").returncode == 0
    assert pull(medpocket, hub).returncode == 0


def test_what_is_installed_is_not_fetched_again(medpocket: Medpocket, hub: HubServer) -> None:
    pull(medpocket, hub, "--yes")
    asked = len(hub.asked)
    assert "installed and verified" in pull(medpocket, hub).stdout.decode()
    assert len(hub.asked) == asked


def test_a_damaged_model_is_fetched_again(medpocket: Medpocket, hub: HubServer, content: bytes) -> None:
    path = Path(data(pull(medpocket, hub, "--yes", "--json"))["path"])
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert pull(medpocket, hub).returncode == 0
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir() if not one.name.endswith(".lock")] == [NAME]


def test_a_new_file_under_the_same_name_takes_the_place_of_the_old(
    medpocket: Medpocket, hub: HubServer, tmp_path: Path
) -> None:
    pull(medpocket, hub, "--yes")
    parts = split(tmp_path)
    hub.files[REPOSITORY] = {f"new/{path.name}": path.read_bytes() for path in parts}
    installed = data(pull(medpocket, hub, "--file", f"new/{parts[0].name}", "--json"))
    assert [file["name"] for file in installed["files"]] == [path.name for path in parts]
    kept = [one.name for one in Path(installed["path"]).parent.iterdir() if not one.name.endswith(".lock")]
    assert sorted(kept) == [path.name for path in parts]


def test_a_stopped_pull_goes_on_where_it_stopped(medpocket: Medpocket, hub: HubServer, home: Path) -> None:
    hub.rate = 200_000
    child = subprocess.Popen(
        [sys.executable, "-m", "medpocket", "models", "pull", "tiny", "--yes", "--endpoint", hub.endpoint],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    part = home / "data" / "models" / "tiny" / f"{NAME}.part"
    while not part.exists() or part.stat().st_size < 150_000:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(2)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "what came is kept" in said.decode()
    assert "unfinished" in row(medpocket, "tiny")["state"]
    hub.rate = None
    assert pull(medpocket, hub).returncode == 0
    assert hub.starts[-1] > 0


def test_a_file_that_cannot_be_run_is_not_installed(medpocket: Medpocket, hub: HubServer) -> None:
    hub.files[REPOSITORY][NAME] = b"<!DOCTYPE html>" + os.urandom(1000)
    check = pull(medpocket, hub, "--yes")
    assert check.returncode == 1
    assert "a web page" in check.stderr.decode()
    assert row(medpocket, "tiny")["installed"] is None


def test_a_flipped_bit_ends_the_pull_in_two_lines(medpocket: Medpocket, hub: HubServer) -> None:
    hub.faults = [Fault("flip", after=1000)]
    result = pull(medpocket, hub, "--yes")
    assert result.returncode == 1
    assert "SHA-256 differs" in result.stderr.decode().splitlines()[-2]


def test_the_token_comes_from_the_environment(medpocket: Medpocket, hub: HubServer) -> None:
    hub.token = "hf_secret"
    check_error(pull(medpocket, hub, "--yes"), 1, "HF_TOKEN")
    assert pull(medpocket, hub, "--yes", HF_TOKEN="hf_secret").returncode == 0


def test_the_endpoint_may_come_from_the_environment(medpocket: Medpocket, hub: HubServer) -> None:
    result = medpocket("models", "pull", "tiny", "--yes", env={"HF_ENDPOINT": hub.endpoint})
    assert result.returncode == 0, result.stderr.decode()


def test_the_machine_can_forbid_it_and_a_user_cannot_allow_it(
    medpocket: Medpocket, hub: HubServer, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "config.toml").write_text("allow_pull = false\n")
    check_error(pull(medpocket, hub, "--yes"), 1, "forbidden on this machine", "models import")
    (home / "config" / "config.toml").write_text("allow_pull = true\n")
    check_error(pull(medpocket, hub, "--yes"), 1, "allow_pull", "decided for this machine")
    assert hub.asked == []


def test_without_a_network_there_are_two_lines_and_a_stick(medpocket: Medpocket) -> None:
    result = medpocket("models", "pull", "--endpoint", "http://127.0.0.1:9")
    check_error(result, 1, "cannot be reached", "USB stick", "models import")


def test_what_cannot_be_pulled_is_said_before_the_network_is_touched(medpocket: Medpocket) -> None:
    check_error(medpocket("models", "pull", "biomistral"), 2, "biomistral-7b-q4")
    check_error(medpocket("models", "pull", "qcammel-13-awq"), 1, "vLLM", "qcammel-13b-q4")
    check_error(medpocket("models", "pull", "demo"), 1, "comes with MedPocket")
    check_error(medpocket("models", "pull", "--endpoint", "ftp://x"), 1, "no address")


def test_a_pull_for_the_machine_is_there_for_every_user(medpocket: Medpocket, hub: HubServer, tmp_path: Path) -> None:
    installed = data(pull(medpocket, hub, "--yes", "--machine", "--json"))
    path = Path(installed["path"])
    assert path.is_relative_to(tmp_path / "machine-models")
    assert path.stat().st_mode & 0o044 == 0o044
    assert row(medpocket, "tiny")["state"] == "installed, for all users"
    check_error(medpocket("models", "remove", "tiny"), 2, "belongs to the machine")


def test_a_folder_that_cannot_be_written_is_said_to_be_that(medpocket: Medpocket, hub: HubServer, home: Path) -> None:
    (home / "data").touch()  # a file where the folder should be: root, too, cannot write there
    result = pull(medpocket, hub, "--yes")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr.decode()
    assert "models.json" in result.stderr.decode() or "refused" in result.stderr.decode()


# --- import, verify, remove ------------------------------------------------------------------------


def test_from_the_stick_to_an_answer(medpocket: Medpocket, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    shutil.copy(DEMO, tmp_path / "stick" / "ward.gguf")
    result = medpocket("models", "import", str(tmp_path / "stick"))
    assert result.returncode == 0, result.stderr.decode()
    assert "no hash came with the file" in result.stderr.decode()
    assert medpocket("models", "path", "ward").stdout.decode().strip().endswith("models/ward/ward.gguf")
    shown = medpocket("models", "show", "ward").stdout.decode()
    assert all(word in shown for word in ("SHA-256", "template", "import: ", "fits"))
    answered = medpocket("ask", "-m", "ward", "-o", "max_tokens", "2", "What is asthma?")
    assert answered.returncode == 0, answered.stderr.decode()
    assert medpocket("models", "remove", "ward").stdout.decode().startswith("removed ward, 11.8 MB")
    check_error(medpocket("ask", "-m", "ward", "q"), 2, "no model 'ward'")


def test_a_corrupt_file_is_named_set_aside_and_never_loaded(medpocket: Medpocket, home: Path) -> None:
    medpocket("models", "import", str(DEMO), "--name", "ward")
    path = home / "data" / "models" / "ward" / DEMO.name
    content = bytearray(path.read_bytes())
    content[len(content) // 2 + 3] ^= 4
    path.write_bytes(content)
    result = medpocket("models", "verify")
    assert result.returncode == 1
    assert "set aside as demo.gguf.corrupt" in result.stdout.decode()
    check_error(medpocket("ask", "-m", "ward", "q"), 1, "was found damaged")
    listed = medpocket("models", "list").stdout.decode()
    assert "damaged" in listed and "demo.gguf.corrupt" in listed
    assert medpocket("models", "import", str(DEMO), "--name", "ward", "--replace").returncode == 0
    assert medpocket("models", "verify").returncode == 0


def test_what_cannot_be_imported_is_refused_with_the_reason(medpocket: Medpocket, tmp_path: Path) -> None:
    check_error(medpocket("models", "import", str(awq_folder(tmp_path / "awq"))), 1, "AWQ", "vLLM")
    check_error(medpocket("models", "import", str(tmp_path / "none.gguf")), 1, "there is no file")
    check_error(medpocket("models", "import", str(DEMO), "--name", "../x"), 2, "cannot be a model's name")
    check_error(medpocket("models", "import", str(DEMO), "--name", "demo"), 2, "--name")


def test_names_that_are_none_are_answered_with_the_nearest(medpocket: Medpocket) -> None:
    for command in ("show", "verify", "remove", "path"):
        check_error(medpocket("models", command, "biomistral-7b-q5"), 2, "did you mean 'biomistral-7b-q4'?")
    check_error(medpocket("models", "verify", "biomistral-7b-q4"), 2, "is not installed", "pull")
    check_error(medpocket("models", "remove", "biomistral-7b-q4"), 2, "is not installed")
    check_error(medpocket("models", "remove", "demo"), 2, "part of MedPocket")


def test_a_record_edited_by_hand_is_a_clear_error(medpocket: Medpocket, home: Path) -> None:
    medpocket("models", "import", str(DEMO), "--name", "ward")
    record = home / "data" / "models" / "models.json"
    record.write_text(record.read_text().replace("demo.gguf", "../../demo.gguf"))
    for command in (("models", "list"), ("models", "verify"), ("ask", "-m", "ward", "q")):
        check_error(medpocket(*command), 1, "models.json is damaged")


def test_every_model_is_listed_with_its_state(medpocket: Medpocket) -> None:
    listed = medpocket("models", "list").stdout.decode()
    assert "biomistral-7b-q4" in listed and "not installed" in listed and "does not run here" in listed
    rows = data(medpocket("models", "list", "--json"))
    assert rows["default_model"] == "demo"
    assert row(medpocket, "demo")["state"] == "with MedPocket"
