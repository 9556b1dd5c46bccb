"""Who gets a link, and what it says: numbers and addresses as people write them, lists with their bad rows named, and
messages that tell nothing to whoever looks over a shoulder."""

import re
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat import addresses, hours
from enkat.i18n import Languages
from enkat.inviting import lists
from enkat.inviting.letters import Desk, write_letter
from enkat.inviting.lists import Row, Words
from enkat.inviting.outbox import Recipient
from enkat.messaging.sms import measure
from enkat.model.errors import Refused
from enkat.model.meeting import Channel
from enkat.model.message import Purpose
from enkat.model.neutral import says_too_much
from enkat.model.survey import Role
from enkat.settings import ZONE
from enkat.wording.participants import ROLES
from tests.conftest import TODAY, Town
from tests.posting import NOON

# Numbers and addresses


@pytest.mark.parametrize(
    "written",
    [
        *("0701740605", "070-174 06 05", "070 174 06 05", "+46701740605", "+46 70 174 06 05", "0046701740605"),
        *("+46 (0)70-174 06 05", "070/1740605", "070.174.06.05", " 0701740605\n", "070–174 06 05", "٠٧٠١٧٤٠٦٠٥"),
        *("\u202a+46 70 174 06 05\u202c", "070\u00a0174\u00a006\u00a005", "\u200e0701740605"),
    ],
)
def test_a_number_is_known_however_it_is_written(written: str) -> None:
    assert addresses.read(written) == (Channel.SMS, "+46701740605")


def test_a_number_of_another_country_keeps_it() -> None:
    assert addresses.read("+358 41 234 5678") == (Channel.SMS, "+358412345678")


NO_PHONES = [
    *("", "070", "112", "0" * 300, "070-CALL-NOW", "0701740605 ext 5", "tel:0701740605", "Anna Svensson"),
    *("0701740605\r\nX: y", "0701740605;1"),
]
NO_MAILS = [
    *("kim@", "@example.se", "kim@example", "kim@example.se\r\nBcc: x@y.se", "kim lund@example.se", "a@b.se, c@d.se"),
    *("Kim <kim@example.se>", "kim@@b.se", "åsa@example.se", f"{'x' * 65}@example.se", f"x@{'y' * 250}.se"),
    *("kim@[127.0.0.1]", "k\0m@example.se"),
]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        *[(written, "contact_phone") for written in NO_PHONES],
        *[(written, "contact_email") for written in NO_MAILS],
        *[(written, "contact_landline") for written in ("08-123 45 67", "020-123 456")],
    ],
)
def test_what_nothing_can_be_sent_to_is_refused_and_not_repeated(written: str, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        addresses.read(written)
    assert refusal.value.reason == reason
    assert len(written) < 4 or written not in str(refusal.value).replace("kim@example.se", "")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("kim@example.se", "kim@example.se"),
        (" Kim.Lund+enkat@Example.SE ", "Kim.Lund+enkat@example.se"),
        ("kim@räksmörgås.se", "kim@xn--rksmrgs-5wao1o.se"),
    ],
)
def test_an_address_is_kept_as_mail_servers_know_it(written: str, kept: str) -> None:
    assert addresses.read(written) == (Channel.EMAIL, kept)


@given(st.text(max_size=80))
def test_whatever_is_pasted_is_an_address_or_is_refused(text: str) -> None:
    try:
        channel, address = addresses.read(text)
    except Refused:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not re.search(r"[\s,;<>]", address)
    if channel is Channel.SMS:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", address)
    assert addresses.read(address) == (channel, address), "read once more it is the same"


def test_an_address_is_shown_by_enough_to_know_it_by() -> None:
    assert addresses.masked(Channel.SMS, "+46701740605") == "+46 ··· 605"
    assert addresses.masked(Channel.EMAIL, "kim@example.se") == "k···@example.se"


# Lists

