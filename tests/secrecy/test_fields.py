"""Sealed fields: open under their key and in their row, and nowhere else."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat.model.errors import KeyFileError
from enkat.secrecy import fields

KEY, ROW = bytes(range(32)), "0123456789abcdef"
ADDRESS = "+46701234567"

#: Whatever can be written in UTF-8, which is all that comes through a form.
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def opened(sealed: bytes, key: bytes = KEY, row: str = ROW) -> str:
    return fields.unseal(key, sealed, row, "contacts")


@given(text=anything, key=st.binary(min_size=32, max_size=32), row=anything)
def test_a_field_opens_as_it_was_sealed(text: str, key: bytes, row: str) -> None:
    assert opened(fields.seal(key, text, row), key, row) == text


def test_the_same_text_is_sealed_otherwise_each_time() -> None:
    sealed = [fields.seal(KEY, ADDRESS, ROW) for _again in range(200)]
    assert len({one[:12] for one in sealed}) == 200, "a nonce is used once"
    assert len({one[12:] for one in sealed}) == 200
    assert {len(one) for one in sealed} == {12 + len(ADDRESS) + 16}
    assert not [one for one in sealed if ADDRESS.encode() in one]


@pytest.mark.parametrize("row", ["0123456789abcdee", "0123456789ABCDEF", "", f"{ROW} ", ROW[:-1], f"{ROW}{ROW}"])
def test_a_field_that_is_moved_to_another_row_does_not_open_there(row: str) -> None:
    with pytest.raises(KeyFileError, match="keys/contacts does not open this database's contacts"):
        opened(fields.seal(KEY, ADDRESS, ROW), row=row)


def test_a_field_does_not_open_under_another_key() -> None:
    for place in range(32):
        other = bytearray(KEY)
        other[place] ^= 1
        with pytest.raises(KeyFileError):
            opened(fields.seal(KEY, ADDRESS, ROW), bytes(other))


def test_no_bit_of_a_sealed_field_can_be_changed() -> None:
    sealed = fields.seal(KEY, ADDRESS, ROW)
    for place in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(KeyFileError):
            opened(bytes(changed))


def test_a_field_that_is_cut_or_made_up_is_refused_in_the_same_words() -> None:
    sealed = fields.seal(KEY, ADDRESS, ROW)
    cut = [sealed[:length] for length in range(8, len(sealed))]
    for broken in (*cut, sealed + b"\0", secrets.token_bytes(40)):
        with pytest.raises(KeyFileError, match="restore both from one backup"):
            opened(broken)


@pytest.mark.parametrize("length", [0, 7])
def test_a_field_cut_to_less_than_a_nonce_is_refused_in_the_same_words(length: int) -> None:
    """Never as an error of the program's inside: a damaged row must not stop a page with a riddle."""
    with pytest.raises(KeyFileError, match="restore both from one backup"):
        opened(fields.seal(KEY, ADDRESS, ROW)[:length])


def test_the_refusal_says_nothing_of_what_was_sealed() -> None:
    with pytest.raises(KeyFileError) as refusal:
        opened(fields.seal(KEY, ADDRESS, ROW), row="elsewhere")
    assert ADDRESS not in str(refusal.value)
    assert ROW not in str(refusal.value)
