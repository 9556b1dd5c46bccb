"""Passwords: only the right one is let in, nobody learns which addresses exist, and first ones can be read out."""

import random
import re
import subprocess
import sys

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from enkat.secrecy import passwords

PASSWORD = "korrekt häst batteri 🐴"
STORED = passwords.hash_password(PASSWORD)


def test_the_right_password_is_let_in() -> None:
    assert passwords.verify(PASSWORD, STORED)


WRONG = {
    "nothing": "",
    "in capitals": PASSWORD.upper(),
    "a space after": PASSWORD + " ",
    "a space before": " " + PASSWORD,
    "one short": PASSWORD[:-1],
    "a nul after": PASSWORD + "\0",
    "far too long": PASSWORD + "x" * 5000,
    "the hash itself": STORED,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_any_other_password_is_not(wrong: str) -> None:
    assert not passwords.verify(wrong, STORED)


NO_HASH = {
    "None": None,
    "nothing": "",
    "a word": "x",
    "a password in clear": "correct-horse-battery",
    "half a hash": "$argon2id$",
    "a hash cut off": STORED[:-1],
    "another kind of hash": "$2b$12$" + "x" * 53,
}


@pytest.mark.parametrize("password", ["", PASSWORD, "x" * 5000], ids=["nothing", "the password", "far too long"])
@pytest.mark.parametrize("stored", NO_HASH.values(), ids=NO_HASH.keys())
def test_nobody_gets_in_where_no_hash_is_kept(password: str, stored: str | None) -> None:
    assert passwords.verify(password, stored) is False


def test_a_password_is_kept_as_argon2id_with_the_recommended_cost() -> None:
    """OWASP's first choice: 46 MiB, one pass, one lane. The tests themselves hash for less."""
    made = "import sys; from enkat.secrecy import passwords; print(passwords.hash_password(sys.argv[1]))"
    stored = subprocess.run([sys.executable, "-c", made, PASSWORD], capture_output=True, check=True, text=True).stdout
    kept = extract_parameters(stored.strip())
    assert stored.startswith("$argon2id$")
    assert (kept.type, kept.memory_cost, kept.time_cost, kept.parallelism) == (Type.ID, 47104, 1, 1)
    assert kept.salt_len >= 16
    assert kept.hash_len >= 32
    assert PASSWORD not in stored


def test_the_same_password_twice_is_kept_as_two_strangers() -> None:
    again = passwords.hash_password(PASSWORD)
    assert again != STORED
    assert passwords.verify(PASSWORD, again)


def test_an_address_that_does_not_exist_costs_as_much_as_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = passwords._nobody()
    assert extract_parameters(nobody) == extract_parameters(STORED)
    assert passwords._nobody() is nobody, "one check, and not a new hash and a check"
    asked: list[str] = []
    monkeypatch.setattr(passwords, "_nobody", lambda: asked.append("nobody") or STORED)
    assert passwords.verify(PASSWORD, None) is False, "even with nobody's own password"
    assert asked == ["nobody"]
    assert passwords.verify(PASSWORD, STORED)
    assert asked == ["nobody"]


def test_a_first_password_can_be_read_out_over_a_telephone() -> None:
    made = [passwords.new_password() for _ in range(500)]
    assert len(set(made)) == 500
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", one) for one in made)
    used = set("".join(made)) - {"-"}
    assert not used & set("il1o0"), "nothing that sounds or looks like another"
    assert len(used) >= 30
    assert all(passwords.FEWEST_CHARACTERS <= len(one) <= passwords.MOST_CHARACTERS for one in made)


def test_only_a_demonstration_gets_the_same_first_passwords_again() -> None:
    assert passwords.new_password(random.Random(7)) == passwords.new_password(random.Random(7))
    assert passwords.new_password(random.Random(7)) != passwords.new_password(random.Random(8))
    random.seed(7)
    first = passwords.new_password()
    random.seed(7)
    assert passwords.new_password() != first
