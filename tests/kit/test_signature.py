"""Signed kits: the key that is trusted comes from outside."""

import shutil
import subprocess
from pathlib import Path

import pytest

from medpocket.errors import KitError
from medpocket.kit.manifest import MANIFEST
from medpocket.kit.signature import check_signature, sign, signature_of
from tests.kit.making import write_kit

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")


def new_key(place: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place)], check=True, timeout=60)
    return place


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "key")


@pytest.fixture
def kit(tmp_path: Path, key: Path) -> Path:
    write_kit(tmp_path / "kit")
    sign(tmp_path / "kit", key)
    return tmp_path / "kit"


def test_a_signed_kit_is_known_by_its_signers_public_key(kit: Path, key: Path) -> None:
    assert signature_of(kit) == kit / f"{MANIFEST}.sig"
    check_signature(kit, key.with_suffix(".pub"))


def test_the_key_of_another_is_refused(kit: Path, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other")
    with pytest.raises(KitError, match=r"was not signed by the owner of .*other.pub"):
        check_signature(kit, other.with_suffix(".pub"))


def test_an_edited_manifest_is_refused(kit: Path, key: Path) -> None:
    (kit / MANIFEST).write_text((kit / MANIFEST).read_text().replace("0.1.0", "0.1.1"))
    with pytest.raises(KitError, match="was not signed by the owner"):
        check_signature(kit, key.with_suffix(".pub"))


def test_a_signature_for_another_purpose_is_refused(kit: Path, key: Path) -> None:
    (kit / f"{MANIFEST}.sig").unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "file", str(kit / MANIFEST)]
    subprocess.run(command, check=True, timeout=60)
    with pytest.raises(KitError, match="was not signed by the owner"):
        check_signature(kit, key.with_suffix(".pub"))


def test_a_key_that_came_with_the_kit_is_not_trusted(kit: Path, key: Path) -> None:
    shutil.copy(key.with_suffix(".pub"), kit / "key.pub")
    with pytest.raises(KitError, match="lies in the kit itself"):
        check_signature(kit, kit / "key.pub")


def test_an_unsigned_kit_does_not_pass_for_a_signed_one(tmp_path: Path, key: Path) -> None:
    write_kit(tmp_path / "unsigned")
    with pytest.raises(KitError, match="signed by nobody"):
        check_signature(tmp_path / "unsigned", key.with_suffix(".pub"))


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"no key\n"])
def test_what_is_no_key_proves_nothing(kit: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "wrong").write_bytes(content)
    with pytest.raises(KitError):
        check_signature(kit, tmp_path / "wrong")


def test_signing_with_what_is_no_secret_key_fails_in_two_lines(tmp_path: Path) -> None:
    write_kit(tmp_path / "kit")
    (tmp_path / "no-key").write_text("no key\n")
    with pytest.raises(KitError, match="could not be signed"):
        sign(tmp_path / "kit", tmp_path / "no-key")
    assert signature_of(tmp_path / "kit") is None
