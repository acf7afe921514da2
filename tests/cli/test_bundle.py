"""`medpocket bundle`, and `medpocket models import KIT`, as a user runs them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Medpocket, check_error
from tests.kit.fake_wheels import write_all
from tests.kit.making import model_in_pieces, write_kit
from tests.models.gguf_seeds import write_seed


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return write_all(tmp_path / "wheels", ("cp310", "cp311", "cp312"))


def build(medpocket: Medpocket, wheels: Path, *more: str) -> "subprocess.CompletedProcess[bytes]":
    if not any(one.startswith("--python") for one in more):
        more = ("--python=3.11", *more)
    return medpocket("bundle", "build", "--platform", "linux-x86_64", "--wheels", str(wheels), *more)


def test_a_kit_is_built_and_verified(medpocket: Medpocket, wheels: Path, tmp_path: Path) -> None:
    made = build(medpocket, wheels, "--out", "kit", "--models", "demo", "--python", "3.10..3.12")
    assert made.returncode == 0, made.stderr.decode()
    assert "MedPocket 0.1.0 for linux-x86_64, Python 3.10, 3.11, 3.12" in made.stdout.decode()
    assert "not a clinical one" in made.stderr.decode()  # the advisory of what goes along
    good = medpocket("bundle", "verify", "kit")
    assert good.returncode == 0 and good.stdout.decode().startswith("good: MedPocket 0.1.0 for linux-x86_64")
    (tmp_path / "kit/README.txt").unlink()
    (tmp_path / "kit/wheels/extra\x1b[2J.whl").write_bytes(b"")
    bad = medpocket("bundle", "verify", "kit")
    assert bad.returncode == 1
    assert bad.stdout.decode().splitlines() == ["missing: README.txt", "extra: wheels/extra\ufffd[2J.whl"]


def test_as_json(medpocket: Medpocket, wheels: Path) -> None:
    made = json.loads(build(medpocket, wheels, "--out", "kit", "--archive", "--json").stdout)
    assert made["ok"] and made["data"]["platform"] == "linux-x86_64" and made["data"]["archive"].endswith("kit.tar")
    verified = json.loads(medpocket("bundle", "verify", "kit", "--json").stdout)
    assert verified["data"]["missing"] == verified["data"]["changed"] == verified["data"]["extra"] == []
    failed = json.loads(medpocket("bundle", "verify", "nowhere", "--json").stdout)
    assert not failed["ok"] and failed["error"]["code"] == "kit"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--python", "2.7"), 2, "3.10 to 3.14"),
        (("--python", "3.12..3.10"), 2, "3.10 to 3.14"),
        (("--python", "3.13"), 1, "no wheel of numpy for Python 3.13"),
        (("--split", "much"), 2, "4g is what a FAT32 stick holds"),
        (("--split", "4g", "--archive"), 2, "one large file"),
        (("--models", "biomistral-7b-q4"), 2, "models pull biomistral-7b-q4"),
        (("--models", "biomistral"), 2, "did you mean"),
        (("--experts", "astrology"), 2, "no expert"),
        (("--sign", "no-key"), 1, "no key"),
        (("--wheels", "nowhere"), 1, "make wheels"),
    ],
)
def test_what_cannot_be_built_is_said_in_two_lines(
    medpocket: Medpocket, wheels: Path, tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    result = build(medpocket, wheels, "--out", "kit", *options)
    lines = result.stderr.decode().splitlines()
    assert result.returncode == code, lines
    assert words in " ".join(lines[-2:])
    assert "Traceback" not in " ".join(lines)
    assert not (tmp_path / "kit").exists()


def test_an_unknown_platform_is_refused_with_those_that_there_are(medpocket: Medpocket, wheels: Path) -> None:
    result = medpocket("bundle", "build", "--platform", "amiga", "--wheels", str(wheels), "--out", "kit")
    check_error(result, 2, "amiga", "linux-x86_64, linux-aarch64, linux-aarch64-jetson, macos-arm64, windows-x86_64")


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_signed_kit_is_verified_with_the_signers_key_alone(
    medpocket: Medpocket, wheels: Path, tmp_path: Path
) -> None:
    for name in ("mine", "other"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=60)
    assert build(medpocket, wheels, "--out", "kit", "--sign", "mine").returncode == 0
    assert "with the public key of whoever made it" in " ".join(
        (tmp_path / "kit/README.txt").read_text().lower().split()
    )
    good = medpocket("bundle", "verify", "kit", "--key", "mine.pub")
    assert good.returncode == 0 and "signed by the owner of mine.pub" in good.stdout.decode()
    assert "signed, not checked" in medpocket("bundle", "verify", "kit").stdout.decode()
    check_error(medpocket("bundle", "verify", "kit", "--key", "other.pub"), 1, "was not signed by the owner of")


def test_models_are_imported_from_a_kit(medpocket: Medpocket, tmp_path: Path, home: Path) -> None:
    weights = write_seed(tmp_path / "seed.gguf").read_bytes()
    half = len(weights) // 2
    names = ("models/tiny/tiny.gguf.part-01", "models/tiny/tiny.gguf.part-02")
    tiny = model_in_pieces("tiny", weights, names)
    write_kit(tmp_path / "kit", {names[0]: weights[:half], names[1]: weights[half:]}, (tiny,))
    taken = medpocket("models", "import", "kit")
    assert taken.returncode == 0, taken.stderr.decode()
    assert "tiny is installed" in taken.stdout.decode() and "Mind what it says." in taken.stderr.decode()
    assert (home / "data/models/tiny/tiny.gguf").read_bytes() == weights
    assert (home / "data/models/tiny/tiny.gguf").stat().st_mode & 0o777 == 0o600
    assert "tiny: good" in medpocket("models", "verify", "tiny").stdout.decode()
    assert medpocket("models", "import", "kit").stdout.decode() == "tiny is here already\n"
    check_error(medpocket("models", "import", "kit", "--name", "other"), 2, "--name and --link")


def test_another_model_of_the_same_name_is_not_replaced_unasked(medpocket: Medpocket, tmp_path: Path) -> None:
    weights = write_seed(tmp_path / "seed.gguf").read_bytes()
    assert medpocket("models", "import", "seed.gguf", "--name", "tiny").returncode == 0
    other = write_seed(tmp_path / "other.gguf").read_bytes() + b"\0"
    assert other != weights
    write_kit(
        tmp_path / "kit", {"models/tiny/t.gguf": other}, (model_in_pieces("tiny", other, ("models/tiny/t.gguf",)),)
    )
    refused = medpocket("models", "import", "kit")
    assert refused.returncode == 2 and "--replace" in refused.stderr.decode()
    assert medpocket("models", "import", "kit", "--replace").returncode == 0


def test_a_damaged_model_of_a_kit_is_not_taken(medpocket: Medpocket, tmp_path: Path, home: Path) -> None:
    weights = write_seed(tmp_path / "seed.gguf").read_bytes()
    path = "models/tiny/tiny.gguf"
    write_kit(tmp_path / "kit", {path: weights}, (model_in_pieces("tiny", weights, (path,)),))
    (tmp_path / "kit" / path).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    refused = medpocket("models", "import", "kit")
    assert refused.returncode == 1 and "SHA-256 is not the listed one" in refused.stderr.decode()
    assert not list((home / "data/models").rglob("*.gguf"))


def test_a_kit_without_models_says_so(medpocket: Medpocket, tmp_path: Path) -> None:
    write_kit(tmp_path / "kit")
    check_error(medpocket("models", "import", "kit"), 2, "no models but the demonstration model")
