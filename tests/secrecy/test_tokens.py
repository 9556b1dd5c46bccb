"""Link keys, receipts and the marks of a submission: how they are typed, what they are bound to, and that they lead
nowhere without the instance's keys."""

import random
import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enkat.model.errors import KeyFileError
from enkat.secrecy import tokens
from enkat.secrecy.keys import InstanceKeys

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEYS = InstanceKeys(*(name.ljust(32, b"x") for name in (b"pepper", b"links", b"contacts", b"web")))
OTHERS = InstanceKeys(b"other pepper".ljust(32, b"p"), b"other links".ljust(32, b"l"), KEYS.contacts, KEYS.web)

#: Every character that a thumb may write for one of the alphabet's.
WRITTEN = {letter: [letter, letter.lower()] for letter in ALPHABET} | {
    "0": ["0", "O", "o"],
    "1": ["1", "I", "i", "L", "l"],
}
GAPS = st.sampled_from(["", "", "", " ", "-", "\u00a0", "\u2009", "\u2010", "\u2011", "–", "—", "\t", "\n", " - "])

codes = st.text(ALPHABET, min_size=10, max_size=10)
receipts = st.text(ALPHABET, min_size=16, max_size=16)
submissions = st.binary(min_size=16, max_size=16).map(bytes.hex)


@st.composite
def typed(draw: st.DrawFn, code: st.SearchStrategy[str]) -> tuple[str, str]:
    """A code and one of the many ways in which somebody may type it."""
    right = draw(code)
    written = "".join(draw(GAPS) + draw(st.sampled_from(WRITTEN[letter])) for letter in right) + draw(GAPS)
    return right, written


def test_a_key_is_ten_characters_that_cannot_be_mistaken() -> None:
    made = [tokens.new_key() for _ in range(2000)]
    assert {len(key) for key in made} == {10}
    assert set("".join(made)) == set(ALPHABET), "all of the alphabet and nothing beside it"
    assert not set("OILU") & set("".join(made))
    assert len(set(made)) == 2000


def test_every_place_of_a_key_is_random() -> None:
    made = [tokens.new_key() for _ in range(2000)]
    assert [len({key[place] for key in made}) for place in range(10)] == [32] * 10


def test_a_demonstration_gets_the_same_keys_for_the_same_seed() -> None:
    def keys(seed: int) -> list[str]:
        chance = random.Random(seed)
        return [tokens.new_key(chance) for _ in range(5)]

    assert keys(1) == keys(1)
    assert not set(keys(1)) & set(keys(2))
    random.seed(1)
    first = tokens.new_key()
    random.seed(1)
    assert tokens.new_key() != first, "nobody else's keys follow from a seed"


@given(typed(codes))
@settings(deadline=None, max_examples=300)
def test_a_key_is_known_however_it_is_typed(pair: tuple[str, str]) -> None:
    right, written = pair
    assert tokens.normal_key(written) == right


@given(typed(receipts))
@settings(deadline=None, max_examples=200)
def test_a_receipt_is_known_however_it_is_typed(pair: tuple[str, str]) -> None:
    right, written = pair
    assert tokens.normal_receipt(written) == right
    assert tokens.normal_key(written) is None, "a receipt is no key"


@given(codes)
@settings(deadline=None, max_examples=50)
def test_what_is_written_for_people_can_be_typed_back(code: str) -> None:
    assert tokens.spoken(code) == f"{code[:5]} {code[5:]}"
    assert tokens.normal_key(tokens.spoken(code)) == code
    receipt = code + code[:6]
    assert tokens.spoken(receipt) == " ".join([receipt[:4], receipt[4:8], receipt[8:12], receipt[12:]])
    assert tokens.normal_receipt(tokens.spoken(receipt)) == receipt


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("O1234 56789", "0123456789"),
        ("oil00-00000", "0110000000"),
        ("OOOOOIIIII", "0000011111"),
        ("lLiI1 oO0oO", "1111100000"),
        (" k7m2q - x9p4d ", "K7M2QX9P4D"),
    ],
)
def test_lookalikes_are_one_character(written: str, key: str) -> None:
    assert tokens.normal_key(written) == key


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "K7M2QX9P4", "K7M2QX9P4DD", "K7M2QX9P4U", "K7M2QX9P4Ö", "K7M2Q.X9P4D", "K7M2Q/X9P4", "K7M2QX9P4%",
        "K7M2QX9P4\0", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "\ud800" * 10, "favicon.ico", "robots.txt", "A" * 100_000,
    ],
)  # fmt: skip
def test_what_cannot_be_a_key_is_none(written: str) -> None:
    assert tokens.normal_key(written) is None
    assert tokens.normal_receipt(written) is None