WORDS = Words(
    {"familj": (Role.FAMILY, "adult"), "barn": (Role.CHILD, None), "professionella": (Role.PROFESSIONAL, None)},
    {"sv": "sv", "arabiska": "ar", "engelska": "en"},
)


def read(text: str, known: frozenset[tuple[Channel, str]] = frozenset()) -> list[Row]:
    return lists.read(text, WORDS, (Role.KIN, None), "sv", known)


def test_a_list_says_whom_in_which_group_and_language_in_whichever_order() -> None:
    rows = read("070-174 06 05\n\n0701740606; Familj\n0701740607\tarabiska\tBarn\nkim@example.se, Engelska , ,\n")
    assert [(row.number, row.recipient) for row in rows] == [
        (1, Recipient(Role.KIN, Channel.SMS, "+46701740605", "sv")),
        (3, Recipient(Role.FAMILY, Channel.SMS, "+46701740606", "sv", "adult")),
        (4, Recipient(Role.CHILD, Channel.SMS, "+46701740607", "ar")),
        (5, Recipient(Role.KIN, Channel.EMAIL, "kim@example.se", "en")),
    ]


def test_a_heading_is_no_row_and_rows_keep_their_numbers() -> None:
    (row,) = read("Telefon;Grupp\n0701740605;Familj\n")
    assert (row.number, row.refusal) == (2, None)
    assert [row.number for row in read("Anna\n0701740605")] == [1, 2], "a lone word is no heading"


def test_every_bad_row_is_named_with_its_reason() -> None:
    known = frozenset([(Channel.SMS, "+46701740609")])
    people = ["0701740605", "070", "0701740606;Grannar", "0701740605", "kim@", "08-123 45 67", "0701740609"]
    people += ["0701740608;Anna Svensson", "Anna Svensson;0701740610", "kim@example.se, ada@example.se"]
    rows = read("\n".join(people), known)
    assert {row.number: row.refusal.reason for row in rows if row.refusal} == {
        2: "contact_phone",
        3: "list_column",
        4: "list_twice",
        5: "contact_email",
        6: "contact_landline",
        7: "list_known",
        8: "list_column",
        9: "list_name",
        10: "list_two",
    }


@pytest.mark.parametrize("first", ["Kim;0701740605", "Mamma, kim@example.se", "kim(at)example.se; Familj", "Kim Lund"])
def test_a_first_row_that_is_somebody_is_never_taken_for_a_heading(first: str) -> None:
    """They would get no link, and nobody would know."""
    rows = read(f"{first}\n0701740606")
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].refusal


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Kim Lund <kim@example.se>", "kim@example.se"),
        ("<kim@example.se>", "kim@example.se"),
        ("mailto:kim@example.se", "kim@example.se"),
        ("tel:+46701740605", "+46701740605"),
        ("0701740605.", "+46701740605"),
    ],
)
def test_an_address_is_known_as_programs_write_it(written: str, address: str) -> None:
    (row,) = read(written)
    assert row.recipient
    assert row.recipient.address == address


@pytest.mark.parametrize(
    ("text", "reason"), [("", "list_empty"), (" \n\t\n", "list_empty"), ("1\n" * 201, "list_long")]
)
def test_a_list_of_nobody_or_of_far_too_many_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(text)
    assert refusal.value.reason == reason


@given(st.text(max_size=300))
def test_whatever_is_pasted_as_a_list_every_row_is_good_or_named(text: str) -> None:
    try:
        rows = read(text)
    except Refused:
        return
    assert all((row.recipient is None) is (row.refusal is not None) for row in rows)
    good = [(row.recipient.channel, row.recipient.address) for row in rows if row.recipient]
    assert len(good) == len(set(good))


# What a message says

BASE = "https://svar.example.se"
KEY = "ABCDE12345"


def letter(languages: Languages, channel: Channel, purpose: Purpose, language: str) -> tuple[str, str, str]:
    desk = Desk(languages, BASE, frozenset(Channel), NOON, TODAY)
    found = write_letter(desk, channel, purpose, "x", KEY, TODAY, language)
    return found.subject, found.text, found.html


