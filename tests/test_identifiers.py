"""What tells whom a text is about: numbers and addresses are blanked however they are written, what may be a name is
noticed, and everything else is left alone, byte for byte."""

import timeit
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat.identifiers import BLANK, blanked, may_name
from enkat.model.survey import TEXT_LIMIT
from tests.web.hostile import case

#: The digits of other scripts, and those of East Asian keyboards.
_DIGITS = {
    "Arabic": "٠١٢٣٤٥٦٧٨٩",
    "Persian": "۰۱۲۳۴۵۶۷۸۹",
    "full-width": "０１２３４５６７８９",
    "Devanagari": "०१२३४५६७८९",
}

PHONES = (
    # a mobile's
    "0701234567",
    "070-1234567",
    "070-123 45 67",
    "070 123 45 67",
    "070 - 123 45 67",
    "070–123 45 67",
    "070.123.45.67",
    "070/123 45 67",
    "0701-23 45 67",
    "0 7 0 1 2 3 4 5 6 7",
    "073-987 65 43",
    "076 5 4 3 2 1 0 0",
    # a landline's
    "08-123 456 78",
    "08 123 456 78",
    "08-12 34 56",
    "08 - 12 34 56",
    "031-12 34 56",
    "0911-123 45",
    "0911-12345",
    "0920 12345",
    "0771-123 456",
    "020-12 34 56",
    # with Sweden's own number before it
    "+46701234567",
    "+46 70 123 45 67",
    "+46 70-123 45 67",
    "+46 (0)70 123 45 67",
    "+46(0)701234567",
    "+46.70.123.45.67",
    "+46 8 12 34 56",
    "+46 8-123 456 78",
    "0046701234567",
    "0046 70 123 45 67",
    "0046 (0)70-123 45 67",
    "0046 8 12 34 56",
    # from abroad
    "+47 123 45 678",
    "0047 12345678",
    "+45 12 34 56 78",
    "+49 (0)30 1234567",
    "+44 20 7946 0958",
    "+1 (555) 123-4567",
    "+380 44 123 45 67",
    "00380441234567",
    # without anything that says where it is from
    "1234567",
    "5551234567",
)

IDENTITY_NUMBERS = (
    "900101-1234",
    "900101+1234",
    "900101–1234",
    "900101 1234",
    "900101 - 1234",
    "9001011234",
    "19900101-1234",
    "19900101 1234",
    "199001011234",
    "1990-01-01-1234",
    "1990-01-01 1234",
    "1990 01 01 1234",
    "1990.01.01.1234",
    "90 01 01 12 34",
    "20110229-2391",
    # a coordination number has 60 more in its day
    "900161-1234",
    "900191-1234",
    "19900161-1234",
    "199001611234",
    # a reserve number has a letter
    "900101-T234",
    "900101-t234",
    "19900101-X234",
)

ADDRESSES = (
    "kim@example.se",
    "Kim.Andersson+x@mail.example.co.uk",
    "kim_andersson-99@example.com",
    "kim @ example.se",
    "kim@ example.se",
    "åsa.öberg@exämple.se",
    "олена@приклад.укр",
    "x@y.zz",
)


@pytest.mark.parametrize("written", PHONES + IDENTITY_NUMBERS + ADDRESSES)
def test_a_number_or_an_address_is_blanked_wherever_it_stands(written: str) -> None:
    for before, after in (("", ""), ("Ring ", " i kväll."), ("(", ")"), ("Jag är nöjd.\n", "\nTack!"), (":", ", du?")):
        with case(before, after):
            assert blanked(f"{before}{written}{after}") == f"{before}{BLANK}{after}"


def test_a_number_is_blanked_though_a_bracket_before_it_is_left() -> None:
    for written in ("(070) 123 45 67", "(070)1234567", "(08) 12 34 56", "(+46) 70 123 45 67"):
        assert blanked(f"Ring {written} nu") == f"Ring ({BLANK} nu"
    for abroad in ("+358 40 1234567", "+963 11 123 4567", "+252 61 1234567"):  # as long as an identity number
        assert blanked(f"Ring {abroad} nu") == f"Ring {BLANK} nu"


