"""From a passphrase to a key."""

import hashlib

SALT_BYTES = 16  # SQLCipher keeps them at the beginning of the file
_KEY_BYTES = 32
# scrypt (RFC 7914): 64 MiB and about a quarter of a second for each guess. Part of the file's format.
_COST, _BLOCK, _PARALLEL = 2**16, 8, 1


def derive_key(passphrase: str, salt: bytes) -> str:
    """Return the hexadecimal digits of the key and of `salt`, as SQLCipher takes them."""
    key = hashlib.scrypt(
        passphrase.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=_COST,
        r=_BLOCK,
        p=_PARALLEL,
        maxmem=2 * 128 * _COST * _BLOCK,
        dklen=_KEY_BYTES,
    )
    return key.hex() + salt.hex()
