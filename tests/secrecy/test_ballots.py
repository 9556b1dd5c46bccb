"""A sealed ballot: it gives back exactly what was said to who has the meeting's key, and nothing to anybody else."""

import re
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat import catalogue
from enkat.model.errors import KeyFileError
from enkat.model.survey import (
    BALLOT_BYTES,
    TEXT_LIMIT,
    Answer,
    ItemKind,
    Missing,
    Questionnaire,
    Role,
    Stage,
    Submission,
)
from enkat.secrecy.ballots import SEALED_BYTES, content, fits, seal, unseal

MEETING = "0123456789abcdef"
PAIR = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PRIVATE, PUBLIC = PAIR.private_bytes_raw(), PAIR.public_key().public_bytes_raw()
FORMS = {form.id: form for form in catalogue.load()}

#: What people write: letters of any script, emoji of several code points, quotation marks and line breaks.
written = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1, max_size=200),
    st.sampled_from(["👩‍👩‍👧‍👦", "🙂", '"\\', "\n", "</script>", "é́", "مرحبا", "å", "\u2028", "\U0010ffff"]).flatmap(
        lambda piece: st.integers(1, TEXT_LIMIT // len(piece)).map(lambda times: piece * times)
    ),
)


def answers(form: Questionnaire) -> st.SearchStrategy[dict[str, Answer]]:
    """Any way of filling in a form."""
    missing = st.sampled_from(Missing).map(lambda why: Answer(missing=why))
    closed = st.one_of(st.integers(1, len(form.points)).map(lambda value: Answer(value=value)), missing)
    text = st.one_of(written.map(lambda said: Answer(text=said)), missing)
    return st.fixed_dictionaries(
        {}, optional={item.id: text if item.kind is ItemKind.TEXT else closed for item in form.items}
    )


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    form = FORMS[draw(st.sampled_from(sorted(FORMS)))]
    return Submission(
        id=draw(st.binary(min_size=16, max_size=16)).hex(),
        questionnaire=form.id,
        version=draw(st.integers(1, 99)),
        role=draw(st.sampled_from(Role)),
        stage=draw(st.sampled_from(Stage)),
        language=draw(st.sampled_from(["sv", "en", "ar", "ckb"])),
        answers=draw(answers(form)),
    )


def said(**given_: Answer) -> Submission:
    return Submission("f" * 32, "adult", 1, Role.KIN, Stage.AFTER, "sv", given_)


def sealed(submission: Submission) -> bytes:
    return seal(PUBLIC, MEETING, content(submission))


@given(submissions())
@settings(deadline=None, max_examples=250)
def test_what_was_said_comes_out_as_it_went_in_and_every_ballot_is_of_one_size(submission: Submission) -> None:
    ballot = sealed(submission)
    assert len(ballot) == SEALED_BYTES
    assert unseal(PRIVATE, MEETING, ballot) == replace(submission, id="")


