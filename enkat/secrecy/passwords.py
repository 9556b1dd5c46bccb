"""Passwords: argon2id, and first passwords that can be read out over a telephone."""

import secrets
from functools import cache
from random import Random

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: OWASP's first choice for argon2id: 46 MiB, one pass, one lane.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47104, parallelism=1)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 200


def new_password(source: Random | None = None) -> str:
    """Four groups of four easily told characters (79 bits); a source only for the demonstration."""
    choose = (source or secrets.SystemRandom()).choice
    return "-".join("".join(choose(_LETTERS) for _ in range(4)) for _ in range(4))


def hash_password(password: str) -> str:
    """What the database keeps."""
    return _HASHER.hash(password)


def prepare() -> None:
    """Make what an unknown address is checked against, before anybody can notice how long that takes."""
    _nobody()


def verify(password: str, stored: str | None) -> bool:
    """True where the password is the stored one; as slow for somebody who does not exist."""
    try:
        return _HASHER.verify(stored or _nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Checked in place of the hash that an unknown address does not have, so that both take as long."""
    return _HASHER.hash(secrets.token_hex(16))