@given(st.text(max_size=40))
@example("ßßßßß")
@example("ﬁﬁﬁﬁﬁ")
@example("ııııııııııı")
@settings(deadline=None, max_examples=300)
def test_anything_typed_is_a_whole_key_or_none(written: str) -> None:
    code = tokens.normal_key(written)
    assert code is None or (len(code) == 10 and set(code) <= set(ALPHABET))
    assert code is None or tokens.normal_key(code) == code


@given(codes, codes)
@settings(deadline=None, max_examples=100)
def test_a_link_is_looked_up_by_a_hash_that_needs_the_pepper(key: str, other: str) -> None:
    found = tokens.key_hash(KEYS, key)
    assert len(found) == 32
    assert found == tokens.key_hash(KEYS, key)
    assert (found == tokens.key_hash(KEYS, other)) == (key == other)
    assert found != tokens.key_hash(OTHERS, key)
    assert found == tokens.key_hash(replace(OTHERS, pepper=KEYS.pepper), key), "the pepper alone"
    assert key.encode() not in found


links = st.text("0123456789abcdef", min_size=16, max_size=16)


@given(codes, links)
@settings(deadline=None, max_examples=100)
def test_a_sealed_key_can_be_shown_again(key: str, link: str) -> None:
    sealed = tokens.seal_key(KEYS, key, link)
    assert tokens.open_key(KEYS, sealed, link) == key
    assert key.encode() not in sealed
    assert tokens.seal_key(KEYS, key, link) != sealed, "a second sealing does not look like the first"


@given(codes, links, links.filter(lambda link: link != "0" * 16))
@settings(deadline=None, max_examples=100)
def test_a_sealed_key_moved_to_another_link_does_not_open(key: str, link: str, other: str) -> None:
    sealed = tokens.seal_key(KEYS, key, link)
    if other == link:
        other = "0" * 16
    with pytest.raises(KeyFileError, match="keys/links does not open"):
        tokens.open_key(KEYS, sealed, other)


@given(codes, links, st.data())
@settings(deadline=None, max_examples=100)
def test_a_sealed_key_that_was_tampered_with_does_not_open(key: str, link: str, data: st.DataObject) -> None:
    sealed = bytearray(tokens.seal_key(KEYS, key, link))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(KeyFileError):
        tokens.open_key(KEYS, bytes(sealed), link)


def test_a_sealed_key_of_another_installation_does_not_open() -> None:
    sealed = tokens.seal_key(KEYS, "K7M2QX9P4D", "link")
    with pytest.raises(KeyFileError, match="restore both from one backup"):
        tokens.open_key(OTHERS, sealed, "link")
    pepper_lost = replace(OTHERS, links=KEYS.links)
    assert tokens.open_key(pepper_lost, sealed, "link") == "K7M2QX9P4D", "each key has one use"


def test_each_form_gets_an_id_of_its_own() -> None:
    made = {tokens.new_submission() for _ in range(1000)}
    assert len(made) == 1000
    assert all(tokens.is_submission(one) for one in made)
    assert all(len(one) == 32 for one in made), "128 bits"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a" * 16, True), ("a" * 64, True), ("AZaz09_-" * 2, True), ("a" * 15, False), ("a" * 65, False), ("", False),
        ("a" * 16 + "\n", False), ("a" * 15 + " ", False), ("a" * 15 + "å", False), ("a" * 15 + "\0", False),
        ("٠" * 16, False),
    ],
)  # fmt: skip
def test_a_forms_id_is_letters_and_digits_of_some_length(text: str, is_one: bool) -> None:
    assert tokens.is_submission(text) is is_one


