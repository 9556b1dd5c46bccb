"""E-mail: what stands on the wire, how the way is kept private, and what each failure means."""

import email
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enkat.messaging import for_mail
from enkat.messaging.mail import Sender, written
from enkat.messaging.smtp import Smtp
from enkat.messaging.wire import Patience
from enkat.model.message import Letter, MailServer, Reason, Security, SendingFailed
from tests.messaging.servers import (
    Fault,
    MailHost,
    Moment,
    RawHost,
    at,
    certificates,
    drip,
    drop,
    hang,
    in_turn,
    refuse,
    twice,
    unused_port,
)

SARA = "sara@hemma.example"
LETTER = Letter(
    id="m-0123abc",
    to=SARA,
    text="Hej Sara,\n.en punkt först\n\nhttps://svar.example/s/ABCDE12345\n",
    subject="Några frågor om mötet, efteråt",
    html='<p>Hej Sara, <a href="https://svar.example/s/ABCDE12345">svara här</a></p>',
)
SECRET = "lösenord-för-prov"
#: The headers there are.
_NAMES = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
}

#: Longer than a busy machine takes; and for servers that say nothing, which must be waited for.
CALM, HASTY = Patience(step=10, whole=30), Patience(step=0.2, whole=30)


@pytest.fixture
def host() -> Iterator[MailHost]:
    with MailHost() as host:
        yield host


def transport_to(host: MailHost, patience: Patience = CALM, **changed: Any) -> Smtp:
    """A transport that trusts the tests' authority."""
    return Smtp(host.settings(**changed), context=certificates().trusting, patience=patience)


def failure(transport: Smtp, letter: Letter = LETTER) -> SendingFailed:
    """How a letter fails."""
    with pytest.raises(SendingFailed) as failed:
        transport.send(letter)
    return failed.value


def fate(host: MailHost, letter: Letter) -> Reason | None:
    """Why a letter did not go out; None where it did."""
    try:
        transport_to(host).send(letter)
    except SendingFailed as failed:
        return failed.reason
    return None


def lines(part: EmailMessage) -> str:
    """What somebody reads, with the ends of lines as the letter has them."""
    return str(part.get_content()).replace("\r\n", "\n")


# What stands on the wire


def test_a_letter_arrives_as_it_was_written(host: MailHost) -> None:
    for_mail(host.settings()).send(LETTER)
    (taken,) = host.taken
    assert (taken.sender, taken.recipients) == ("svar@mitthem.example", (SARA,))
    mail = taken.mail
    assert mail["To"] == SARA
    assert mail["From"] == "Mitthem <svar@mitthem.example>"
    assert mail["Subject"] == LETTER.subject
    plain, html = mail.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert (lines(plain), lines(html).strip()) == (LETTER.text, LETTER.html)
    assert (plain.get_content_charset(), html.get_content_charset()) == ("utf-8", "utf-8")


def test_a_letter_without_html_is_plain(host: MailHost) -> None:
    for_mail(host.settings()).send(replace(LETTER, html=""))
    mail = host.taken[0].mail
    assert (mail.get_content_type(), lines(mail)) == ("text/plain", LETTER.text)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in another zone."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_away")