@pytest.mark.parametrize("script", _DIGITS)
def test_numbers_in_the_digits_of_another_script_are_blanked_too(script: str) -> None:
    table = str.maketrans("0123456789", _DIGITS[script])
    for written in ("0701234567", "070 123 45 67", "08-12 34 56", "+46 70 123 45 67", "0046701234567"):
        assert blanked(f"الرقم {written} شكرا".translate(table)) == f"الرقم {BLANK} شكرا"
    for written in ("900101-1234", "199001011234", "19900161-1234"):
        assert blanked(written.translate(table)) == BLANK


def test_several_numbers_are_blanked_each_by_itself() -> None:
    for between in (", ", " eller ", "\n", " / ", "; ", ") ("):
        with case(between):
            for first, second in (
                ("070-123 45 67", "073-987 65 43"),
                ("kim@example.se", "sam@example.se"),
                ("900101-1234", "0701234567"),
                ("1234567", "19900101-1234"),
                ("08-12 34 56", "kim@example.se"),
            ):
                assert blanked(f"{first}{between}{second}") == f"{BLANK}{between}{BLANK}"


#: What stands between the digits of a number that is copied from a phone's contacts or from a well-set page.
_SET = {
    "no-break spaces": "070-123\u00a045\u00a067",
    "narrow no-break spaces": "070-123\u202f45\u202f67",
    "thin spaces": "070-123\u200945\u200967",
    "no-break hyphen and spaces": "070\u2011123\u00a045\u00a067",
    "no-break hyphen": "08\u2011123456",
    "hyphen": "08\u2010123456",
    "minus": "08\u2212123456",
    "long dash": "08\u2014123456",
    "full-width hyphen": "０８－１２３４５６",
    "full-width plus": "＋４６ ８ １２ ３４ ５６",
    "tab": "070-123\t45\t67",
    "two mobile numbers without a gap": "07012345670739876543",
    "brackets round a birthday": "(900101) 1234",
    "marks of direction": "070\u200e-123\u200e 45\u200e 67",
    "soft hyphens": "070\u00ad123\u00ad45\u00ad67",
    "underscores": "070_123_45_67",
    "brackets": "[070] 123 45 67",
    "an identity number with a no-break space": "900101\u00a01234",
    "an identity number with a no-break hyphen": "900101\u20111234",
    "an identity number with a minus": "900101\u22121234",
    "a full-width at sign": "kim\uff20example.se",
}


@pytest.mark.parametrize("how", _SET)
def test_a_number_that_was_copied_from_a_well_set_page_is_blanked(how: str) -> None:
    left = blanked(f"Ring {_SET[how]} nu")
    assert sum(mark.isdecimal() for mark in left) == 0, left
    assert "example" not in left


# Everything else is left alone