@pytest.mark.parametrize("letter", ["a", "å", "م", "🙂", '"', "\\", "\n", "\U0010ffff", "\u2028"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_the_longest_answer_in_any_script_fits(form: Questionnaire, letter: str) -> None:
    fullest = {
        item.id: Answer(text=letter * TEXT_LIMIT) if item.kind is ItemKind.TEXT else Answer(missing=Missing.DECLINED)
        for item in form.items
    }
    submission = Submission("f" * 64, form.id, 10**9, Role.PROFESSIONAL, Stage.AFTER, "zh_Hant_HK", fullest)
    ballot = sealed(submission)
    assert len(ballot) == SEALED_BYTES
    assert unseal(PRIVATE, MEETING, ballot).answers == fullest


def test_a_single_tick_and_a_long_story_look_alike() -> None:
    tick, story = sealed(said(prep=Answer(value=3))), sealed(said(words=Answer(text="🙂" * TEXT_LIMIT)))
    assert len(tick) == len(story) == SEALED_BYTES == 9264


def test_the_form_itself_is_not_in_the_box() -> None:
    """The form's id would tie the ballot to the mark on its invitation."""
    submission = said(words=Answer(text="Hej"))
    assert submission.id.encode() not in content(submission)
    assert bytes.fromhex(submission.id) not in content(submission)
    assert unseal(PRIVATE, MEETING, sealed(submission)).id == ""
    assert content(submission) == content(replace(submission, id="e" * 32))


def test_a_time_of_day_is_not_in_the_box() -> None:
    assert set(re.findall(rb'"(\w+)":', content(said(prep=Answer(value=3))))) == {
        b"questionnaire", b"version", b"role", b"stage", b"language", b"answers", b"prep", b"value",
    }  # fmt: skip


@given(submissions())
@settings(deadline=None, max_examples=100)
def test_the_order_in_which_a_form_was_filled_in_is_not_kept(submission: Submission) -> None:
    turned = replace(submission, answers=dict(reversed(submission.answers.items())))
    assert content(turned) == content(submission)


def test_nothing_of_a_ballot_can_be_read_from_outside() -> None:
    text = "Det kändes tryggt"
    ballot = sealed(said(words=Answer(text=text * 20)))
    assert text.encode() not in ballot
    for word in (b"adult", b"kin", b"words", b"after"):
        assert word not in ballot
    assert len(set(ballot)) == 256, "no padding shows"


def test_the_same_answers_twice_look_like_strangers() -> None:
    first, second = sealed(said(prep=Answer(value=3))), sealed(said(prep=Answer(value=3)))
    assert first != second
    assert first[:32] != second[:32], "not even the key exchange is the same"
    alike = sum(one == other for one, other in zip(first, second, strict=True))
    assert alike < 200, "of 9264 bytes some 36 agree by chance"


def test_a_ballot_does_not_open_with_another_key() -> None:
    other = X25519PrivateKey.generate().private_bytes_raw()
    with pytest.raises(KeyFileError, match=f"keys/meetings/{MEETING} does not open its ballots; restore both"):
        unseal(other, MEETING, sealed(said(prep=Answer(value=3))))


@pytest.mark.parametrize("other", ["0123456789abcdee", "", MEETING + "0", MEETING[:-1], MEETING.upper()])
def test_a_ballot_moved_to_another_meeting_does_not_open(other: str) -> None:
    """Even where both had the same key."""
    with pytest.raises(KeyFileError):
        unseal(PRIVATE, other, sealed(said(prep=Answer(value=3))))


BALLOT = sealed(said(prep=Answer(value=3), words=Answer(text="Hej")))


@given(place=st.one_of(st.integers(0, 31), st.integers(32, SEALED_BYTES - 1)), bit=st.integers(0, 7))
@settings(deadline=None, max_examples=300)
def test_a_ballot_with_one_bit_turned_does_not_open(place: int, bit: int) -> None:
    assert unseal(PRIVATE, MEETING, BALLOT).answers["words"] == Answer(text="Hej")
    spoiled = bytearray(BALLOT)
    spoiled[place] ^= 1 << bit
    with pytest.raises(KeyFileError):
        unseal(PRIVATE, MEETING, bytes(spoiled))


@pytest.mark.parametrize("place", [31, SEALED_BYTES - 1])
def test_the_last_bit_of_the_key_exchange_and_of_the_tag_matter_too(place: int) -> None:
    """X25519 itself passes over the highest bit of its last byte."""
    spoiled = bytearray(BALLOT)
    spoiled[place] ^= 0x80
    with pytest.raises(KeyFileError):
        unseal(PRIVATE, MEETING, bytes(spoiled))


@pytest.mark.parametrize(
    "spoiled",
    [b"", BALLOT[:31], BALLOT[:32], BALLOT[:47], BALLOT[:-1], BALLOT + b"\0", bytes(SEALED_BYTES), BALLOT[::-1]],
    ids=["nothing", "half a key", "a key", "half a tag", "one short", "one over", "noughts", "backwards"],
)
def test_what_is_no_ballot_does_not_open(spoiled: bytes) -> None:
    with pytest.raises(KeyFileError):
        unseal(PRIVATE, MEETING, spoiled)


@pytest.mark.parametrize("size", [BALLOT_BYTES - 3, BALLOT_BYTES, 10 * BALLOT_BYTES])
def test_what_is_larger_than_the_box_is_refused_and_not_cut(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes do not fit a ballot"):
        seal(PUBLIC, MEETING, b"x" * size)
    assert len(seal(PUBLIC, MEETING, b"x" * (BALLOT_BYTES - 4))) == SEALED_BYTES


def test_two_halves_of_one_pair_are_told_from_strangers() -> None:
    other = X25519PrivateKey.generate()
    assert fits(PRIVATE, PUBLIC)
    assert not fits(PRIVATE, other.public_key().public_bytes_raw())
    assert not fits(other.private_bytes_raw(), PUBLIC)
    assert not fits(PRIVATE, PRIVATE)
    assert not fits(PRIVATE, b"")