def test_a_letter_says_nothing_that_it_need_not(host: MailHost) -> None:
    for_mail(host.settings()).send(LETTER)
    taken = host.taken[0]
    assert set(taken.mail) == _NAMES - {"Content-Transfer-Encoding"}
    assert (taken.mail["Auto-Submitted"], taken.mail["Content-Language"]) == ("auto-generated", "sv")
    assert parsedate_to_datetime(taken.mail["Date"]).utcoffset() == timedelta(0), "nor where the server stands"
    assert abs(parsedate_to_datetime(taken.mail["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert taken.ehlo == "mitthem.example"
    for name in {socket.gethostname(), socket.getfqdn()} - {"localhost"}:
        assert name.encode() not in taken.raw


def test_a_letter_has_the_same_id_at_each_attempt(host: MailHost) -> None:
    for letter in (LETTER, LETTER, replace(LETTER, id="m-2")):
        for_mail(host.settings()).send(letter)
    ids = [taken.mail["Message-ID"] for taken in host.taken]
    assert ids == ["<m-0123abc@mitthem.example>", "<m-0123abc@mitthem.example>", "<m-2@mitthem.example>"]


def test_every_line_is_ascii_and_of_a_length_that_every_server_takes(host: MailHost) -> None:
    long = "ሰላም " * 400
    for_mail(host.settings()).send(replace(LETTER, subject=long[:300], text=long, html=f"<p>{long}</p>", language="ti"))
    (taken,) = host.taken
    assert taken.raw.isascii()
    assert max(map(len, taken.raw.split(b"\r\n"))) <= 78
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", taken.raw)
    assert taken.mail["Subject"] == long[:300]
    plain = taken.mail.get_body(("plain",))
    assert plain
    assert lines(plain) == f"{long}\n"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mitthem",
        "Mitthems kommun, norra",
        "Åsa, (Norr) <annan@example.se>",
        'Sök "här"',
        "=?utf-8?q?x?=",
        "En mycket lång avsändare, med komma, som heter någonting; och mer @ annat i Mitthems kommun, norra delen",
        "a long name, " * 8,
        "ሰላም " * 20,
        "svar@annan.example",
    ],
)
def test_a_sender_has_one_name_and_one_address_whatever_it_is_called(host: MailHost, name: str) -> None:
    """Python 3.11 makes two senders of a long name with a comma in it."""
    for_mail(host.settings(sender_name=name)).send(LETTER)
    head = email.message_from_bytes(host.taken[0].raw)
    # The older reader: the newer one leaves a space where a long name was folded.
    ((read, address),) = getaddresses(head.get_all("From", []))
    assert (str(make_header(decode_header(read))), address) == (" ".join(name.split()), "svar@mitthem.example")


def test_a_domain_in_other_letters_is_written_in_ascii(host: MailHost) -> None:
    for_mail(host.settings(sender="svar@mötet.example")).send(replace(LETTER, to="sara@hästen.example"))
    (taken,) = host.taken
    assert taken.recipients == ("sara@xn--hsten-gra.example",)
    assert taken.mail["To"] == "sara@xn--hsten-gra.example"
    assert (taken.sender, taken.ehlo) == ("svar@xn--mtet-5qa.example", "xn--mtet-5qa.example")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("sara", Reason.ADDRESS),
        ("@hemma.example", Reason.ADDRESS),
        ("sara@", Reason.ADDRESS),
        ("", Reason.ADDRESS),
        ("sara@-hemma.example", Reason.ADDRESS),
        ("sara@hemma..example", Reason.ADDRESS),
        (f"sara@{'h' * 64}.example", Reason.ADDRESS),
        (f"{'s' * 65}@hemma.example", Reason.ADDRESS),
        ("sara o@hemma.example", Reason.ADDRESS),
        ("sara@hemma.example>,<omar@hemma.example", Reason.ADDRESS),
        ("Sara <sara@hemma.example>", Reason.ADDRESS),
        ("sara@hemma.example, omar@hemma.example", Reason.ADDRESS),
        ("sara@hemma.example SIZE=1", Reason.ADDRESS),
        ('"sara"@hemma.example', Reason.ADDRESS),
        ("såra@hemma.example", Reason.REFUSED),
        ("sara@hemma.example\r\nRCPT TO:<omar@hemma.example>", Reason.REFUSED),
        ("sara@hemma.example\n", Reason.REFUSED),
        ("sara\0@hemma.example", Reason.REFUSED),
        ("sara\u2028@hemma.example", Reason.REFUSED),
        ("\ud800@hemma.example", Reason.REFUSED),
    ],
)
def test_what_is_no_address_reaches_no_server(host: MailHost, address: str, reason: Reason) -> None:
    failed = failure(transport_to(host), replace(LETTER, to=address))
    assert failed.reason is reason
    assert "hemma" not in str(failed)
    assert host.attempts == 0


@pytest.mark.parametrize("break_out", ["\r\n", *"\n\r\0\x0b\x0c\x1c\x7f\x85\u2028\u2029"])
@pytest.mark.parametrize("place", ["to", "subject", "language", "id"])
def test_no_letter_breaks_out_of_its_head(host: MailHost, place: str, break_out: str) -> None:
    letter = replace(LETTER, **{place: f"sara{break_out}Bcc: omar@hemma.example"})
    assert failure(transport_to(host), letter).reason is Reason.REFUSED
    assert host.attempts == 0


