"""What an SMS costs: as many as its letters need, and no letter is cut in two."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat.messaging.sms import Length, measure


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", Length(0, 1, True)),
        ("Hej!", Length(4, 1, True)),
        ("å" * 160, Length(160, 1, True)),
        ("å" * 161, Length(161, 2, True)),
        ("å" * 306, Length(306, 2, True)),
        ("å" * 307, Length(307, 3, True)),
        ("€" * 80, Length(160, 1, True)),
        ("€" * 81, Length(162, 2, True)),
        # 153 is odd: the last place of the first part stays empty, for an escape is not parted from its letter
        ("€" * 153, Length(306, 3, True)),
        ("a" + "€" * 152, Length(305, 2, True)),
        ("a" * 152 + "€" + "a" * 152, Length(306, 3, True)),
        ("a" * 151 + "€" + "a" * 153, Length(306, 2, True)),
        ("^{}\\[~]|€\f", Length(20, 1, True)),
        ("Ç", Length(1, 1, True)),
        ("ç", Length(1, 1, False)),
        ("\t", Length(1, 1, False)),
        ("\x1b", Length(1, 1, False)),
        ("a\nb\r", Length(4, 1, True)),
        ("س" * 70, Length(70, 1, False)),
        ("س" * 71, Length(71, 2, False)),
        ("س" * 134, Length(134, 2, False)),
        ("س" * 135, Length(135, 3, False)),
        ("😀" * 35, Length(70, 1, False)),
        ("😀" * 36, Length(72, 2, False)),
        # 67 is odd too
        ("😀" * 67, Length(134, 3, False)),
        ("س" + "😀" * 66, Length(133, 2, False)),
        ("a" * 159 + "ሀ", Length(160, 3, False)),
    ],
)
def test_a_text_is_as_long_as_the_network_counts_it(text: str, length: Length) -> None:
    assert measure(text) == length


def test_every_letter_of_the_table_is_there_once() -> None:
    """GSM 03.38 has 128 places; one of them is the escape."""
    letters = [chr(code) for code in range(0x3000) if measure(chr(code)).is_gsm]
    assert [measure(letter).characters for letter in letters].count(1) == 127
    assert [measure(letter).characters for letter in letters].count(2) == 10


_GSM = st.text(st.sampled_from("abc åäö€[]\n"), max_size=500)


@settings(max_examples=50)
@given(st.one_of(st.text(max_size=300), _GSM, _GSM.map(lambda text: text + "س")))
def test_parts_hold_what_they_hold(text: str) -> None:
    length = measure(text)
    alone, each = (160, 153) if length.is_gsm else (70, 67)
    assert length.characters >= len(text)
    assert (length.parts == 1) == (length.characters <= alone)
    if length.parts > 1:
        # each part is full, or one short of it for a letter that takes two
        assert (length.parts - 1) * (each - 1) < length.characters <= length.parts * each


@given(st.text(max_size=200), st.characters())
def test_a_longer_text_never_needs_fewer_parts(text: str, letter: str) -> None:
    assert measure(text + letter).parts >= measure(text).parts


@given(st.text(max_size=200))
def test_the_alphabets_count_as_encoders_do(text: str) -> None:
    length = measure(text)
    if not length.is_gsm:
        assert length.characters == len(text.encode("utf-16-le", "surrogatepass")) // 2
