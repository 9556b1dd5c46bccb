"""Single fields of the database under a key that lies outside it: AES-256-GCM, with the row's id bound in, so that a
sealed field that is moved to another row does not open there."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enkat.model.errors import KeyFileError

_NONCE_BYTES = 12


def seal(key: bytes, text: str, row: str) -> bytes:
    """A text under a key of 32 bytes: nonce, then ciphertext and tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), row.encode())


def unseal(key: bytes, sealed: bytes, row: str, name: str) -> str:
    """The text again; KeyFileError, with the key's name, where it was not sealed under this key for this row."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise KeyFileError(f"keys/{name} does not open this database's {name}; restore both from one backup") from error