@pytest.mark.parametrize("changed", [{"sender": "svar@mitthem.example\r\nX: 1"}, {"sender_name": "Mitthem\nBcc: x@y"}])
def test_no_sender_breaks_out_of_its_head(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="sender"):
        for_mail(replace(MailServer("mail.example", 465, Security.TLS, "svar@mitthem.example"), **changed))


@pytest.fixture(scope="module")
def busy_host() -> Iterator[MailHost]:
    with MailHost() as host:
        yield host


_ANYTHING = st.text(st.characters() | st.sampled_from('\r\n\0 :<>@,;".'), max_size=40)


@settings(max_examples=60)
@given(_ANYTHING, _ANYTHING, _ANYTHING, _ANYTHING)
@example("x@y.se>\r\nRCPT TO:<omar@y.se", "", "", "")
@example("x@y.se", "a\r\n\r\nb", "", "")
@example("x@y.se", "", ".\r\n.\r\nMAIL FROM:<omar@y.se>\r\n", ".")
def test_whatever_a_letter_holds_it_stays_one_letter_to_one_person(
    busy_host: MailHost, to: str, subject: str, text: str, html: str
) -> None:
    busy_host.taken.clear()
    letter = replace(LETTER, to=to, subject=subject, text=text, html=html)
    for one in (letter, replace(letter, to=SARA)):
        if (reason := fate(busy_host, one)) is not None:
            assert reason in (Reason.REFUSED, Reason.ADDRESS)
    for taken in busy_host.taken:
        assert taken.recipients in ((SARA,), (to.lower(),), (to,))
        assert set(taken.mail) <= _NAMES
        assert len(taken.mail.keys()) == len(set(taken.mail))
        assert "omar" not in str(taken.mail.items())


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200))
def test_every_subject_can_be_read_again(subject: str) -> None:
    raw = written(replace(LETTER, subject=subject), Sender("svar@mitthem.example", "Mitthem"), SARA)
    lines = re.match(rb"(?s).*?\r\nSubject: (.*?)\r\nDate: ", raw)
    assert lines
    assert str(make_header(decode_header(lines[1].decode()))) == subject


# How the way is kept private


@pytest.mark.parametrize("way", [{"tls": True}, {"starttls": True}, {}])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_letter_goes_every_way_there_is(way: dict[str, bool], mechanism: str) -> None:
    with MailHost(users={"enkät": SECRET}, mechanisms=(mechanism,), **way) as host:
        transport = transport_to(host)
        transport.probe()
        assert not host.taken
        transport.send(LETTER)
        assert [taken.user for taken in host.taken] == ["enkät"]


def test_a_server_without_starttls_gets_neither_password_nor_letter() -> None:
    with MailHost(users={"enkat": SECRET}) as host:
        transport = transport_to(host, security=Security.STARTTLS)
        failed = failure(transport)
        assert failed.reason is Reason.UNREACHABLE
        assert "STARTTLS" in str(failed)
        assert {moment.at for moment in host.moments} <= {"connect", "ehlo", "quit"}


@pytest.mark.parametrize("reply", ["454 4.7.0 Not now", "502 What?", "250 OK"])
def test_a_server_that_offers_starttls_and_refuses_it_gets_nothing(reply: str) -> None:
    with MailHost(at("starttls", refuse(reply)), users={"enkat": SECRET}, starttls=True) as host:
        assert failure(transport_to(host)).reason is Reason.UNREACHABLE
        assert {moment.at for moment in host.moments} <= {"connect", "ehlo", "starttls", "quit"}


def test_words_slipped_in_before_the_encryption_are_not_believed() -> None:
    """Somebody on the way answers in the server's name, together with its last word in clear."""
    with MailHost(at("starttls", refuse(b"220 Go on\r\n250 AUTH PLAIN\r\n")), starttls=True) as host:
        assert failure(transport_to(host)).reason is Reason.UNREACHABLE


@pytest.mark.parametrize("way", [{"tls": True}, {"starttls": True}])
def test_a_certificate_is_the_servers_own_and_signed_by_somebody_known(way: dict[str, bool]) -> None:
    with MailHost(users={"enkat": SECRET}, **way) as host:
        stranger = Smtp(host.settings(), patience=CALM)
        with pytest.raises(SendingFailed, match="certificate") as failed:
            stranger.send(LETTER)
        assert failed.value.reason is Reason.UNREACHABLE
    others = certificates("other.example", None)
    with MailHost(users={"enkat": SECRET}, trust=others, **way) as host:
        with pytest.raises(SendingFailed, match="certificate") as failed:
            Smtp(host.settings(), context=others.trusting, patience=CALM).send(LETTER)
        assert failed.value.reason is Reason.UNREACHABLE
        assert "auth" not in {moment.at for moment in host.moments}


