"""Messages leave the house: each arrives, or its failure is told; none comes three times; and nothing that is sent, or
not sent, tells who has answered."""

import multiprocessing
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlite_utils import Database

from enkat import counting, inviting, sending, staffing, worker
from enkat.house import open_house
from enkat.inviting import outbox, reminding
from enkat.inviting.contacting import Address
from enkat.messaging import Transport
from enkat.model.errors import Refused
from enkat.model.meeting import Channel, Meeting
from enkat.model.message import MessageState, Purpose, Reason, SendingFailed, SmsGateway, SmsProtocol
from enkat.model.survey import Role
from enkat.secrecy import tokens
from enkat.settings import ZONE, Settings
from enkat.settings.sending import Entrance, sms_url
from enkat.storage import messages
from enkat.storage.engine import number, rows, write
from tests.conftest import TODAY, Town
from tests.journeys.server import free_port
from tests.messaging.servers import (
    Behaviour,
    Fault,
    MailHost,
    Moment,
    SmsHost,
    at,
    drop,
    hang,
    in_turn,
    refuse,
    twice,
    well,
)
from tests.posting import ADA, BASE, KIM, Clock, PostOffice, elks, smtp

IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

ENDED = {MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED}
NOWHERE = "+46701740699"


@pytest.fixture
def gateway() -> Iterator[SmsHost]:
    with SmsHost() as host:
        yield host


@pytest.fixture
def mailbox() -> Iterator[MailHost]:
    with MailHost() as host:
        yield host


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(town: Town, clock: Clock, gateway: SmsHost, mailbox: MailHost) -> PostOffice:
    transports = {Channel.SMS: elks(gateway.elks(sender="Mitthem")), Channel.EMAIL: smtp(mailbox.settings())}
    return PostOffice(town, clock, transports)


@pytest.fixture
def meeting(town: Town) -> Meeting:
    return town.meeting()


def said(gateway: SmsHost) -> list[str]:
    """What the SMS that were taken say."""
    return [one.fields["message"] for one in gateway.taken]


def states(office: PostOffice, meeting: Meeting) -> list[MessageState]:
    return office.states(meeting, Purpose.LINK)


# A link on its way


def test_a_link_goes_out_by_sms_in_the_language_that_was_chosen(
    office: PostOffice, meeting: Meeting, gateway: SmsHost
) -> None:
    swedish, arabic = office.invite(meeting, KIM)[0], office.invite(meeting, ADA, language="ar")[0]
    assert office.round() == 2
    by_number = {one.to: one.fields for one in gateway.taken}
    assert by_number[KIM]["message"].endswith(f" {BASE}/{swedish.key}")
    assert by_number[KIM]["from"] == "Mitthem"
    assert by_number[ADA]["message"].endswith(f" {BASE}/{arabic.key}?lang=ar")
    assert not by_number[ADA]["message"].isascii()
    assert states(office, meeting) == [MessageState.SENT] * 2
    assert office.round() == 0, "and it goes out once"


def test_a_link_goes_out_by_mail_as_text_and_as_a_page(office: PostOffice, meeting: Meeting, mailbox: MailHost) -> None:
    (link,) = office.invite(meeting, "kim@example.se", language="ar")
    office.round()
    (taken,) = mailbox.taken
    assert taken.recipients == ("kim@example.se",)
    plain, page = (taken.mail.get_body([kind]) for kind in ("plain", "html"))
    address = f"{BASE}/{link.key}?lang=ar"
    assert plain is not None
    assert page is not None
    assert address in plain.get_content()
    assert '<html lang="ar" dir="rtl">' in page.get_content()
    assert f'href="{address}"' in page.get_content()
    assert "<img" not in page.get_content()
    assert taken.mail["Auto-Submitted"] == "auto-generated"
    assert taken.mail["Subject"] == office.town.house.languages["ar"].interface.gettext("Några frågor till dig")


def test_the_municipalitys_own_subject_stands_in_every_language(
    office: PostOffice, meeting: Meeting, mailbox: MailHost
) -> None:
    house = office.town.house
    desk = replace(office.desk, subject="Hälsning från Mitthem")
    people = [outbox.Recipient(Role.KIN, Channel.EMAIL, "kim@example.se", "ar")]
    outbox.send_new_links(office.town.db, house.keys, house.catalogue, desk, meeting.id, people)
    office.round()
    assert mailbox.taken[0].mail["Subject"] == "Hälsning från Mitthem"


def test_what_a_message_says_lies_sealed_until_it_is_sent_and_is_wiped_then(
    office: PostOffice, meeting: Meeting
) -> None:
    (link,) = office.invite(meeting, KIM)
    (message,) = office.messages(meeting)
    assert message.sealed
    file = office.town.house.settings.database
    for part in (link.key.encode(), KIM.encode(), b"svar.example.se", message.sealed):
        assert (part in file.read_bytes()) is (part == message.sealed)
    office.round()
    assert office.messages(meeting)[0].sealed is None
    assert message.sealed not in file.read_bytes()


