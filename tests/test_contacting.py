"""The room for contacts: where somebody's link goes is sealed, kept no longer than the link, and never kept at all of
a protected assignment, whichever way it comes in."""

import sqlite3
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat import counting, inviting, worker
from enkat.inviting import contacting
from enkat.inviting.contacting import Address
from enkat.model.errors import EnkatError, KeyFileError, NotFound, Refused
from enkat.model.meeting import CONTACT_DAYS, Channel, Meeting, OpenedLink
from enkat.model.survey import Role
from enkat.storage import contacts
from enkat.storage.engine import Row, number, rows, write
from tests.conftest import TODAY, Town
from tests.inspection import InspectingClient

PHONE, MAIL = "+46731112233", "kim.lund@example.org"


def sms(link: OpenedLink, address: str = PHONE) -> Address:
    return Address(link.id, Channel.SMS, address)


def mail(link: OpenedLink, address: str = MAIL) -> Address:
    return Address(link.id, Channel.EMAIL, address)


def remember(town: Town, meeting: Meeting, *addresses: Address) -> None:
    contacting.remember(town.db, town.house.keys, meeting.id, addresses)


def told(town: Town, meeting: Meeting) -> set[Address]:
    """Where a meeting's links go, as whoever sends them is told."""
    return set(contacting.addresses(town.db, town.house.keys, meeting.id))


def stored(town: Town) -> list[Row]:
    return rows(town.db, "select * from contact order by id")


def refused(town: Town, meeting: Meeting, *addresses: Address) -> str:
    """Why addresses are refused; none of them is kept, and no entry written."""
    before = stored(town), number(town.db, "select count(*) from audit_entry")
    with pytest.raises(Refused) as refusal:
        remember(town, meeting, *addresses)
    assert (stored(town), number(town.db, "select count(*) from audit_entry")) == before
    said = str(refusal.value).removesuffix("such as +46701234567").removesuffix("such as kim@example.se")
    for one in addresses:
        assert len(one.address) < 5 or one.address not in said, "it may come to stand in a log"
    return refusal.value.reason


@pytest.fixture
def meeting(town: Town) -> Meeting:
    return town.meeting()


@pytest.fixture
def kim(town: Town, meeting: Meeting) -> OpenedLink:
    """The personal link of somebody who had to go."""
    return town.personal(meeting, Role.KIN)


# What is kept, and how


def test_an_address_is_kept_for_a_personal_link_and_told_to_whoever_sends_it(
    town: Town, meeting: Meeting, kim: OpenedLink
) -> None:
    ada = town.personal(meeting, Role.FAMILY)
    other = town.meeting(assignment=town.assignment("M-2"))
    remember(town, meeting, sms(kim), mail(kim), mail(ada, "ada@example.se"))
    assert told(town, meeting) == {sms(kim), mail(kim), mail(ada, "ada@example.se")}
    assert told(town, other) == set()
    assert {row["delete_on"] for row in stored(town)} == {(meeting.closes + timedelta(days=14)).isoformat()}
    assert {row["protected"] for row in stored(town)} == {0}