@pytest.mark.parametrize("name", ["mail.example", "192.0.2.1", "10.0.0.1", "localhost.example"])
def test_nothing_goes_in_clear_but_to_this_machine(name: str) -> None:
    with pytest.raises(ValueError, match="TLS"):
        for_mail(MailServer(name, 25, Security.NONE, "svar@mitthem.example"))
    for here in ("localhost", "127.0.0.1", "::1"):
        for_mail(MailServer(here, 25, Security.NONE, "svar@mitthem.example"))


# What each failure means


@pytest.mark.parametrize(
    ("where", "reply", "reason"),
    [
        ("connect", "554 Not you", Reason.UNREACHABLE),
        ("connect", "421 Too many", Reason.BUSY),
        ("connect", "gibberish", Reason.UNREACHABLE),
        ("ehlo", "502 What?", Reason.UNREACHABLE),
        ("ehlo", "421 Too many", Reason.BUSY),
        ("auth", "535 5.7.8 No", Reason.CREDENTIALS),
        ("auth", "534 5.7.9 Stronger, please", Reason.CREDENTIALS),
        ("auth", "454 4.7.0 Not now", Reason.BUSY),
        ("auth", "421 Too many", Reason.BUSY),
        ("mail", "550 5.7.1 Not you", Reason.SENDER),
        ("mail", "553 5.1.8 No such sender", Reason.SENDER),
        ("mail", "530 5.7.0 Sign in first", Reason.CREDENTIALS),
        ("mail", "451 4.3.0 Not now", Reason.BUSY),
        ("mail", "421 Too many", Reason.BUSY),
        ("rcpt", "550 5.1.1 <sara@hemma.example> Who?", Reason.ADDRESS),
        ("rcpt", "550 sara@hemma.example unknown", Reason.ADDRESS),
        ("rcpt", "551 Moved", Reason.ADDRESS),
        ("rcpt", "553 No such name", Reason.ADDRESS),
        ("rcpt", "554 5.1.2 No such domain", Reason.ADDRESS),
        ("rcpt", "554 5.2.1 Closed", Reason.ADDRESS),
        ("rcpt", "552 Full", Reason.BUSY),
        ("rcpt", "550 5.2.2 Full", Reason.BUSY),
        ("rcpt", "452 4.2.2 Full", Reason.BUSY),
        ("rcpt", "450 4.2.0 Greylisted", Reason.BUSY),
        ("rcpt", "421 Too many", Reason.BUSY),
        ("rcpt", "554 5.7.1 No", Reason.REFUSED),
        ("rcpt", "550 5.7.1 Spam", Reason.REFUSED),
        ("rcpt", "554 5.7.1 <sara@hemma.example>: Relay access denied", Reason.CREDENTIALS),
        ("rcpt", "553 5.7.1 <svar@mitthem.example>: Sender address rejected: not owned", Reason.SENDER),
        ("rcpt", "550 5.1.8 No such sender", Reason.SENDER),
        ("rcpt", "530 5.7.0 Sign in first", Reason.CREDENTIALS),
        ("data", "451 Not now", Reason.BUSY),
        ("data", "554 No", Reason.REFUSED),
        ("data", "250 What?", Reason.UNREACHABLE),
        ("body", "554 5.7.1 Spam", Reason.REFUSED),
        ("body", "550 5.1.1 Who?", Reason.ADDRESS),
        ("body", "550 No", Reason.REFUSED),
        ("body", "552 5.2.2 Full", Reason.BUSY),
        ("body", "552 5.3.4 Too big", Reason.REFUSED),
        ("body", "452 Not now", Reason.BUSY),
        ("body", "421 Going down", Reason.BUSY),
        ("body", "354 What?", Reason.UNSURE),
        ("body", "gibberish", Reason.UNSURE),
    ],
)
def test_a_refusal_is_understood_by_where_and_how_it_is_said(where: str, reply: str, reason: Reason) -> None:
    with MailHost(at(where, refuse(reply)), users={"enkat": SECRET}, starttls=True) as host:
        failed = failure(transport_to(host))
        assert failed.reason is reason, failed
        assert not host.taken
        told = "".join(map(str, (failed, failed.__cause__)))
        assert not re.search(f"sara|hemma|{SECRET}|svar@|ABCDE", told), "no log learns who it was for"