@given(submissions, submissions)
@settings(deadline=None, max_examples=150)
def test_a_repeated_sending_gets_the_same_receipt_and_another_one_another(one: str, other: str) -> None:
    receipt = tokens.receipt(KEYS, one)
    assert receipt == tokens.receipt(KEYS, one)
    assert (receipt == tokens.receipt(KEYS, other)) == (one == other)
    assert len(receipt) == 16
    assert set(receipt) <= set(ALPHABET)
    assert tokens.normal_receipt(receipt) == receipt


@given(submissions)
@settings(deadline=None, max_examples=100)
def test_whoever_knows_a_submission_but_not_the_pepper_cannot_write_its_receipt(one: str) -> None:
    assert tokens.receipt(KEYS, one) != tokens.receipt(OTHERS, one)
    assert tokens.receipt(KEYS, one) == tokens.receipt(InstanceKeys(KEYS.pepper, b"", b"", b""), one)
    no_pepper = replace(KEYS, pepper=b"")
    assert tokens.receipt(KEYS, one) != tokens.receipt(no_pepper, one)


def test_receipts_use_every_character_in_every_place() -> None:
    made = [tokens.receipt(KEYS, secrets.token_hex(16)) for _ in range(2000)]
    assert len(set(made)) == 2000
    assert [len({receipt[place] for receipt in made}) for place in range(16)] == [32] * 16


MARKS: dict[str, Callable[[str], bytes]] = {
    "claim": tokens.claim,
    "receipt": lambda one: tokens.receipt_hash(tokens.receipt(KEYS, one)),
    "repeat": lambda one: tokens.content_check(KEYS, one, b"content"),
    "link": lambda one: tokens.key_hash(KEYS, one),
}


@given(submissions)
@settings(deadline=None, max_examples=100)
def test_the_same_text_as_a_key_and_as_a_submission_leaves_two_marks(one: str) -> None:
    """Each keyed hash has one use: a receipt is not a piece of a link's hash."""
    looked_up = int.from_bytes(tokens.key_hash(KEYS, one))
    assert tokens._letters(looked_up, 16) != tokens.receipt(KEYS, one)
    assert tokens.key_hash(KEYS, one + "\0") != tokens.content_check(KEYS, one, b"")


@given(submissions)
@settings(deadline=None, max_examples=100)
def test_a_submissions_marks_have_nothing_in_common(one: str) -> None:
    """The invitation keeps the claim, the ballot the other two; side by side they are strangers."""
    made = [mark(one) for mark in MARKS.values()]
    assert len(set(made)) == len(made)
    assert {len(mark) for mark in made} == {32}
    assert made == [mark(one) for mark in MARKS.values()], "and each is the same tomorrow"
    assert not any(one.encode() in mark or bytes.fromhex(one) in mark for mark in made)


@given(submissions, submissions, st.binary(max_size=50), st.binary(max_size=50))
@settings(deadline=None, max_examples=150)
def test_an_edited_repeat_is_told_from_a_true_one(one: str, other: str, content: bytes, edited: bytes) -> None:
    check = tokens.content_check(KEYS, one, content)
    assert check == tokens.content_check(KEYS, one, content)
    assert (check == tokens.content_check(KEYS, one, edited)) == (content == edited)
    assert (check == tokens.content_check(KEYS, other, content)) == (one == other)
    assert check != tokens.content_check(OTHERS, one, content)


def test_an_id_and_its_content_do_not_run_together() -> None:
    assert tokens.content_check(KEYS, "a" * 16, b"bc") != tokens.content_check(KEYS, "a" * 16 + "b", b"c")