def test_an_address_is_nowhere_in_clear(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    remember(town, meeting, sms(kim), mail(kim))
    worker.work(town.house)
    for file in town.house.settings.instance.rglob("*"):
        held = file.read_bytes() if file.is_file() else b""
        for part in (PHONE, PHONE[1:], PHONE[3:], MAIL, "kim.lund", "KIM.LUND"):
            assert part.encode() not in held, file
            assert part.encode("utf-16-le") not in held, file


def test_the_same_address_is_sealed_otherwise_each_time(town: Town, meeting: Meeting) -> None:
    links = [town.personal(meeting, Role.FAMILY) for _person in range(3)]
    remember(town, meeting, *map(sms, links))
    first = {bytes(row["sealed_address"]) for row in stored(town)}
    remember(town, meeting, *map(sms, links))
    second = {bytes(row["sealed_address"]) for row in stored(town)}
    assert len(first | second) == 6
    assert len({sealed[:12] for sealed in first | second}) == 6


def test_an_address_that_is_moved_to_another_row_does_not_open_there(
    town: Town, meeting: Meeting, kim: OpenedLink
) -> None:
    """Whoever can write to the database cannot have somebody's link sent to another's phone."""
    ada = town.personal(meeting, Role.FAMILY)
    remember(town, meeting, sms(kim), sms(ada, "+46709999999"))
    one, other = stored(town)
    town.db.execute("update contact set sealed_address = ? where id = ?", [one["sealed_address"], other["id"]])
    with pytest.raises(KeyFileError, match="keys/contacts"):
        told(town, meeting)


def test_an_address_opens_under_no_other_installations_key(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    remember(town, meeting, sms(kim))
    key = town.house.settings.keys / "contacts"
    key.write_bytes(bytes(32))
    del town.house.keys.instance  # read at the next start
    with pytest.raises(KeyFileError, match="keys/contacts"):
        told(town, meeting)


def test_a_second_address_of_a_channel_takes_the_firsts_place(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    remember(town, meeting, sms(kim), mail(kim))
    before = {row["channel"]: bytes(row["sealed_address"]) for row in stored(town)}
    remember(town, meeting, sms(kim, "+46709999999"))
    assert told(town, meeting) == {sms(kim, "+46709999999"), mail(kim)}
    worker.work(town.house)
    held = town.house.settings.database.read_bytes()
    assert before["sms"] not in held
    assert before["email"] in held


def test_of_two_addresses_of_a_channel_given_together_the_last_is_kept(
    town: Town, meeting: Meeting, kim: OpenedLink
) -> None:
    remember(town, meeting, sms(kim, "+46701111111"), sms(kim, "+46702222222"))
    assert told(town, meeting) == {sms(kim, "+46702222222")}


def test_a_replaced_link_goes_where_the_old_one_went(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    remember(town, meeting, sms(kim))
    new = inviting.replace_link(town.db, town.house.keys, meeting.id, kim.id)
    assert told(town, meeting) == {sms(new)}


# When it goes


def sealed(town: Town) -> list[bytes]:
    """What of the contacts would be found again: row, and address with its nonce."""
    found = [bytes(row["sealed_address"]) for row in stored(town)] + [row["id"].encode() for row in stored(town)]
    assert found
    return found


def left(town: Town, marks: list[bytes]) -> list[bytes]:
    """What of it still stands anywhere in the instance's files, after the background work."""
    held = b"\n".join(file.read_bytes() for file in town.house.settings.instance.rglob("*") if file.is_file())
    return [mark for mark in marks if mark in held or mark[:16] in held or mark[-16:] in held]


def test_the_count_removes_a_meetings_addresses_and_no_others(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    remember(town, meeting, sms(kim), mail(kim))
    gone = sealed(town)
    other = town.meeting(assignment=town.assignment("M-2"))
    omar = town.personal(other, Role.KIN)
    remember(town, other, sms(omar, "+46709999999"))
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert (told(town, meeting), told(town, other)) == (set(), {sms(omar, "+46709999999")})
    worker.work(town.house)
    assert left(town, gone) == []
    assert len(left(town, sealed(town))) == 2, "the search finds what is there"


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_what_is_not_counted_loses_its_addresses_two_weeks_after_closing(
    town: Town, meeting: Meeting, kim: OpenedLink, days: int
) -> None:
    """Its key is gone, so that it cannot be counted; the addresses go all the same, on the very day."""
    remember(town, meeting, sms(kim), mail(kim))
    gone = sealed(town)
    (town.house.keys.meetings / meeting.id).unlink()
    day = meeting.closes + timedelta(days=CONTACT_DAYS + days)
    assert worker.work(town.at(day)).counted.failures
    assert len(stored(town)) == (2 if days < 0 else 0)
    assert bool(left(town, gone)) == (days < 0)
    assert CONTACT_DAYS == 14


def test_of_several_meetings_only_those_that_are_due_lose_their_addresses(town: Town) -> None:
    early, late = (
        town.meeting(assignment=town.assignment(reference), closes=TODAY + timedelta(days=days))
        for reference, days in (("M-1", 5), ("M-2", 6))
    )
    for one in (early, late):
        remember(town, one, sms(town.personal(one, Role.KIN)), mail(town.personal(one, Role.KIN)))
    day = early.closes + timedelta(days=CONTACT_DAYS)
    assert contacting.remove_due(town.db, day - timedelta(days=1)) == 0
    assert contacting.remove_due(town.db, day) == 1
    assert (len(told(town, early)), len(told(town, late))) == (0, 2)
    assert contacting.remove_due(town.db, day) == 0
    assert contacting.remove_due(town.db, day + timedelta(days=400)) == 1
    assert stored(town) == []


def test_a_revoked_links_addresses_go_with_it_and_no_others(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    ada = town.personal(meeting, Role.KIN)
    remember(town, meeting, sms(kim), mail(kim))
    gone = sealed(town)
    remember(town, meeting, sms(ada, "+46709999999"))
    inviting.revoke_link(town.db, meeting.id, kim.id)
    assert told(town, meeting) == {sms(ada, "+46709999999")}
    assert len(stored(town)) == 1
    worker.work(town.house)
    assert left(town, gone) == []


def test_whoever_gets_a_revoked_links_place_does_not_get_its_address(
    town: Town, meeting: Meeting, kim: OpenedLink
) -> None:
    remember(town, meeting, sms(kim))
    inviting.revoke_link(town.db, meeting.id, kim.id)
    for _person in range(3):
        town.personal(meeting, Role.KIN)
    assert told(town, meeting) == set()


def test_a_place_that_is_removed_takes_its_addresses_along(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    remember(town, meeting, sms(kim))
    place = stored(town)[0]["invitation"]
    with write(town.db):
        town.db.execute("delete from link where invitation = ?", [place])
        town.db.execute("delete from invitation where id = ?", [place])
    assert stored(town) == []


@pytest.mark.parametrize("seed", range(4))
def test_no_byte_of_addresses_that_went_is_left_in_the_file(
    town: Town, participant: InspectingClient, seed: int
) -> None:
    """Many addresses, remembered, replaced, revoked, counted and outlived in mixed order, on pages they share."""
    chance = Random(seed)
    meetings = [town.meeting(assignment=town.assignment(f"M-{n}")) for n in range(4)]
    gone = dict[str, bytes]()
    for _act in range(60):
        meeting = chance.choice(meetings)
        known = [address.link for address in told(town, meeting)]
        if known and chance.random() < 0.3:
            inviting.revoke_link(town.db, meeting.id, chance.choice(known))
        else:
            link = town.personal(meeting, chance.choice([Role.FAMILY, Role.KIN]))
            many = "x" * chance.randint(1, 60)
            remember(town, meeting, sms(link), mail(link, f"{many}@example.se"))
            if chance.random() < 0.5:
                remember(town, meeting, mail(link, f"{many}@example.org"))
        gone |= {row["id"]: bytes(row["sealed_address"]) for row in stored(town)}
    counting.close_and_count(town.db, town.house.keys, meetings[0].id, TODAY)
    worker.work(town.house)
    kept = {row["id"]: bytes(row["sealed_address"]) for row in stored(town)}
    assert len(gone) > len(kept) + 20
    assert len(left(town, list(kept.values()))) == len(kept), "the search finds what is there"
    assert left(town, [mark for row, mark in gone.items() if row not in kept]) == []
    assert left(town, [row.encode() for row in gone if row not in kept]) == []


@pytest.mark.parametrize("way", ["replaced", "outlived", "counted", "revoked"])
def test_where_addresses_went_the_file_is_to_be_written_anew(
    town: Town, meeting: Meeting, kim: OpenedLink, way: str
) -> None:
    """That no page happened to be split would be luck."""
    remember(town, meeting, sms(kim))
    worker.work(town.house)
    assert number(town.db, "pragma user_version") == 0
    if way == "replaced":
        remember(town, meeting, sms(kim, "+46709999999"))
    elif way == "outlived":
        contacting.remove_due(town.db, meeting.closes + timedelta(days=CONTACT_DAYS))
    elif way == "counted":
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    else:
        inviting.revoke_link(town.db, meeting.id, kim.id)
    assert number(town.db, "pragma user_version") == 1


# A protected assignment


@pytest.fixture
def shielded(town: Town) -> Meeting:
    """A meeting of a family whose address is protected."""
    return town.meeting(assignment=town.assignment("M-7", protected=True))


def test_no_address_is_kept_of_a_protected_assignment(town: Town, shielded: Meeting) -> None:
    link = town.personal(shielded, Role.KIN)
    for address in (sms(link), mail(link)):
        assert refused(town, shielded, address) == "protected_contact"
    assert stored(town) == []


def a_row(town: Town, meeting: Meeting, link: OpenedLink, /, **other: object) -> Row:
    """A contact as somebody might write it who goes round the program."""
    (place,) = rows(town.db, "select invitation from link where id = :link", link=link.id)
    return {
        "id": "ab" * 16,
        "invitation": place["invitation"],
        "meeting": meeting.id,
        "assignment": meeting.assignment,
        "protected": 0,
        "channel": "sms",
        "sealed_address": b"sealed",
        "delete_on": "2026-12-18",
    } | other


def put(town: Town, row: Row, verb: str = "insert") -> None:
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    with write(town.db):
        town.db.execute(f"{verb} into contact ({names}) values ({marks})", row)


def test_the_schema_takes_a_contact_that_belongs_together(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    """Else the refusals below would be of something else."""
    put(town, a_row(town, meeting, kim))
    assert number(town.db, "select count(*) from contact") == 1


@pytest.mark.parametrize("verb", ["insert", "insert or replace"])
def test_the_schema_refuses_a_contact_of_a_protected_assignment_however_it_is_written(
    town: Town, meeting: Meeting, kim: OpenedLink, shielded: Meeting, verb: str
) -> None:
    theirs = town.personal(shielded, Role.KIN)
    tries: list[Row] = [
        a_row(town, shielded, theirs),
        a_row(town, shielded, theirs, protected=1),
        a_row(town, shielded, theirs, protected=None),
        a_row(town, shielded, theirs, assignment=meeting.assignment),
        a_row(town, shielded, theirs, assignment=None),
        a_row(town, shielded, theirs, meeting=meeting.id, assignment=meeting.assignment),
        a_row(town, shielded, theirs, meeting=None),
        a_row(town, shielded, theirs, meeting=None, assignment=meeting.assignment),
        a_row(town, meeting, kim, assignment=shielded.assignment),
        a_row(town, meeting, kim, meeting=shielded.id, assignment=shielded.assignment),
    ]
    for row in tries:
        with pytest.raises(sqlite3.IntegrityError):
            put(town, row, verb)
    assert stored(town) == []


def test_the_schema_refuses_to_make_a_protected_contact_of_another(
    town: Town, meeting: Meeting, kim: OpenedLink, shielded: Meeting
) -> None:
    theirs = town.personal(shielded, Role.KIN)
    place = a_row(town, shielded, theirs)["invitation"]
    put(town, a_row(town, meeting, kim))
    before = stored(town)
    ours, other = {"id": meeting.assignment}, {"id": shielded.assignment}
    for sql, values in [
        ("update contact set invitation = :place, meeting = :meeting, assignment = :id", other),
        ("update contact set invitation = :place, meeting = :meeting", {}),
        ("update contact set invitation = :place", {}),
        ("update contact set assignment = :id", other),
        ("update contact set protected = 1", {}),
        ("update contact set protected = null", {}),
        ("update meeting set assignment = :id where id = :ours", other),
        ("update assignment set protected = 1 where id = :id", ours),
        ("update assignment set protected = 1", {}),
        ("update invitation set meeting = :meeting where id = (select invitation from contact)", {}),
        (
            "insert or replace into assignment select id, reference, unit, source, 1 from assignment where id = :id",
            ours,
        ),
        ("delete from assignment where id = :id", ours),
    ]:
        named = values | {"place": place, "meeting": shielded.id, "ours": meeting.id}
        used = {name: value for name, value in named.items() if f":{name}" in sql}
        with pytest.raises(sqlite3.IntegrityError), write(town.db):
            town.db.execute(sql, used)
        assert stored(town) == before, sql


def test_an_assignment_without_addresses_can_be_protected_and_takes_none_from_then_on(
    town: Town, meeting: Meeting, kim: OpenedLink
) -> None:
    remember(town, meeting, sms(kim))
    inviting.revoke_link(town.db, meeting.id, kim.id)
    with write(town.db):
        town.db.execute("update assignment set protected = 1 where id = ?", [meeting.assignment])
    link = town.personal(meeting, Role.KIN)
    assert refused(town, meeting, sms(link)) == "protected_contact"
    with pytest.raises(sqlite3.IntegrityError):
        put(town, a_row(town, meeting, link))


def test_the_schema_refuses_even_the_program(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    """Protected in the moment between the question and the write."""
    remember(town, meeting, sms(kim))
    (contact,) = contacts.of_meeting(town.db, meeting.id)
    contacts.delete_of(town.db, meeting.id)
    town.db.execute("update assignment set protected = 1 where id = ?", [meeting.assignment])
    with pytest.raises(sqlite3.IntegrityError), write(town.db):
        contacts.put(town.db, contact, meeting)
    assert stored(town) == []


# What else is refused


def test_an_address_belongs_to_a_personal_link_that_is_live_and_of_the_meeting(
    town: Town, meeting: Meeting, kim: OpenedLink
) -> None:
    other = town.meeting(assignment=town.assignment("M-2"))
    foreign, revoked = town.personal(other, Role.KIN), town.personal(meeting, Role.KIN)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    assert refused(town, meeting, sms(town.rooms(meeting)[Role.FAMILY])) == "room_contact"
    for link in (foreign.id, revoked.id, "", "nothing", kim.key):
        with pytest.raises(NotFound):
            remember(town, meeting, Address(link, Channel.SMS, PHONE))
    with pytest.raises(NotFound):
        contacting.remember(town.db, town.house.keys, "nowhere", [sms(kim)])
    assert stored(town) == []


def test_a_counted_meeting_takes_no_address(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    row = a_row(town, meeting, kim)
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert refused(town, meeting, sms(kim)) == "counted"
    with pytest.raises(sqlite3.IntegrityError):
        put(town, row)


@pytest.mark.parametrize("bad", ["a malformed one", "a room's", "a foreign link's"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_all_addresses_are_kept_or_none(town: Town, meeting: Meeting, kim: OpenedLink, bad: str, place: int) -> None:
    remember(town, meeting, mail(kim))
    before = stored(town)
    given = [sms(kim), mail(kim, "new@example.se")]
    foreign = town.personal(town.meeting(assignment=town.assignment("M-2")), Role.KIN)
    wrong = {
        "a malformed one": sms(kim, "070"),
        "a room's": sms(town.rooms(meeting)[Role.FAMILY]),
        "a foreign link's": sms(foreign),
    }
    given.insert(place, wrong[bad])
    with pytest.raises(EnkatError):
        remember(town, meeting, *given)
    assert stored(town) == before


GOOD_PHONES = ["+46731112233", "+4681234567", "+15551234567", "+298123456", "+123456789012345"]
BAD_PHONES = [
    *("", " ", "+", "0731112233", "46731112233", "+0731112233", "+46 73 111 22 33", "+46-731112233", "+46(0)731112233"),
    *("+123456", "+1234567890123456", "++46731112233", "+4673111223x", "tel:+46731112233", "+46731112233;+46709999999"),
    *("+46731112233\n", "\n+46731112233", "+46731112233\r\nTo: x", "+46731112233\0", "+46731112233 ", " +46731112233"),
    *("+4673111223٧", "+467０1112233", "＋46731112233", "+46731112233\u200b", "\u202e+46731112233", "+4673²112233"),
    *("kim@example.nu", "+46731112233" * 50),
]
GOOD_MAILS = [
    *("kim@example.nu", "kim.lund+enkat@sub.example.se", "k@e", "åsa@räksmörgås.se"),
    *("x" * 64 + "@" + "y" * 190, "KIM@EXAMPLE.SE"),
]
BAD_MAILS = [
    *(
        "",
        " ",
        "@",
        "kim",
        "kim@",
        "@example.se",
        "kim@@example.se",
        "kim@a@b",
        "kim lund@example.se",
        "kim@example .se",
    ),
    *(
        "kim@example.nu\n",
        "\nkim@example.nu",
        "kim@example.nu\r\nBcc: all@example.se",
        "kim\r\n@example.se",
        "kim@ex\nample.se",
    ),
    *("kim@example.nu\nBcc: x", "kim@example.nu\0", "kim\0@example.se", "kim\x7f@example.se", "kim\x1b@e.se"),
    *("kim@example.nu,omar@example.se", "kim@example.nu;omar@example.se", "<kim@example.nu>", "Kim <kim@example.nu>"),
    *(
        '"kim"@example.se',
        "kim'@example.se",
        "mailto:kim@example.nu",
        "kim@example.nu:25",
        "kim@example.nu ",
        " kim@example.nu",
    ),
    *(
        "kim@example\u2028.se",
        "kim@example\u0085.se",
        "kim\u00a0@example.se",
        "kim\u200b@example.se",
        "\u202ekim@example.nu",
    ),
    *("kim\ufeff@example.se", "kim@example\u00ad.se", "kim\ud800@example.se", "kim@exam\u3000ple.se"),
    *("x" * 65 + "@example.se", "x@" + "y" * 191, "x" * 100_000 + "@" + "y" * 100_000, PHONE),
]


@pytest.mark.parametrize(("channel", "given"), [(Channel.SMS, GOOD_PHONES), (Channel.EMAIL, GOOD_MAILS)])
def test_addresses_as_people_have_them_are_kept_as_they_are(
    town: Town, meeting: Meeting, kim: OpenedLink, channel: Channel, given: list[str]
) -> None:
    for address in given:
        remember(town, meeting, Address(kim.id, channel, address))
        assert told(town, meeting) == {Address(kim.id, channel, address)}


@pytest.mark.parametrize(
    ("channel", "reason", "given"),
    [(Channel.SMS, "contact_phone", BAD_PHONES), (Channel.EMAIL, "contact_email", BAD_MAILS)],
)
def test_what_is_no_address_is_refused_and_not_repeated(
    town: Town, meeting: Meeting, kim: OpenedLink, channel: Channel, reason: str, given: list[str]
) -> None:
    for address in given:
        assert refused(town, meeting, Address(kim.id, channel, address)) == reason, repr(address)
    assert stored(town) == []


@settings(max_examples=300)
@given(
    before=st.text(max_size=3),
    between=st.sampled_from(["", "@", "\n", "\r\n", "\0", ",", ";", " ", "<", "\u2028"]),
    after=st.text(max_size=3),
    base=st.sampled_from([PHONE, MAIL]),
    channel=st.sampled_from(Channel),
)
def test_whatever_is_kept_fits_on_one_line_of_a_message(
    before: str, between: str, after: str, base: str, channel: Channel
) -> None:
    """Nothing that is kept can begin a header, a second address or a command of its own."""
    address = before + base + between + after
    try:
        contacting._judge(Address("", channel, address))
    except Refused:
        return
    assert address.isprintable()
    assert not set(address) & set(" ,;:<>\"'")
    assert len(address) <= 255
    assert address.count("@") == (channel is Channel.EMAIL)
    if channel is Channel.SMS:
        assert address.isascii()
        assert address[1:].isdigit()


# The schema's other promises


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "fax"},
        {"channel": None},
        {"delete_on": "tomorrow"},
        {"delete_on": None},
        {"sealed_address": None},
        {"sealed_address": PHONE},
        {"id": "short"},
        {"invitation": "nowhere"},
    ],
)
def test_the_schema_refuses_a_contact_that_would_never_be_removed_or_sent(
    town: Town, meeting: Meeting, kim: OpenedLink, wrong: Row
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        put(town, a_row(town, meeting, kim, **wrong))


def test_a_place_has_one_address_of_a_channel(town: Town, meeting: Meeting, kim: OpenedLink) -> None:
    put(town, a_row(town, meeting, kim))
    put(town, a_row(town, meeting, kim, id="cd" * 16, channel="email"))
    with pytest.raises(sqlite3.IntegrityError):
        put(town, a_row(town, meeting, kim, id="ef" * 16))


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2027, 11, 20)])
def test_a_round_with_nothing_to_remove_writes_nothing(town: Town, meeting: Meeting, day: date) -> None:
    town.personal(meeting, Role.KIN)
    before = number(town.db, "select count(*) from audit_entry")
    assert contacting.remove_due(town.db, day) == 0
    assert number(town.db, "select count(*) from audit_entry") == before