@pytest.mark.parametrize("fault", [drop(), hang()])
@pytest.mark.parametrize("where", ["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data"])
def test_silence_before_the_letter_means_that_it_was_not_sent(where: str, fault: Fault) -> None:
    with MailHost(at(where, fault), users={"enkat": SECRET}, starttls=True) as host:
        assert failure(transport_to(host, HASTY)).reason is Reason.UNREACHABLE
        assert not host.taken


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("silence", [drop, hang])
def test_silence_after_the_letter_leaves_it_open(silence: Any, takes: bool) -> None:
    with MailHost(at("body", silence(takes=takes))) as host:
        assert failure(transport_to(host, HASTY)).reason is Reason.UNSURE
        assert len(host.taken) == takes


@pytest.mark.parametrize("fault", [drop(), hang(), refuse("500 What?"), refuse("gibberish")])
def test_whatever_happens_at_the_farewell_the_letter_has_been_taken(fault: Fault) -> None:
    with MailHost(at("quit", fault)) as host:
        transport_to(host, HASTY).send(LETTER)
        assert len(host.taken) == 1


@pytest.mark.parametrize("where", ["mail", "rcpt", "data", "body", "quit"])
def test_a_server_that_says_everything_twice_does_not_get_a_letter_twice(where: str) -> None:
    with MailHost(at(where, twice())) as host:
        reason = fate(host, LETTER)
        assert host.attempts == 1
        # Of a letter that may have arrived it is never said that it has not.
        assert len(host.taken) == 0 if reason is not None and reason is not Reason.UNSURE else 1


def test_a_server_that_takes_no_sign_in_of_ours_is_told_no_password() -> None:
    with MailHost(users={"enkat": SECRET}, mechanisms=()) as host:
        assert failure(transport_to(host)).reason is Reason.CREDENTIALS
        assert "auth" not in {moment.at for moment in host.moments}


def test_a_wrong_password_is_said_so_by_letter_and_by_probe() -> None:
    with MailHost(users={"enkat": SECRET}, tls=True) as host:
        transport = transport_to(host, password="another")
        with pytest.raises(SendingFailed) as probed:
            transport.probe()
        failed = failure(transport)
        assert failed.reason is probed.value.reason is Reason.CREDENTIALS
        assert "another" not in str(failed)


def test_nobody_at_home_is_unreachable() -> None:
    settings = MailServer("127.0.0.1", unused_port(), Security.NONE, "svar@mitthem.example")
    strangers = [replace(settings, host=name, security=Security.TLS) for name in ("no.invalid", f"{'h' * 64}.example")]
    for unreachable, words in ((settings, "refused"), *((stranger, "no such host") for stranger in strangers)):
        transport = Smtp(unreachable, patience=CALM)
        failed = failure(transport)
        assert failed.reason is Reason.UNREACHABLE
        assert words in str(failed)
        with pytest.raises(SendingFailed):
            transport.probe()


