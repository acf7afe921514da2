"""The signature of a kit's manifest, made and checked by `ssh-keygen` or `minisign`, whichever the key belongs to.

The key that is trusted always comes from outside the kit: one that lies in it could have been exchanged with the rest.
"""

import subprocess
import tempfile
from pathlib import Path
from shutil import which

from medpocket.errors import KitError
from medpocket.kit.manifest import MANIFEST

SSH, MINISIGN = ".sig", ".minisig"
SIGNATURES = (SSH, MINISIGN)
_NAMESPACE = "medpocket-kit"
_TIMEOUT_S = 600.0  # a person may be typing a passphrase
_MOST_BYTES = 1 << 16
_MINISIGN_SECRET, _MINISIGN_PUBLIC = ("minisign encrypted secret key", "minisign secret key"), "minisign public key"


def sign(kit: Path, key: Path) -> Path:
    """Sign the kit's manifest with a secret key; return the signature's file. Raises KitError."""
    first = _read_key(key).splitlines()[0] if _read_key(key) else ""
    manifest = kit / MANIFEST
    if any(words in first for words in _MINISIGN_SECRET):
        made = manifest.with_name(manifest.name + MINISIGN)
        arguments = [_tool("minisign"), "-S", "-s", str(key), "-m", str(manifest), "-x", str(made)]
    else:
        made = manifest.with_name(manifest.name + SSH)
        arguments = [_tool("ssh-keygen"), "-q", "-Y", "sign", "-f", str(key), "-n", _NAMESPACE, str(manifest)]
    try:
        done = subprocess.run(arguments, stderr=subprocess.PIPE, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode or not made.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines() if done else []
        raise KitError(
            f"the kit could not be signed with {key}{': ' + said[-1] if said else ''}",
            "give a secret key of ssh-keygen (ed25519) or minisign: --sign KEY",
        )
    return made


def signature_of(kit: Path) -> Path | None:
    """The signature that the kit carries, None where it was not signed."""
    return next((path for ending in SIGNATURES if (path := kit / f"{MANIFEST}{ending}").is_file()), None)


def check_signature(kit: Path, key: Path) -> None:
    """Raise KitError unless the kit's manifest is signed by the owner of this public key."""
    content = _read_key(key)
    if kit.resolve() in key.resolve().parents:
        raise KitError(
            f"the key {key} lies in the kit itself, and proves nothing",
            "get the public key from whoever signs the kits by another way, and give that",
        )
    by_minisign = _MINISIGN_PUBLIC in content.partition("\n")[0]
    signature = kit / f"{MANIFEST}{MINISIGN if by_minisign else SSH}"
    if not signature.is_file():
        kind = "with a key of another kind" if signature_of(kit) else "by nobody"
        raise KitError(f"the kit was signed {kind}", "ask whoever made it for a signed one, and for their public key")
    checked = _minisign(kit, key, signature) if by_minisign else _ssh(kit, content, signature)
    if not checked:
        raise KitError(
            f"the kit's {MANIFEST} was not signed by the owner of {key}, or was changed since",
            "do not install it; get the kit anew from whoever made it",
        )


def _ssh(kit: Path, key: str, signature: Path) -> bool:
    tool = _tool("ssh-keygen")
    lines = [line for line in key.splitlines() if line.strip() and not line.startswith("#")]
    with tempfile.TemporaryDirectory(prefix="medpocket-") as folder:
        trusted = Path(folder) / "signers"
        trusted.write_text("".join(f'kit namespaces="{_NAMESPACE}" {line}\n' for line in lines), encoding="utf-8")
        arguments = [tool, "-Y", "verify", "-f", str(trusted), "-I", "kit", "-n", _NAMESPACE, "-s", str(signature)]
        return _succeeds(arguments, kit / MANIFEST)


def _minisign(kit: Path, key: Path, signature: Path) -> bool:
    manifest = kit / MANIFEST
    return _succeeds([_tool("minisign"), "-V", "-q", "-p", str(key), "-m", str(manifest), "-x", str(signature)], None)


def _succeeds(arguments: list[str], stdin: Path | None) -> bool:
    content = stdin.read_bytes() if stdin else b""
    done = subprocess.run(arguments, input=content, capture_output=True, timeout=_TIMEOUT_S, check=False)
    return done.returncode == 0


def _read_key(key: Path) -> str:
    try:
        if key.is_file() and key.stat().st_size <= _MOST_BYTES:
            return key.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    raise KitError(f"{key} is no key that can be read", "give the file of a key of ssh-keygen or minisign")


def _tool(name: str) -> str:
    found = which(name)
    if not found:
        raise KitError(
            f"{name} is not on this machine: no signature can be made or checked",
            "install OpenSSH" if name == "ssh-keygen" else f"install {name}, or use a key of ssh-keygen",
        )
    return found