def tongues(town: Town) -> list[str]:
    return list(town.house.languages.translators)


def test_an_sms_is_one_part_in_every_language_and_ends_with_its_link(town: Town) -> None:
    for language in tongues(town):
        for purpose in Purpose:
            _subject, text, _html = letter(town.house.languages, Channel.SMS, purpose, language)
            assert measure(text).parts == 1, (language, measure(text))
            wish = "" if language == "sv" else f"?lang={language}"
            assert text.endswith(f" {BASE}/{KEY}{wish}"), language
            assert not re.search(r"[\u2066-\u2069\u200e\u200f]", text), "no mark that nobody sees"


#: What the issue forbids by name, and what else would tell; a person's name cannot be in a text that nobody fills in.
FORBIDDEN = ["socialtjänst", "barn", "ärende", "familj", "nätverksmöte", "möte", "kommun", "uppdrag", "enkät"]


def test_no_message_tells_what_it_is_about(town: Town) -> None:
    for language in tongues(town):
        said = town.house.languages[language].interface.gettext
        groups = [said(ROLES[role]).casefold() for role in (Role.FAMILY, Role.CHILD)]
        for channel in Channel:
            for purpose in Purpose:
                whole = "\n".join(letter(town.house.languages, channel, purpose, language)).casefold()
                assert says_too_much(whole) is None, (language, whole)
                for word in [*FORBIDDEN, *groups]:
                    assert word not in whole, (language, word)


def test_a_message_holds_no_name_and_nothing_of_the_meeting(town: Town) -> None:
    """Nothing is filled in but a link and, in an e-mail, the last day."""
    for language in tongues(town):
        for channel in Channel:
            for purpose in Purpose:
                one = "\n".join(letter(town.house.languages, channel, purpose, language))
                day = town.house.languages[language].day(TODAY)
                rest = one.replace(BASE, "").replace(KEY, "").replace(day, "")
                assert not re.search(r"%\(|\{\{|M-\d", rest)
                assert day in one or channel is Channel.SMS


def test_an_unknown_language_is_written_to_in_swedish(town: Town) -> None:
    assert letter(town.house.languages, Channel.SMS, Purpose.LINK, "xx") == letter(
        town.house.languages, Channel.SMS, Purpose.LINK, "sv"
    )


# When people may be sent something


@pytest.mark.parametrize(
    ("day", "is_free"),
    [
        (date(2026, 11, 22), True),  # a Sunday
        (date(2026, 11, 21), False),  # a Saturday
        (date(2026, 12, 24), True),
        (date(2026, 12, 25), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), True),
        (date(2027, 1, 6), True),
        (date(2027, 3, 26), True),  # Good Friday
        (date(2027, 3, 29), True),  # Easter Monday
        (date(2027, 5, 1), True),
        (date(2027, 5, 6), True),  # Ascension
        (date(2027, 6, 25), True),  # Midsummer's Eve
        (date(2027, 6, 24), False),
    ],
)
def test_the_days_on_which_nobody_is_reminded(day: date, is_free: bool) -> None:
    assert hours.is_free(day) is is_free


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(ZONE)))  # noqa: DTZ001
def test_whatever_the_moment_the_next_is_by_day_and_not_before_it(moment: datetime) -> None:
    by_day = hours.next_in_daytime(moment).astimezone(ZONE)
    reminder = hours.next_for_reminders(moment).astimezone(ZONE)
    assert by_day >= moment
    assert reminder >= moment
    assert 8 <= by_day.hour < 21
    assert 10 <= reminder.hour < 18
    assert not hours.is_free(reminder.date())
    assert (by_day - moment).total_seconds() <= 13 * 3600
    assert (reminder - moment).total_seconds() <= 7 * 24 * 3600
    assert hours.next_in_daytime(by_day) == by_day
    assert hours.next_for_reminders(reminder) == reminder