def test_a_host_that_does_not_pick_up_is_not_waited_for() -> None:
    """Its queue is full, and it takes nobody from it."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        settings = MailServer("127.0.0.1", listener.getsockname()[1], Security.NONE, "svar@mitthem.example")
        started = time.monotonic()
        for patience in (Patience(step=0.2, whole=20), Patience(step=20, whole=0.2)):
            assert "in time" in str(failure(Smtp(settings, patience=patience)))
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("where", ["connect", "rcpt", "body"])
def test_no_single_operation_waits_longer_than_it_should(where: str) -> None:
    with MailHost(at(where, hang())) as host:
        failed = failure(Smtp(host.settings(), patience=Patience(step=0.2, whole=20)))
        assert "in time" in str(failed)


@pytest.mark.parametrize("said", [b"2", b"25", b"250", b"250 2.0.0 Taken", b"250-Taken\r\n25", b"250-Taken\r\n"])
def test_a_word_that_breaks_off_is_no_word(said: bytes) -> None:
    """Half a reply may be the beginning of another."""

    def breaking_off(line: socket.socket) -> None:
        heard = line.makefile("rb")
        for reply in (b"220 Hej", b"250 Hej", b"250 Ja", b"250 Ja", b"354 Ja"):
            line.sendall(reply + b"\r\n")
            heard.readline()
        while heard.readline() != b".\r\n":
            pass
        line.sendall(said)

    with RawHost(breaking_off) as host:
        settings = MailServer("127.0.0.1", host.port, Security.NONE, "svar@mitthem.example")
        assert failure(Smtp(settings, patience=CALM)).reason is Reason.UNSURE


def test_a_server_that_never_stops_talking_is_not_listened_to() -> None:
    def endless(line: socket.socket) -> None:
        while True:
            line.sendall(b"220-and another thing\r\n" * 1000)

    with RawHost(endless) as host:
        settings = MailServer("127.0.0.1", host.port, Security.NONE, "svar@mitthem.example")
        failed = failure(Smtp(settings, patience=Patience(step=5, whole=30)))
        assert failed.reason is Reason.UNREACHABLE
        assert "30 s" not in str(failed)


@pytest.mark.parametrize("where", ["connect", "mail", "body"])
def test_a_server_that_drips_is_hung_up_on(where: str) -> None:
    """Each byte comes in time, and the answer never."""

    replies = {"connect": 0, "mail": 2, "body": 5}[where]

    def dripping(line: socket.socket) -> None:
        heard = line.makefile("rb")
        for reply in (b"220 Hej", b"250 Hej", b"250 Ja", b"250 Ja", b"354 Ja")[:replies]:
            line.sendall(reply + b"\r\n")
            heard.readline()
        while not over.wait(0.05):
            line.sendall(b"2")

    over = threading.Event()
    with RawHost(dripping) as host:
        settings = MailServer("127.0.0.1", host.port, Security.NONE, "svar@mitthem.example")
        started = datetime.now(UTC)
        failed = failure(Smtp(settings, patience=Patience(step=0.4, whole=0.8)))
        assert failed.reason is (Reason.UNSURE if where == "body" else Reason.UNREACHABLE)
        assert "0.8 s" in str(failed)
        assert datetime.now(UTC) - started < timedelta(seconds=5)
        over.set()


def test_a_handshake_that_never_ends_is_hung_up_on() -> None:
    def silent(line: socket.socket) -> None:
        while line.recv(1024):
            pass

    with RawHost(silent) as host:
        settings = MailServer("127.0.0.1", host.port, Security.TLS, "svar@mitthem.example")
        assert failure(Smtp(settings, patience=Patience(step=5, whole=0.3))).reason is Reason.UNREACHABLE


def test_a_server_that_is_slow_but_sure_gets_its_letter() -> None:
    with MailHost(at("body", drip(0.02))) as host:
        transport_to(host).send(LETTER)
        assert len(host.taken) == 1


def test_after_a_failure_the_next_attempt_is_as_good_as_new() -> None:
    with MailHost(in_turn(at("rcpt", drop()), at("body", hang()), None)) as host:
        transport = transport_to(host, HASTY)
        assert [failure(transport).reason for _attempt in range(2)] == [Reason.UNREACHABLE, Reason.UNSURE]
        transport.send(LETTER)
        assert len(host.taken) == 1


def test_many_letters_go_out_beside_each_other() -> None:
    people = [f"p{number}@hemma.example" for number in range(60)]
    refused: list[str] = []

    def behave(moment: Moment) -> Fault | None:
        return refuse("550 5.1.1 Who?") if moment.at == "rcpt" and moment.to.startswith("p1") else None

    with MailHost(behave) as host:
        transport = for_mail(host.settings())

        def send(mine: list[str]) -> None:
            for to in mine:
                try:
                    transport.send(replace(LETTER, id=to.partition("@")[0], to=to))
                except SendingFailed:
                    refused.append(to)

        threads = [threading.Thread(target=send, args=(people[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken.to for taken in host.taken) == sorted(set(people) - set(refused))
        assert sorted(refused) == sorted(to for to in people if to.startswith("p1"))
        assert all(taken.mail["To"] == taken.to for taken in host.taken)


def test_no_thread_is_left_behind_to_hang_up() -> None:
    with MailHost(in_turn(at("body", hang()), None), tls=True) as host:
        failure(transport_to(host, HASTY))
        transport_to(host).send(LETTER)
    for timer in (thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)):
        timer.join(5)
        assert not timer.is_alive()