ORDINARY = (
    "",
    "Mer tid. Och kaffe.",
    "Vi sågs kl 08.30-10.00, nästa gång 13:15–14:45.",
    "08.30",
    "kl. 8.30",
    "från 07.30 till 16.00",
    "07.30-16.00",
    "07:30-16:00",
    "klockan 8.00, 9.00 eller 10.00",
    "2026-11-20",
    "Mötet var 20/11 2026.",
    "20/11-2026",
    "20.11.2026",
    "20-22/11 2026",
    "7–11/3",
    "1/12 2025 och 15/1 2026",
    "Ring 112 eller 116 111, vid råd 1177 och polisen 114 14.",
    "116111",
    "11414",
    "Bris: 116 111.",
    "Det kostar 1 200 kr, eller 12 000 kronor om året.",
    "1 200 000 kr",
    "100 000 000 kr",
    "499:-",
    "Hon är 14 år och han 7 1/2.",
    "3 av 9 kom, 6 av 9 ville",
    "1 av 10, 2 av 10",
    "100 % av 45 %, ja 90%",
    "2025-2026",
    "2025–2026",
    "läsåret 2025/26",
    "åk 7-9, vecka 45-46, 0-5 år",
    "på en skala 0-10, 1-5 eller 0-100",
    "1 2 3 4 5 6 7 8 9",
    "betyg 1-2-3-4-5",
    "0,5 eller 0.5",
    "00-talet",
    "010101",
    "M-114 och S-5, rum 204 B",
    "🙂🙏🏽👨‍👩‍👧 1️⃣2️⃣",
    "المعلمة كانت لطيفة معنا، شكرا جزيلا",
    "كان الاجتماع في الساعة ٨:٣٠ يوم ٢٠/١١",
    "ናይ ሎሚ ኣኼባ ጽቡቕ ነይሩ። የቐንየለይ፡ ክልተ ሰዓት",
    "Зустріч була о 10:30, дякую",
    "@ allt, se @norr, 5 @ 10 kr",
    "kim@example",
    "1177.se och www.example.se/sida?id=12",
    "\r\n\ttext\u00a0med\u200fallt\ufeff",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert blanked(text) == text
    assert blanked(f"Vi sa: {text} Så var det.") == f"Vi sa: {text} Så var det."


@given(st.text(max_size=200).filter(lambda text: "@" not in text and sum(mark.isdecimal() for mark in text) < 6))
def test_any_text_with_few_digits_and_no_at_sign_is_left_alone(text: str) -> None:
    assert blanked(text) == text


# Any text

_BETWEEN = st.sampled_from(["", " ", "-", "–", " - "])
_SCRIPT = st.sampled_from(["0123456789", *_DIGITS.values()])
_WORDS = st.text("abcåäöABCشم ,!?\n🙂", max_size=30)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A number as somebody might write it: a mobile's, a landline's, one from abroad, or of a person."""

    def digits(least: int, most: int) -> list[str]:
        return draw(st.lists(st.sampled_from("0123456789"), min_size=least, max_size=most))

    start = draw(st.sampled_from(["07", "+46", "0046", "+", "08", "031", "0911", "person"]))
    if start == "person":
        day = draw(st.dates()).strftime("%y%m%d")
        return f"{day}{draw(_BETWEEN)}{''.join(digits(4, 4))}".translate(str.maketrans("0123456789", draw(_SCRIPT)))
    if start == "+":
        start += draw(st.sampled_from("123456789")) + draw(st.sampled_from("123456789"))
    rest = digits(8, 8) if start in ("07", "+46", "0046", "+") else digits(6, 6)
    written = start + "".join(draw(_BETWEEN) + mark for mark in rest)
    return written.translate(str.maketrans("0123456789", draw(_SCRIPT)))


@given(numbers(), _WORDS, _WORDS)
def test_a_number_is_blanked_whoever_writes_it_and_nothing_else(number: str, before: str, after: str) -> None:
    """The plus before one may be left, where the rest is as long as an identity number."""
    left = blanked(f"{before}\n{number}\n{after}")
    assert left in [f"{before}\n{mark}{BLANK}\n{after}" for mark in ("", "+")]


_NAME = st.text("abcxyzåéøßжي0129.+_-", min_size=1, max_size=20)


@given(_NAME, st.lists(st.text("abcåж09-", min_size=1, max_size=8), min_size=1, max_size=3), _WORDS, _WORDS)
def test_an_address_is_blanked_whoever_writes_it(name: str, host: list[str], before: str, after: str) -> None:
    address = f"{name}@{'.'.join(host)}.se"
    assert blanked(f"{before}\n{address}\n{after}") == f"{before}\n{BLANK}\n{after}"


#: What numbers and addresses are made of, so that chance makes many of them.
_HOSTILE = st.text("0179+-–./() @ab.\n٠۷７TX[…]", max_size=120)


@given(_HOSTILE | st.text(max_size=120))
def test_a_text_never_grows(text: str) -> None:
    """Neither beyond what a text may hold, nor beyond what a ballot holds."""
    kept = blanked(text)
    assert len(kept) <= len(text)
    assert len(kept.encode("utf-8", "replace")) <= len(text.encode("utf-8", "replace"))


@given(st.lists(_HOSTILE | numbers() | st.sampled_from(ADDRESSES), max_size=6))
def test_whoever_blanks_twice_blanks_nothing_more(parts: list[str]) -> None:
    text = ", ".join(part for part in parts if part.count("@") < 2)
    assert blanked(blanked(text)) == blanked(text)


def test_addresses_that_run_together_are_blanked_at_once() -> None:
    assert blanked("a@b.cc@d.ee") == blanked(blanked("a@b.cc@d.ee"))


@given(_HOSTILE)
def test_no_whole_number_is_left(text: str) -> None:
    """Seven to fifteen digits in a row are somebody's number, whatever else they are."""
    runs = "".join(mark if mark.isdecimal() else " " for mark in blanked(text)).split()
    assert not [run for run in runs if 7 <= len(run) <= 15]


#: Texts that make a careless expression look again and again at what it has seen.
_SLOW: dict[str, Callable[[int], str]] = {
    "one long word": lambda size: "a" * size,
    "a word on each side of an at sign": lambda size: f"{'a' * (size // 2)}@{'b' * (size // 2)}",
    "dots after an at sign": lambda size: f"{'a' * (size // 2)}@{'.' * (size // 2)}",
    "at signs": lambda size: "a@" * (size // 2),
    "digits": lambda size: "1" * size,
    "noughts and sevens": lambda size: "07" * (size // 2),
    "digits far apart": lambda size: "0 - " * (size // 4),
    "spaces": lambda size: "1" + " " * size,
    "plus signs": lambda size: "+ 1" * (size // 3),
    "days": lambda size: "01 " * (size // 3),
    "hyphens": lambda size: "A-" * (size // 2),
    "capitals": lambda size: "Aa " * (size // 3),
}


def _as_long_as(shape: str, size: int) -> float:
    text = _SLOW[shape](size)
    return min(timeit.repeat(lambda: (blanked(text), may_name(text)), number=1, repeat=4))


@pytest.mark.parametrize("shape", _SLOW)
def test_a_text_of_double_length_takes_about_double_the_time(shape: str) -> None:
    """No time is asserted, only how it grows: eight times the length may take three times eight, not eight times."""
    assert _as_long_as(shape, TEXT_LIMIT) < 24 * _as_long_as(shape, TEXT_LIMIT // 8)


# Names

NAMING = (
    "Jag heter Omar.",
    "min syster Sara",
    "Mamma Sara var ledsen",
    "Läraren Nilsson lyssnade",
    "Sara Andersson sa ingenting",
    "Anna-Lena Svensson",
    "Tack Karin!",
    "I am called Omar",
    "My sister Sara was there",
    "her teacher Mr Brown",
    "Олена Шевченко була там",
    "Дякую, Олена Шевченко",
)

NOT_NAMING = (
    "",
    "Mer tid. Och kaffe.",
    "Min syster var där.",
    "Det var bra. Vi kom. Alla lyssnade.",
    "Jag heter ingenting här",
    "Min mamma! Hon var arg.",
    "syster: Hon",
    "BUP och Soc var med",
    "I think it was good",
    "My brother was there",
    "Була добра зустріч",
    "Моя сестра була там. Дякую.",
    "Мама сказала що добре",
    "أختي كانت هناك",
    "ሓፍተይ ኣብኡ ነይራ",
    "kl 08.30 i Malmö",
    "1 A B 2",
)


@pytest.mark.parametrize("text", NAMING)
def test_what_may_be_a_name_is_noticed(text: str) -> None:
    assert may_name(text)
    assert may_name(f"det var bra. {text}\nslut")


@pytest.mark.parametrize("text", NOT_NAMING)
def test_what_names_nobody_is_not_taken_for_a_name(text: str) -> None:
    assert not may_name(text)


@given(st.text(max_size=200))
def test_any_text_can_be_judged(text: str) -> None:
    assert may_name(text) in (True, False)
    assert not may_name(text.lower())