def test_the_decision_and_the_message_are_stored_together_or_not_at_all(office: PostOffice, meeting: Meeting) -> None:
    tables = ("link", "contact", "message", "audit_entry", "invitation")
    before = [rows(office.town.db, f"select * from {table}") for table in tables]
    for wrong in ("070", "kim@example.se\n"):
        with pytest.raises(Refused):
            office.invite(meeting, KIM, wrong)
    with pytest.raises(Refused) as refusal:
        office.invite(meeting, *[f"+467017{number:05}" for number in range(51)])
    assert refusal.value.reason == "places"
    assert [rows(office.town.db, f"select * from {table}") for table in tables] == before


# When it fails


def test_what_fails_for_now_is_tried_again_after_a_minute_then_two_up_to_an_hour(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    clock.to(date(2026, 11, 23), hour=8)
    gateway.behave = at("request", refuse(503))
    office.invite(meeting, KIM)
    waits = []
    for _attempt in range(9):
        started, before = clock.now, gateway.attempts
        office.until(lambda seen=before: gateway.attempts > seen, step=timedelta(seconds=1))  # type: ignore[misc]
        waits.append((clock.now - started).total_seconds())
        clock.on(seconds=1)
    assert waits[0] == 0
    for waited, usual in zip(waits[1:], [60, 120, 240, 480, 960, 1920, 3600, 3600], strict=True):
        assert 0.8 * usual - 2 <= waited <= min(1.2 * usual, 3600) + 2, waits
        assert waited >= 58
    gateway.behave = lambda _moment: None
    office.until(lambda: states(office, meeting) == [MessageState.SENT])
    assert len(gateway.taken) == 1


def test_nobody_is_woken_by_an_attempt_at_night_and_whoever_asks_at_night_gets_it_at_once(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    clock.to(TODAY, hour=22)
    office.invite(meeting, ADA)
    assert office.round() == 1, "she is waiting for it"
    gateway.behave = in_turn(None, at("request", refuse(503)), None)
    office.invite(meeting, KIM)
    office.round()
    asked = gateway.attempts
    office.until(lambda: gateway.attempts > asked)
    assert clock.now.astimezone(ZONE) == datetime(2026, 11, 21, 8, tzinfo=ZONE)
    assert [one.to for one in gateway.taken] == [ADA, KIM]


def test_a_link_that_nobody_could_send_all_evening_waits_for_the_morning(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    """The server was off; at three in the morning it is on again."""
    clock.to(TODAY, hour=20)
    office.invite(meeting, KIM)
    clock.to(TODAY + timedelta(days=1), hour=3)
    assert office.round() == 0
    clock.to(TODAY + timedelta(days=1), hour=8)
    assert office.round() == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (refuse(400, "Invalid to number"), Reason.ADDRESS),
        (refuse(422, "nonsense"), Reason.REFUSED),
    ],
)
def test_what_is_refused_for_good_is_not_tried_again(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock, fault: Fault, reason: Reason
) -> None:
    gateway.behave = at("request", fault)
    office.invite(meeting, NOWHERE)
    for _hour in range(30):
        office.round()
        clock.on(hours=1)
    (message,) = office.messages(meeting)
    assert (message.state, message.reason, gateway.attempts) == (MessageState.FAILED, reason, 1)


def test_a_mailbox_that_is_not_there_is_told(office: PostOffice, meeting: Meeting, mailbox: MailHost) -> None:
    mailbox.behave = at("rcpt", refuse("550 5.1.1 Who?"))
    office.invite(meeting, "kim@example.se")
    office.round()
    (message,) = office.messages(meeting)
    assert (message.state, message.reason) == (MessageState.FAILED, Reason.ADDRESS)


def test_a_gateway_that_takes_a_message_without_a_word_gets_it_once_more_and_then_somebody_is_asked(
    office: PostOffice, meeting: Meeting, gateway: SmsHost
) -> None:
    gateway.behave = without_a_word
    (link,) = office.invite(meeting, KIM)
    office.until(lambda: states(office, meeting)[0] in ENDED)
    (message,) = office.messages(meeting)
    assert (message.state, message.reason) == (MessageState.FAILED, Reason.UNSURE)
    assert len(gateway.taken) == 2
    assert len(set(said(gateway))) == 1, "with the same link"
    gateway.behave = lambda _moment: None
    outbox.send_again(office.town.db, office.town.house.keys, office.desk, meeting.id, link.id)
    office.until(lambda: states(office, meeting) == [MessageState.SENT])
    assert len(gateway.taken) == 3, "somebody has decided it"


def dead() -> dict[Channel, Transport]:
    """Services at which nobody listens any more."""
    return {Channel.SMS: elks(SmsGateway(SmsProtocol.ELKS, f"http://127.0.0.1:{free_port()}/a1/sms", "Mitthem"))}


def test_a_gateway_that_swallows_what_it_gets_for_a_day_is_asked_and_not_fed(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    """It holds the line and says nothing, to anybody: nobody's message is used up by that."""
    gateway.behave = at("request", drop())
    office.invite(meeting, *[f"+4670174{number:04}" for number in range(20)])
    end = clock.now + timedelta(days=1)
    while clock.now < end:
        office.round()
        clock.on(minutes=5)
    assert MessageState.FAILED not in states(office, meeting)
    gateway.behave = well
    office.until(lambda: set(states(office, meeting)) == {MessageState.SENT})


def test_a_gateway_that_is_down_for_a_day_is_left_alone_and_everything_goes_out_afterwards(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    """And meanwhile the survey is as it always is."""
    alive, office.transports = office.transports, dead()
    people = [f"+4670174{number:04}" for number in range(20)]
    links = office.invite(meeting, *people)
    end = clock.now + timedelta(days=1)
    while clock.now < end:
        office.round()
        clock.on(minutes=1)
    assert states(office, meeting) == [MessageState.WAITING] * 20
    assert 10 < office.pauses[Purpose.LINK][Channel.SMS].failures < 45, "one at a time, ever more seldom"
    office.transports = alive
    office.until(lambda: set(states(office, meeting)) == {MessageState.SENT})
    assert Counter(one.to for one in gateway.taken) == Counter(people)
    assert clock.now < end + timedelta(hours=1, minutes=1)
    office.answer(links[0])


def test_what_was_never_sent_is_marked_when_the_survey_closes(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    alive, office.transports = office.transports, dead()
    office.invite(meeting, KIM)
    office.round()
    clock.to(meeting.closes, hour=23, minute=59)
    office.round()
    assert states(office, meeting) == [MessageState.WAITING]
    clock.on(minutes=1)
    office.transports = alive
    office.round()
    assert states(office, meeting) == [MessageState.EXPIRED]
    assert office.messages(meeting)[0].sealed is None
    assert gateway.taken == []


def test_without_a_service_what_waits_comes_to_its_end_all_the_same(
    office: PostOffice, meeting: Meeting, clock: Clock
) -> None:
    office.invite(meeting, KIM)
    office.transports = {}
    clock.to(meeting.closes + timedelta(days=1))
    office.round()
    assert states(office, meeting) == [MessageState.EXPIRED]


# To whom nothing is sent


def test_nothing_goes_to_a_protected_assignment(office: PostOffice, town: Town, gateway: SmsHost) -> None:
    shielded = town.meeting(assignment=town.assignment("M-7", protected=True))
    link = town.personal(shielded, Role.KIN)
    with pytest.raises(Refused) as refusal:
        office.invite(shielded, KIM)
    assert refusal.value.reason == "protected_contact"
    with pytest.raises(Refused) as refusal:
        outbox.send_link(town.db, town.house.keys, office.desk, shielded.id, Address(link.id, Channel.SMS, KIM))
    assert refusal.value.reason == "protected_contact"
    office.round()
    assert gateway.taken == []
    assert number(town.db, "select count(*) from message") == 0


def test_a_link_that_is_taken_back_or_replaced_before_it_went_out_is_not_sent(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost
) -> None:
    revoked, replaced = office.invite(meeting, KIM, ADA)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    new = inviting.replace_link(town.db, town.house.keys, meeting.id, replaced.id)
    assert office.round() == 0
    assert gateway.attempts == 0
    outbox.send_again(town.db, town.house.keys, office.desk, meeting.id, new.id)
    office.round()
    (text,) = said(gateway)
    assert text.endswith(f"/{new.key}")


def test_a_link_goes_out_whether_its_place_is_answered_or_not(
    office: PostOffice, meeting: Meeting, gateway: SmsHost
) -> None:
    """A coordinator has decided it; did it go only to those who have not answered, she could read off who they are."""
    answered, _open = office.invite(meeting, KIM, ADA)
    office.answer(answered)
    office.round()
    assert {one.to for one in gateway.taken} == {KIM, ADA}
    one, other = office.messages(meeting)
    assert (one.state, one.reason, one.attempts) == (other.state, other.reason, other.attempts)
    reminders = rows(office.town.db, "select remind_on, reminded from contact")
    assert reminders[0] == reminders[1], "their reminders are planned alike"


def test_an_address_that_does_not_exist_fails_whether_its_place_is_answered_or_not(
    office: PostOffice, meeting: Meeting, mailbox: MailHost
) -> None:
    """Whoever typed one on purpose would else have asked whether somebody has answered."""
    mailbox.behave = at("rcpt", refuse("550 5.1.1 Who?"))
    answered, _open = office.invite(meeting, "kim@example.se", "ada@example.se")
    office.answer(answered)
    office.round()
    assert [(one.state, one.reason) for one in office.messages(meeting)] == [(MessageState.FAILED, Reason.ADDRESS)] * 2


def without_a_word(moment: Moment) -> Fault | None:
    """A gateway that answers, takes what it gets, and says nothing to it."""
    return drop(takes=True) if moment.at == "request" and moment.to.startswith("+") else None


#: Ways in which a service is out of order, and how it is then brought back.
OUT_OF_ORDER: dict[str, Behaviour | None] = {
    "nobody listens": None,
    "it refuses our sign-in": at("request", refuse(401)),
    "our account is empty": at("request", refuse(402)),
    "it takes nothing just now": at("request", refuse(503)),
    "it takes messages without a word": without_a_word,
    "it answers, and takes no message": lambda moment: (
        refuse(503) if moment.at == "request" and moment.to.startswith("+") else None
    ),
}


@pytest.mark.parametrize("first", ["answered", "open"])
@pytest.mark.parametrize("way", OUT_OF_ORDER)
def test_while_a_service_is_out_of_order_an_answered_link_looks_like_all_others(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock, way: str, first: str
) -> None:
    """Else whoever watches the page would see which of them needs nothing any more."""
    alive = office.transports
    links = [office.invite(meeting, one)[0] for one in (KIM, ADA)]
    office.answer(links[first == "open"])
    if (behave := OUT_OF_ORDER[way]) is None:
        office.transports = dead()
    else:
        gateway.behave = behave
    shown = lambda one: (one.state, one.reason if one.state == "failed" else None)  # noqa: E731
    alike = lambda: len({shown(one) for one in office.messages(meeting)}) == 1  # noqa: E731
    for _minute in range(200):
        office.round()
        clock.on(minutes=1)
    assert alike()
    assert MessageState.SENT not in states(office, meeting)
    office.transports, gateway.behave = alive, well
    clock.on(hours=1)
    sending.probe(office.town.db, office.post())
    office.until(lambda: set(states(office, meeting)) <= ENDED)
    assert alike()


def test_after_closing_no_link_can_be_sent(office: PostOffice, town: Town, meeting: Meeting, clock: Clock) -> None:
    link = town.personal(meeting, Role.KIN)
    clock.to(meeting.closes + timedelta(days=1))
    for act in (
        lambda: office.invite(meeting, KIM),
        lambda: outbox.send_link(town.db, town.house.keys, office.desk, meeting.id, Address(link.id, Channel.SMS, KIM)),
        lambda: outbox.send_again(town.db, town.house.keys, office.desk, meeting.id, link.id),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.reason == "closed"


def test_the_count_takes_messages_along_and_leaves_no_byte_of_them(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost
) -> None:
    office.transports = dead()
    office.invite(meeting, KIM, ADA)
    office.round()
    marks = [one.sealed for one in office.messages(meeting) if one.sealed] + [
        one.id.encode() for one in office.messages(meeting)
    ]
    assert len(marks) == 4
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    worker.work(town.house)
    assert number(town.db, "select count(*) from message") == 0
    held = town.house.settings.database.read_bytes()
    assert not [mark for mark in marks if mark in held]


# The seams


@pytest.mark.parametrize("tenths", range(0, 30, 2))
def test_what_is_put_off_until_eight_is_put_off_once_though_the_clock_strikes_meanwhile(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock, tenths: int
) -> None:
    """Judged by two moments, one before the stroke and one after, it would be put off for ever, in one write."""
    clock.to(TODAY, hour=20, minute=59)
    gateway.behave = in_turn(at("request", refuse(503)), None)
    office.invite(meeting, KIM)
    office.round()
    clock.to(TODAY + timedelta(days=1), hour=8)
    clock.on(seconds=-tenths / 10)
    looks = []

    def ticking() -> datetime:
        looks.append(clock.now)
        assert len(looks) < 100, "it goes on for ever"
        clock.on(seconds=0.25)
        return clock.now

    sending.deliver(office.town.db, office.town.house.keys, replace(office.post(), clock=ticking))
    office.until(lambda: states(office, meeting) == [MessageState.SENT])
    assert len(gateway.taken) == 1


def test_what_was_taken_while_the_database_was_locked_is_recorded_and_not_sent_again(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody counts, or writes the file anew; that takes longer than a write waits."""
    office.invite(meeting, KIM)
    office.town.db.conn.execute("pragma busy_timeout = 50")
    tries = []

    def locked(moment: Moment) -> Fault | None:
        if moment.at == "request":
            blocker.conn.execute("begin immediate")
        return None

    def rest(seconds: float) -> None:
        tries.append(seconds)
        if len(tries) == 2:
            blocker.conn.rollback()

    file = office.town.house.settings.database
    blocker = Database(sqlite3.connect(file, check_same_thread=False, isolation_level=None))
    monkeypatch.setattr(sending.time, "sleep", rest)
    gateway.behave = locked
    assert office.round() == 1
    assert len(tries) == 2
    gateway.behave = well
    for _hour in range(5):
        clock.on(hours=1)
        office.round()
    assert len(gateway.taken) == 1
    assert states(office, meeting) == [MessageState.SENT]
    blocker.close()


def test_a_button_pressed_twice_sends_a_link_once(office: PostOffice, town: Town, meeting: Meeting) -> None:
    link = town.personal(meeting, Role.KIN)
    to = Address(link.id, Channel.SMS, KIM)
    for _press in range(2):
        outbox.send_link(town.db, town.house.keys, office.desk, meeting.id, to)
        (first,) = office.messages(meeting)
        outbox.send_again(town.db, town.house.keys, office.desk, meeting.id, link.id)
        assert office.messages(meeting) == [first]
    assert office.round() == 1


def test_of_a_link_that_is_sent_again_only_what_failed_goes_out_once_more(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost, mailbox: MailHost
) -> None:
    mailbox.behave = at("rcpt", refuse("550 5.1.1 Who?"))
    gateway.behave = without_a_word
    link = town.personal(meeting, Role.KIN)
    for channel, address in ((Channel.SMS, KIM), (Channel.EMAIL, "kim@example.se")):
        outbox.send_link(town.db, town.house.keys, office.desk, meeting.id, Address(link.id, channel, address))
    office.round()
    assert {one.channel: one.state for one in office.messages(meeting)} == {"sms": "waiting", "email": "failed"}
    outbox.send_again(town.db, town.house.keys, office.desk, meeting.id, link.id)
    office.until(lambda: set(states(office, meeting)) == {MessageState.FAILED})
    assert len(gateway.taken) == 2


def test_a_replaced_link_has_no_day_on_which_nobody_is_reminded(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    (link,) = office.invite(meeting, KIM)
    office.round()
    new = inviting.replace_link(town.db, town.house.keys, meeting.id, link.id)
    assert reminding.plan(town.db, meeting, clock.day, 3).days == []
    clock.to(date(2026, 11, 24))
    office.round()
    outbox.send_again(town.db, town.house.keys, office.desk, meeting.id, new.id)
    office.round()
    assert reminding.plan(town.db, meeting, clock.day, 3).days == [date(2026, 11, 27)]
    clock.to(date(2026, 11, 27))
    assert office.round() == 1
    assert len(gateway.taken) == 3


# What a service says of a message, and of itself


def told(office: PostOffice, taken_fields: dict[str, str], state: MessageState) -> None:
    """A service's report, at the address that it was told."""
    _report, message, mark = taken_fields["whendelivered"].removeprefix(f"{BASE}/").split("/")
    sending.note_report(office.town.db, office.town.house.keys, message, mark, state, office.clock.now, 3)


def test_a_report_that_a_message_did_not_arrive_is_told_and_one_that_it_did_is_believed_above_it(
    office: PostOffice, meeting: Meeting, gateway: SmsHost
) -> None:
    office.invite(meeting, KIM)
    office.round()
    fields = dict(gateway.taken[0].fields)
    told(office, fields, MessageState.FAILED)
    told(office, fields, MessageState.FAILED)
    (message,) = office.messages(meeting)
    assert (message.state, message.reason) == (MessageState.FAILED, Reason.UNDELIVERED)
    told(office, fields, MessageState.DELIVERED)
    told(office, fields, MessageState.FAILED)
    (message,) = office.messages(meeting)
    assert (message.state, message.reason) == (MessageState.DELIVERED, None)


def test_a_report_that_comes_before_the_answer_spares_a_second_sending(
    office: PostOffice, meeting: Meeting, gateway: SmsHost
) -> None:
    office.invite(meeting, KIM)
    before = office.messages(meeting)

    def in_its_own_thread(moment: Moment) -> Fault | None:
        if moment.at != "request":
            return None
        db = office.town.house.connect()
        try:
            with write(db):
                messages.report(db, before[0].id, MessageState.DELIVERED)
        finally:
            db.close()
        return drop(takes=True)

    gateway.behave = in_its_own_thread
    office.round()
    assert states(office, meeting) == [MessageState.DELIVERED]
    for _round in range(5):
        office.clock.on(hours=1)
        office.round()
    assert len(gateway.taken) == 1


@pytest.mark.parametrize("mark", ["", "0" * 32, "å", "x" * 1000])
def test_a_report_from_whoever_does_not_know_the_secret_changes_nothing(
    office: PostOffice, meeting: Meeting, mark: str
) -> None:
    office.invite(meeting, KIM)
    office.round()
    (message,) = office.messages(meeting)
    sending.note_report(
        office.town.db, office.town.house.keys, message.id, mark, MessageState.FAILED, office.clock.now, 3
    )
    other = tokens.report_mark(office.town.house.keys.instance, "0" * 32)
    sending.note_report(
        office.town.db, office.town.house.keys, message.id, other, MessageState.FAILED, office.clock.now, 3
    )
    assert states(office, meeting) == [MessageState.SENT]


def test_a_service_that_refuses_our_sign_in_is_known_before_anybody_sends_anything(
    office: PostOffice, gateway: SmsHost, clock: Clock
) -> None:
    gateway.behave = at("request", refuse(401))
    assert sending.probe(office.town.db, office.post())[Channel.SMS] is Reason.CREDENTIALS
    assert messages.health(office.town.db)[Channel.SMS].reason is Reason.CREDENTIALS
    assert sending.probe(office.town.db, office.post()) == {}, "not at every turn"
    gateway.behave = lambda _moment: None
    clock.on(minutes=11)
    assert sending.probe(office.town.db, office.post())[Channel.SMS] is None


def test_a_reminder_that_meets_a_broken_service_says_nothing_of_it(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    """That one was to go out would tell that somebody has not answered."""
    office.invite(meeting, KIM)
    office.round()
    sending.probe(office.town.db, office.post())
    gateway.behave = at("request", refuse(401))
    before = messages.health(office.town.db)[Channel.SMS]
    clock.to(date(2026, 11, 23), hour=10)
    office.round()
    after = messages.health(office.town.db)[Channel.SMS]
    assert gateway.attempts == 2, "it was tried"
    assert (after.reason, after.checked) == (before.reason, before.checked)


def test_a_trial_message_goes_to_the_operator_and_says_what_is_wrong(
    office: PostOffice, gateway: SmsHost, mailbox: MailHost
) -> None:
    assert sending.try_out(office.post(), "070-174 06 05") is Channel.SMS
    assert gateway.taken[0].to == KIM
    assert sending.try_out(office.post(), "kim@example.se") is Channel.EMAIL
    assert mailbox.taken[0].to == "kim@example.se"
    gateway.behave = at("request", refuse(401))
    with pytest.raises(SendingFailed) as failure:
        sending.try_out(office.post(), KIM)
    assert failure.value.reason is Reason.CREDENTIALS
    with pytest.raises(Refused):
        sending.try_out(replace(office.post(), transports={}), KIM)


# The one reminder


def test_whoever_has_not_answered_is_reminded_once_three_days_later(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    answered, forgetful = office.invite(meeting, KIM, ADA)
    office.round()
    office.answer(answered)
    clock.to(date(2026, 11, 23), hour=9, minute=59)
    office.round()
    assert len(gateway.taken) == 2
    clock.on(minutes=1)
    office.round()
    assert [one.to for one in gateway.taken[2:]] == [ADA]
    assert said(gateway)[2].endswith(f"/{forgetful.key}")
    assert said(gateway)[2] not in said(gateway)[:2]
    for _day in range(20):
        clock.on(days=1)
        office.round()
    assert len(gateway.taken) == 3


def test_what_is_planned_and_decided_is_the_same_whoever_has_answered(
    office: PostOffice, meeting: Meeting, clock: Clock
) -> None:
    links = office.invite(meeting, KIM, ADA)
    office.round()
    known = lambda: rows(office.town.db, "select remind_on, reminded from contact")  # noqa: E731
    assert known() == [{"remind_on": "2026-11-23", "reminded": 0}] * 2
    plan = reminding.plan(office.town.db, meeting, clock.day, 3)
    assert plan.days == [date(2026, 11, 23)]
    office.answer(links[0])
    assert reminding.plan(office.town.db, meeting, clock.day, 3) == plan
    clock.to(date(2026, 11, 23))
    office.round()
    assert known() == [{"remind_on": "2026-11-23", "reminded": 1}] * 2
    assert reminding.plan(office.town.db, meeting, clock.day, 3).is_over


def test_whoever_answers_between_the_decision_and_the_sending_is_not_reminded(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    (link,) = office.invite(meeting, KIM)
    office.round()
    clock.to(date(2026, 11, 23))
    gateway.behave = at("request", refuse(503))
    office.round()
    gateway.behave = lambda _moment: None
    office.answer(link)
    clock.on(hours=1)
    office.round()
    assert len(gateway.taken) == 1


def test_a_reminder_that_is_turned_off_does_not_go_out_and_turned_on_again_it_does(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    other = town.meeting(assignment=town.assignment("M-2"))
    office.invite(meeting, KIM)
    office.invite(other, ADA)
    office.round()
    for on in (False, True, False):
        reminding.turn(town.db, meeting.id, on)
    reminding.turn(town.db, other.id, False)
    reminding.turn(town.db, other.id, True)
    clock.to(date(2026, 11, 23))
    office.round()
    assert [one.to for one in gateway.taken[2:]] == [ADA]


@pytest.mark.parametrize(
    ("sent", "closes", "reminded"),
    [
        (date(2026, 11, 20), date(2026, 12, 4), date(2026, 11, 23)),
        (date(2026, 11, 19), date(2026, 12, 4), date(2026, 11, 23)),  # the 22nd is a Sunday
        (date(2026, 12, 21), date(2027, 1, 10), date(2026, 12, 28)),  # Christmas, and then a Sunday
        (date(2026, 12, 28), date(2027, 1, 10), date(2027, 1, 2)),  # New Year's Eve and Day; the 2nd is a Saturday
        (date(2026, 12, 1), date(2026, 12, 6), date(2026, 12, 4)),  # just in time
        (date(2026, 12, 1), date(2026, 12, 5), None),  # too late
        (date(2026, 12, 3), date(2026, 12, 8), None),  # a Sunday, and on Monday it is too late
    ],
)
def test_a_reminder_comes_on_no_sunday_or_holiday_and_at_least_two_days_before_the_end(
    office: PostOffice,
    town: Town,
    gateway: SmsHost,
    clock: Clock,
    sent: date,
    closes: date,
    reminded: date | None,
) -> None:
    meeting = town.meeting(assignment=town.assignment("M-9"), closes=closes)
    clock.to(sent)
    office.invite(meeting, KIM)
    office.round()
    seen = None
    while clock.day <= closes + timedelta(days=1):
        if office.round():
            assert seen is None
            seen = clock.day
            assert clock.now.astimezone(ZONE).time() == time(10)
        clock.now = (clock.now + timedelta(minutes=30)).astimezone(UTC)
    assert seen == reminded
    assert len(gateway.taken) == 1 + (reminded is not None)


def test_a_person_with_a_number_and_an_address_is_reminded_at_one_of_them(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost, mailbox: MailHost, clock: Clock
) -> None:
    (link,) = office.invite(meeting, KIM)
    to = Address(link.id, Channel.EMAIL, "kim@example.se")
    outbox.send_link(town.db, town.house.keys, office.desk, meeting.id, to)
    office.round()
    assert (len(gateway.taken), len(mailbox.taken)) == (1, 1)
    clock.to(date(2026, 11, 23))
    office.round()
    assert len(gateway.taken) + len(mailbox.taken) == 3
    outbox.send_link(town.db, town.house.keys, office.desk, meeting.id, Address(link.id, Channel.SMS, ADA))
    for _day in range(9):
        office.round()
        clock.on(days=1)
    assert len(gateway.taken) + len(mailbox.taken) == 4, "the new number has its link, and no second reminder"


def test_a_reminder_goes_to_the_address_that_the_link_has_reached(
    office: PostOffice, town: Town, meeting: Meeting, gateway: SmsHost, mailbox: MailHost, clock: Clock
) -> None:
    (link,) = office.invite(meeting, KIM)
    to = Address(link.id, Channel.EMAIL, "kim@example.se")
    outbox.send_link(town.db, town.house.keys, office.desk, meeting.id, to)
    office.round()
    told(office, dict(gateway.taken[0].fields), MessageState.FAILED)
    clock.to(date(2026, 11, 23))
    office.round()
    assert (len(gateway.taken), len(mailbox.taken)) == (1, 2)


def test_a_link_that_nobody_was_sure_of_is_reminded_of_once_its_service_says_that_it_arrived(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    gateway.behave = without_a_word
    office.invite(meeting, KIM)
    office.until(lambda: states(office, meeting) == [MessageState.FAILED])
    gateway.behave = well
    told(office, dict(gateway.taken[0].fields), MessageState.DELIVERED)
    clock.to(date(2026, 11, 23))
    office.round()
    assert len(gateway.taken) == 3


def test_no_reminder_follows_a_link_that_did_not_arrive(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    office.invite(meeting, KIM)
    office.round()
    told(office, dict(gateway.taken[0].fields), MessageState.FAILED)
    clock.to(date(2026, 11, 23))
    office.round()
    assert len(gateway.taken) == 1


# Clocks


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2027, 3, 28)])
def test_on_the_day_when_clocks_are_changed_nothing_is_early_or_double(
    office: PostOffice, town: Town, gateway: SmsHost, clock: Clock, day: date
) -> None:
    """Noon before to noon after, in real minutes: a link that failed in the evening comes at eight by the new clock."""
    meeting = town.meeting(assignment=town.assignment("M-9"))
    with write(town.db):
        last = (day + timedelta(days=9)).isoformat()
        town.db.execute("update meeting set closes = ? where id = ?", [last, meeting.id])
    clock.to(day - timedelta(days=1), hour=20, minute=58)
    gateway.behave = in_turn(at("request", refuse(503)), at("request", refuse(503)), None)
    office.invite(meeting, KIM)
    office.round()
    times = []
    while clock.day <= day + timedelta(days=1):
        before = gateway.attempts
        office.round()
        if gateway.attempts > before:
            times.append(clock.now.astimezone(ZONE))
        clock.on(minutes=1)
    morning = datetime(day.year, day.month, day.day, 8, tzinfo=ZONE)
    assert times[0] in (morning, morning - timedelta(hours=11, minutes=1)), times
    assert all(8 <= one.hour < 21 for one in times)
    assert len(gateway.taken) == 1


def test_a_clock_that_is_set_back_sends_nothing_twice(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    office.invite(meeting, KIM)
    office.round()
    clock.to(date(2026, 11, 23))
    office.round()
    assert len(gateway.taken) == 2
    for hour in range(80):
        clock.to(date(2026, 11, 20), hour=12)
        clock.on(hours=hour)
        office.round()
    assert len(gateway.taken) == 2


def test_a_clock_that_ran_ahead_holds_nothing_up_for_ever(
    office: PostOffice, meeting: Meeting, gateway: SmsHost, clock: Clock
) -> None:
    clock.to(date(2026, 12, 1))
    office.invite(meeting, KIM)
    alive, office.transports = office.transports, dead()
    office.round()
    clock.to(date(2026, 11, 21))
    office.transports = alive
    office.invite(meeting, ADA)
    assert office.round() == 2, "and hers does not wait for a day that is far away"


# A thousand messages through everything that can go wrong


def trouble(dice: Random) -> Behaviour:
    """A gateway with all the faults there are; two numbers in a hundred do not exist."""

    def behave(moment: Moment) -> Fault | None:
        if moment.at == "request" and moment.to.endswith(("13", "77")):
            return refuse(400, "Invalid to number")
        chance = dice.random()
        faults = {
            "connect": [(0.04, drop())],
            "head": [(0.03, drop())],
            "request": [
                (0.04, drop()),
                (0.08, drop(takes=True)),
                (0.095, hang(takes=True)),
                (0.10, hang()),
                (0.18, refuse(503)),
                (0.22, refuse(429)),
                (0.26, twice()),
                (0.28, refuse(401)),
                (0.30, refuse(b"nonsense\r\n\r\n", takes=True)),
            ],
        }
        return next((fault for limit, fault in faults.get(moment.at, ()) if chance < limit), None)

    return behave


def test_every_one_of_very_many_messages_comes_to_an_end_and_none_comes_thrice(
    office: PostOffice, town: Town, gateway: SmsHost, clock: Clock, figure: Callable[[str], None]
) -> None:
    """With them some links that are taken back, some places that are answered, and a protected family."""
    many = 1000 if IS_FULL else 150
    dice = Random(20261120)
    meetings = [town.meeting(assignment=town.assignment(f"M-{n}")) for n in range(-(-many // 50))]
    shielded = town.meeting(assignment=town.assignment("M-S", protected=True))
    links, spared = {}, dict[str, str]()
    for place, meeting in enumerate(meetings):
        people = [f"+4670{1740000 + 50 * place + person:07}" for person in range(min(50, many - 50 * place))]
        for to, link in zip(people, office.invite(meeting, *people), strict=True):
            links[to] = link
            if dice.random() < 0.04:
                spared[to] = "answered"
                office.answer(link)
            elif dice.random() < 0.04:
                spared[to] = "revoked"
                inviting.revoke_link(town.db, meeting.id, link.id)
    with pytest.raises(Refused):
        office.invite(shielded, KIM)
    gateway.behave = trouble(dice)
    close = max(one.closes for one in meetings)
    ended = lambda: all(one in ENDED for m in meetings for one in states(office, m))  # noqa: E731
    while not ended():
        office.round()
        clock.on(minutes=5)
        assert clock.day <= close + timedelta(days=1), "all reach an end"
    gateway.behave = lambda _moment: None
    for _day in range(20):
        clock.on(days=1)
        office.round()
    got = Counter(one.to for one in gateway.taken if "fortfarande" not in one.fields["message"])
    reminders = Counter(one.to for one in gateway.taken if "fortfarande" in one.fields["message"])
    assert max(got.values()) <= 2
    assert max(reminders.values(), default=0) <= 2
    for one in gateway.taken:
        assert one.fields["message"].endswith(f"/{links[one.to].key}"), "always the same link"
    assert not got.keys() & {to for to, why in spared.items() if why == "revoked"}
    assert not reminders.keys() & spared.keys()
    final = Counter(one for meeting in meetings for one in states(office, meeting))
    wrong = [
        one for meeting in meetings for one in office.messages(meeting, Purpose.LINK) if one.reason is Reason.ADDRESS
    ]
    assert final[MessageState.SENT] + final[MessageState.FAILED] + final[MessageState.EXPIRED] == sum(final.values())
    assert final[MessageState.EXPIRED] == 0
    unsure = final[MessageState.FAILED] - len(wrong)
    doubled = sum(count == 2 for count in got.values())
    assert doubled > 0, "the faults were there"
    assert len(got) >= final[MessageState.SENT], "each arrived that is said to be sent"
    figure(
        f"{many:,} messages through a gateway with every fault: {final[MessageState.SENT]} sent, {len(wrong)} numbers "
        f"that do not exist, {unsure} of which somebody is asked; {doubled} came twice, none thrice, nothing "
        f"to revoked places, no reminder to answered ones ({len(spared)} together)"
    )


# Killed between sending and recording


def _send_until_killed(settings: Settings, now: datetime) -> None:
    """In a process of its own: what the background child does, until the gateway kills it."""
    house = open_house(settings)
    post = replace(sending.post_of(settings), clock=lambda: now)
    db = house.connect()
    sending.deliver(db, house.keys, post)
    db.close()


def test_whoever_is_killed_between_sending_and_recording_sends_nothing_thrice(
    settings: Settings, gateway: SmsHost, clock: Clock, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """The gateway kills the sender in the moment in which it has the message."""
    most, many = (200, 130) if IS_FULL else (8, 5)
    chosen = replace(
        settings,
        instance=tmp_path / "instance",
        base_url=BASE,
        sms_url=_entrance(gateway),
        sms_sender="Mitthem",
    )
    house = open_house(chosen)
    db = house.connect()
    root = staffing.add_unit(db, "Mitthem")
    town = Town(house, db, root, root, root)
    office = PostOffice(town, clock, sending.post_of(chosen).transports)
    meetings = [town.meeting(assignment=town.assignment(f"M-{n}")) for n in range(-(-many // 50))]
    for place, meeting in enumerate(meetings):
        office.invite(meeting, *[f"+4670{1740000 + 50 * place + n:07}" for n in range(min(50, many - 50 * place))])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.test_sending"])
    sender: list[int] = []
    kills = 0

    def kill(moment: Moment) -> Fault | None:
        if moment.at == "request" and sender:
            os.kill(sender.pop(), signal.SIGKILL)
            return drop(takes=True)
        return None

    gateway.behave = kill
    while kills < most:
        child = context.Process(target=_send_until_killed, args=(chosen, clock.now))
        child.start()
        assert child.pid
        sender[:] = [child.pid]
        child.join(60)
        if child.exitcode == 0:  # nothing was due any more
            sender.clear()
        else:
            assert child.exitcode == -signal.SIGKILL
            kills += 1
        if child.exitcode == 0 or kills % 3 == 0:  # what was left in the air is tried again, and some killed again
            clock.on(minutes=6)
    gateway.behave = lambda _moment: None
    office.until(lambda: all(one in ENDED for meeting in meetings for one in states(office, meeting)))
    got = Counter(one.to for one in gateway.taken)
    assert len(got) == many, "each arrived"
    assert max(got.values()) <= 2
    assert {one.to: one.fields["message"] for one in gateway.taken} == dict(
        {(one.to, one.fields["message"]) for one in gateway.taken}
    ), "with the same link"
    final = Counter(one for meeting in meetings for one in states(office, meeting))
    asked = [one for meeting in meetings for one in office.messages(meeting) if one.reason is Reason.UNSURE]
    assert final[MessageState.FAILED] == len(asked) > 0
    told = ", ".join(f"{count} {state}" for state, count in sorted(final.items()))
    figure(f"{kills} kills between sending and recording: {many} messages arrived, {sum(got.values())} times; {told}")
    db.close()


def _entrance(gateway: SmsHost) -> Entrance:
    return sms_url("sms_url", f"http://enkat:secret@127.0.0.1:{gateway.port}/a1/sms")
