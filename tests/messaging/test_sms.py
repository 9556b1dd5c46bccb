"""SMS: what a gateway is told, what it is not, and what each failure means."""

import re
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat.messaging import for_sms
from enkat.messaging.elks import Elks
from enkat.messaging.gateway import Gateway, filled
from enkat.messaging.wire import Patience
from enkat.model.message import Letter, Reason, SendingFailed, SmsGateway, SmsProtocol
from tests.messaging.servers import (
    Fault,
    Moment,
    RawHost,
    SmsHost,
    at,
    certificates,
    drip,
    drop,
    hang,
    http_answer,
    in_turn,
    refuse,
    twice,
    unused_port,
)

SARA = "+46701234567"
LETTER = Letter(id="m-0123abc", to=SARA, text="Hej! Svara på några frågor: https://svar.example/s/ABCDE12345 & tack 😀")
REPORT = "https://svar.example/reports/hemlig-nyckel"
SECRET = "lösenord-för-prov"
#: Longer than a busy machine takes; and for gateways that say nothing, which must be waited for.
CALM, HASTY = Patience(step=10, whole=30), Patience(step=0.2, whole=30)


@pytest.fixture
def host() -> Iterator[SmsHost]:
    with SmsHost(users={"enkat": SECRET}) as host:
        yield host


def transport_to(gateway: SmsGateway, patience: Patience = CALM) -> Elks | Gateway:
    """A transport that trusts the tests' authority."""
    kind = Elks if gateway.protocol is SmsProtocol.ELKS else Gateway
    return kind(gateway, context=certificates().trusting, patience=patience)


def transports_to(host: SmsHost, patience: Patience = CALM) -> Iterator[Elks | Gateway]:
    """A host as 46elks and as any gateway, by form and by JSON."""
    for gateway in (host.elks(), host.generic(), host.generic(is_json=True)):
        yield transport_to(gateway, patience)


def failure(transport: Elks | Gateway, letter: Letter = LETTER) -> SendingFailed:
    """How a letter fails."""
    with pytest.raises(SendingFailed) as failed:
        transport.send(letter)
    return failed.value


# What a gateway is told


def test_46elks_is_told_what_it_asks_for_and_nothing_else(host: SmsHost) -> None:
    for_sms(host.elks()).send(LETTER)
    (taken,) = host.taken
    assert taken.fields == {"from": "Mitthem", "to": SARA, "message": LETTER.text}
    assert taken.user == "enkat"
    assert set(taken.headers) == {
        *("host", "accept", "accept-encoding", "connection", "authorization"),
        *("content-type", "content-length"),
    }
    assert taken.headers["connection"] == "close"


def test_46elks_is_told_where_to_report_only_where_it_should(host: SmsHost) -> None:
    for_sms(host.elks()).send(replace(LETTER, report=REPORT))
    assert host.taken[0].fields["whendelivered"] == REPORT


@pytest.mark.parametrize("is_json", [True, False])
def test_any_gateway_is_told_in_its_own_words(host: SmsHost, is_json: bool) -> None:
    transport = for_sms(host.generic(is_json=is_json, headers={"X-Key": "k", "Idempotency-Key": "enkat-{id}"}))
    for letter in (LETTER, replace(LETTER, report=REPORT)):
        transport.send(letter)
    first, second = host.taken
    expected = {"recipient": SARA, "body": LETTER.text, "originator": "Mitthem", "ref": LETTER.id}
    assert first.fields == expected
    assert second.fields == {**expected, "callback": REPORT}
    assert first.headers["content-type"] == ("application/json" if is_json else "application/x-www-form-urlencoded")
    assert (first.headers["x-key"], first.headers["idempotency-key"]) == ("k", "enkat-m-0123abc")


def test_a_gateway_may_have_a_type_and_a_sign_in_of_its_own(host: SmsHost) -> None:
    pair = b64encode(f"enkat:{SECRET}".encode()).decode()
    headers = {"content-TYPE": "application/vnd.sms+json", "AUTHORIZATION": f"Basic {pair}"}
    for_sms(host.generic(is_json=True, headers=headers, user="nobody", password="x")).send(LETTER)
    (taken,) = host.taken
    assert (taken.headers["content-type"], taken.user) == ("application/vnd.sms+json", "enkat")


def test_a_text_may_speak_of_places(host: SmsHost) -> None:
    text = "{to} {report} {{text}} {sender} {nobody}"
    for_sms(host.generic(is_json=True)).send(replace(LETTER, text=text))
    assert host.taken[0].fields["body"] == text


_VALUES = st.fixed_dictionaries({name: st.text() for name in ("to", "text", "sender", "id", "report")})
_PIECES = st.lists(st.sampled_from(["{to}", "{text}", "{sender}", "{id}", "{report}"]) | st.text("ab{} "))


@given(_PIECES, _VALUES)
def test_places_are_filled_once_and_nothing_else_changes(pieces: list[str], values: dict[str, str]) -> None:
    template = "|".join(piece for piece in pieces if piece[1:-1] in values or not re.search("{|}", piece))
    expected = "|".join(values.get(piece[1:-1], piece) if "{" in piece else piece for piece in template.split("|"))
    assert filled(template, values) == expected


@settings(max_examples=40)
@given(st.text(), st.text(), st.booleans())
def test_every_text_comes_through(busy_host: SmsHost, text: str, sender: str, is_json: bool) -> None:
    busy_host.taken.clear()
    transport_to(busy_host.generic(is_json=is_json, sender=sender)).send(replace(LETTER, text=text))
    (taken,) = busy_host.taken
    assert taken.fields == {"recipient": SARA, "body": text, "originator": sender, "ref": LETTER.id}


@settings(max_examples=40)
@given(st.text(st.characters() | st.sampled_from("\r\n:é+0123")))
def test_no_text_breaks_out_of_a_header(busy_host: SmsHost, text: str) -> None:
    busy_host.taken.clear()
    transport = transport_to(busy_host.generic(headers={"X-Text": "{text}"}))
    try:
        transport.send(replace(LETTER, text=text))
    except SendingFailed as failed:
        reason: Reason | None = failed.reason
    else:
        reason = None
    assert reason in (None, Reason.REFUSED)
    for taken in busy_host.taken:
        assert taken.headers["x-text"].strip() == text.strip()
        assert len(taken.headers) == 7


@pytest.fixture(scope="module")
def busy_host() -> Iterator[SmsHost]:
    with SmsHost() as host:
        yield host


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("", Reason.ADDRESS),
        ("sara", Reason.ADDRESS),
        ("070-123 45 67", Reason.ADDRESS),
        ("+46701234567,+46707654321", Reason.ADDRESS),
        ("٠٧٠١٢٣٤٥٦٧", Reason.ADDRESS),
        ("+" + "4" * 16, Reason.ADDRESS),
        ("+46701234567\r\n", Reason.REFUSED),
        ("+46701234567\nto: 1", Reason.REFUSED),
        ("+4670123\x004567", Reason.REFUSED),
    ],
)
def test_what_is_no_number_reaches_no_gateway(host: SmsHost, to: str, reason: Reason) -> None:
    for transport in transports_to(host):
        failed = failure(transport, replace(LETTER, to=to))
        assert failed.reason is reason
        assert not re.search(r"\d{3}", str(failed))
    assert host.attempts == 0


def test_half_a_letter_is_not_sent(host: SmsHost) -> None:
    for transport in transports_to(host):
        assert failure(transport, replace(LETTER, text="a\ud800b")).reason is Reason.REFUSED


# How the way is kept private


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("http://sms.example/send", "TLS"),
        ("http://10.0.0.1/send", "TLS"),
        ("ftp://sms.example/send", "https"),
        ("sms.example/send", "https"),
        ("https:///send", "https"),
        ("https://sms.example/se nd", "spaces"),
        ("https://sms.example/\r\nX: 1", "spaces"),
        ("https://sms.example/sänd", "spaces"),
        ("https://enkat:hemligt@sms.example/send", "user"),
        ("https://enkat:hemligt#@sms.example/send", "address"),
        ("https://[hemligt/send", "address"),
    ],
)
@pytest.mark.parametrize("protocol", SmsProtocol)
def test_a_way_that_others_can_read_is_refused_at_once(protocol: SmsProtocol, url: str, match: str) -> None:
    with pytest.raises(ValueError, match=match) as refused:
        for_sms(SmsGateway(protocol, url, "Mitthem"))
    assert "hemligt" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_this_machine_itself_may_be_spoken_to_in_clear() -> None:
    for url in ("http://localhost:8080/send", "http://127.0.0.1/send", "http://[::1]:8080/send"):
        for_sms(SmsGateway(SmsProtocol.GATEWAY, url, "Mitthem"))


@pytest.mark.parametrize("headers", [{"X: 1\r\nY": "1"}, {"X": "a\r\nY: 1"}, {"Host": "x"}, {"Content-Length": "1"}])
def test_a_header_that_no_request_may_carry_is_refused_at_once(headers: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match="header"):
        for_sms(SmsGateway(SmsProtocol.GATEWAY, "https://sms.example/send", "Mitthem", headers=headers))


def test_letters_go_encrypted_to_a_gateway_with_a_certificate() -> None:
    with SmsHost(users={"enkat": SECRET}, tls=True) as host:
        for transport in transports_to(host):
            transport.probe()
            transport.send(LETTER)
        assert len(host.taken) == 3


def test_a_certificate_is_the_gateways_own_and_signed_by_somebody_known() -> None:
    others = certificates("other.example", None)
    with SmsHost(tls=True) as known, SmsHost(tls=True, trust=others) as other:
        for host, context in ((known, None), (other, others.trusting)):
            for transport in (
                Elks(host.elks(), context=context, patience=CALM),
                Gateway(host.generic(), context=context, patience=CALM),
            ):
                with pytest.raises(SendingFailed, match="certificate") as failed:
                    transport.send(LETTER)
                assert failed.value.reason is Reason.UNREACHABLE
                with pytest.raises(SendingFailed, match="certificate"):
                    transport.probe()
            assert not host.moments or {moment.at for moment in host.moments} <= {"connect"}


# What each failure means

#: Whatever the protocol: no service's words are needed for these.
STATUSES = [
    (301, Reason.UNREACHABLE),
    (302, Reason.UNREACHABLE),
    (307, Reason.UNREACHABLE),
    (400, Reason.REFUSED),
    (401, Reason.CREDENTIALS),
    (402, Reason.CREDIT),
    (403, Reason.CREDENTIALS),
    (404, Reason.UNREACHABLE),
    (405, Reason.UNREACHABLE),
    (408, Reason.BUSY),
    (410, Reason.REFUSED),
    (413, Reason.REFUSED),
    (422, Reason.REFUSED),
    (425, Reason.BUSY),
    (429, Reason.BUSY),
    (500, Reason.BUSY),
    (502, Reason.BUSY),
    (504, Reason.UNSURE),
    (503, Reason.BUSY),
    (599, Reason.BUSY),
    (199, Reason.UNSURE),
    (999, Reason.UNSURE),
]


@pytest.mark.parametrize(("status", "reason"), STATUSES)
def test_a_status_says_what_became_of_a_letter(host: SmsHost, status: int, reason: Reason) -> None:
    host.behave = at("request", refuse(status, f"Nej, {SARA} {SECRET}", {"Location": host.url("/a1/sms")}))
    for number, transport in enumerate(transports_to(host), start=1):
        failed = failure(transport)
        assert failed.reason is reason
        told = f"{failed} {failed.__cause__}"
        assert not re.search(rf"{re.escape(SARA)}|{SECRET}|/a1/sms|/send|ABCDE", told), "no log learns who it was for"
        assert str(status) in told
        assert host.attempts == number, "nobody follows anywhere, nor tries again"
    assert not host.taken


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", ["", "{", "null", "[1]", "so", "[" * 20_000, '{"status": "created"}', '{"status": 1}'])
def test_what_is_accepted_is_accepted_however_it_is_said(host: SmsHost, status: int, body: str) -> None:
    host.behave = at("request", refuse(status, body if status != 204 else "", takes=True))
    for number, transport in enumerate(transports_to(host), start=1):
        transport.send(LETTER)
        assert len(host.taken) == number


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (200, '{"status": "created"}', None),
        (200, '{"status": "sent"}', None),
        (200, '{"status": "delivered"}', None),
        (200, '{"status": "failed", "to": "+46701234567"}', Reason.REFUSED),
        (400, 'Invalid "to" number', Reason.ADDRESS),
        (400, "Missing key to", Reason.ADDRESS),
        (400, "Invalid to number", Reason.ADDRESS),
        (400, '{"error": "to is not valid"}', Reason.ADDRESS),
        (400, "Not a valid phone number", Reason.ADDRESS),
        (404, "No such recipient", Reason.UNREACHABLE),
        (422, "The phone is unknown", Reason.ADDRESS),
        (400, "Missing key from", Reason.SENDER),
        (400, "'from' is not a number of yours", Reason.SENDER),
        (400, "Sender is not allowed", Reason.SENDER),
        (400, "Unable to send this", Reason.REFUSED),
        (400, "Message too long", Reason.REFUSED),
        (404, "Not found", Reason.UNREACHABLE),
        (400, "\udcff", Reason.REFUSED),
        (403, "Not enough credits", Reason.CREDIT),
        (403, "Your balance is too low", Reason.CREDIT),
        (403, "Forbidden", Reason.CREDENTIALS),
        (401, "No credit for this number from you", Reason.CREDENTIALS),
        (500, "No such number", Reason.BUSY),
    ],
)
def test_46elks_own_words_are_understood(host: SmsHost, status: int, said: str, reason: Reason | None) -> None:
    answer = http_answer(status).replace(b"Content-Length: 0\r\n", b"") + said.encode("utf-8", "surrogateescape")
    host.behave = at("request", refuse(answer))
    if reason is None:
        transport_to(host.elks()).send(LETTER)
    else:
        assert failure(transport_to(host.elks())).reason is reason


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("silence", [drop, hang])
def test_silence_after_the_request_leaves_it_open(host: SmsHost, silence: Any, takes: bool) -> None:
    host.behave = at("request", silence(takes=takes))
    for number, transport in enumerate(transports_to(host, HASTY), start=1):
        assert failure(transport).reason is Reason.UNSURE
        assert len(host.taken) == number * takes


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"HTTP/1.1", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/1.1 2x0 Ja\r\n\r\n", b"220 smtp\r\n"),
        *(b"\0\xff" * 5000, b"\r\n" * 9, b"HTTP/1.1 200 " + b"a" * 90_000),
        b"HTTP/1.1 200 Ja\r\n" + b"X: 1\r\n" * 500 + b"\r\n",
    ],
)
def test_nonsense_after_the_request_leaves_it_open(host: SmsHost, said: bytes) -> None:
    host.behave = at("request", refuse(said, takes=True))
    for transport in transports_to(host):
        failed = failure(transport)
        assert failed.reason is Reason.UNSURE
        assert "200" not in str(failed).replace(str(host.port), "")


@pytest.mark.parametrize("fault", [drop(), hang()])
def test_a_gateway_that_does_not_take_the_whole_request_has_sent_nothing(host: SmsHost, fault: Fault) -> None:
    """The text is longer than what the machine itself takes in on the gateway's behalf."""
    host.behave = at("head", fault)
    for transport in transports_to(host, HASTY):
        assert failure(transport, replace(LETTER, text="å" * 2_000_000)).reason is Reason.UNREACHABLE
    assert not host.taken


def test_a_gateway_that_hangs_up_at_once_may_have_been_told(host: SmsHost) -> None:
    """A short request is out before anybody can know; but never is it said to have been sent."""
    host.behave = at("connect", drop())
    for transport in transports_to(host):
        assert failure(transport).reason in (Reason.UNREACHABLE, Reason.UNSURE)


def test_a_gateway_that_answers_twice_has_one_letter(host: SmsHost) -> None:
    host.behave = at("request", twice())
    for number, transport in enumerate(transports_to(host), start=1):
        transport.send(LETTER)
        assert len(host.taken) == host.attempts == number


def test_nobody_at_home_is_unreachable() -> None:
    here = f"http://127.0.0.1:{unused_port()}/a1/sms"
    for url in (here, "https://no.invalid/a1/sms"):
        for protocol in SmsProtocol:
            transport = transport_to(SmsGateway(protocol, url, "Mitthem"))
            assert failure(transport).reason is Reason.UNREACHABLE
            with pytest.raises(SendingFailed) as probed:
                transport.probe()
            assert probed.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("where", ["head", "request"])
def test_no_single_operation_waits_longer_than_it_should(host: SmsHost, where: str) -> None:
    host.behave = at(where, hang())
    failed = failure(Elks(host.elks(), patience=Patience(step=0.2, whole=20)))
    assert "in time" in str(failed)


@pytest.mark.parametrize("tls", [True, False])
def test_a_gateway_that_drips_is_hung_up_on(tls: bool) -> None:
    """Each byte comes in time, and the answer never."""
    with SmsHost(at("request", drip(0.2)), tls=tls) as host:
        started = datetime.now(UTC)
        context = certificates().trusting
        failed = failure(Elks(host.elks(), context=context, patience=Patience(step=0.4, whole=0.8)))
        assert failed.reason is Reason.UNSURE
        assert "0.8 s" in str(failed)
        assert datetime.now(UTC) - started < timedelta(seconds=5)


def test_an_answer_whose_body_never_ends_is_an_answer() -> None:
    def endless(line: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += line.recv(65536)
        line.sendall(b"HTTP/1.1 201 Ja\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line.sendall(b"3e8\r\n" + b"a" * 1000 + b"\r\n")

    with RawHost(endless) as host:
        gateway = SmsGateway(SmsProtocol.ELKS, f"http://127.0.0.1:{host.port}/a1/sms", "Mitthem")
        Elks(gateway, patience=Patience(step=5, whole=30)).send(LETTER)


@pytest.mark.parametrize("status", [201, 401])
@pytest.mark.parametrize(
    ("head", "body", "hangs"),
    [
        (b"Content-Length: 9", b"ab", False),
        (b"Content-Length: 9", b"ab", True),
        (b"Content-Length: x", b"ab", False),
        (b"Transfer-Encoding: chunked", b"", False),
        (b"Transfer-Encoding: chunked", b"", True),
        (b"Transfer-Encoding: chunked", b"zz\r\nab", False),
        (b"Transfer-Encoding: chunked", b"ff\r\nab", False),
        (b"Transfer-Encoding: chunked", b"ff\r\nab", True),
    ],
)
def test_a_status_that_was_said_holds_whatever_becomes_of_the_body(
    status: int, head: bytes, body: bytes, hangs: bool
) -> None:
    over = threading.Event()

    def breaking_off(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(b"HTTP/1.1 %d So\r\n%b\r\n\r\n%b" % (status, head, body))
        over.wait(20 if hangs else 0)

    with RawHost(breaking_off) as host:
        gateway = SmsGateway(SmsProtocol.ELKS, f"http://127.0.0.1:{host.port}/a1/sms", "Mitthem")
        transport = Elks(gateway, patience=HASTY)
        if status == 201:
            transport.send(LETTER)
        else:
            assert failure(transport).reason is Reason.CREDENTIALS
        over.set()


def test_after_a_failure_the_next_attempt_is_as_good_as_new(host: SmsHost) -> None:
    host.behave = in_turn(at("request", drop()), at("request", refuse(503)), None)
    transport = transport_to(host.elks())
    assert [failure(transport).reason for _attempt in range(2)] == [Reason.UNSURE, Reason.BUSY]
    transport.send(LETTER)
    assert len(host.taken) == 1


# The probe


def test_a_probe_sends_nothing_and_knows_a_wrong_password(host: SmsHost) -> None:
    for transport in transports_to(host):
        transport.probe()
    assert not host.taken
    with pytest.raises(SendingFailed) as failed:
        transport_to(host.elks(password="another")).probe()
    assert failed.value.reason is Reason.CREDENTIALS
    for url in ("/a1/SMS", "/a1/sms/"):
        transport_to(host.elks(url=host.url(url))).probe()
        assert host.moments[-1].to == "/a1/me"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (refuse(200), None),
        (refuse(404), None),
        (refuse(402), None),
        (refuse(429), None),
        (refuse(401), Reason.CREDENTIALS),
        (refuse(403, "no credit"), Reason.CREDENTIALS),
        (refuse(500), Reason.BUSY),
        (refuse(503), Reason.BUSY),
        (refuse(302), Reason.UNREACHABLE),
        (refuse(b"nonsense"), Reason.UNREACHABLE),
        (drop(), Reason.UNREACHABLE),
        (hang(), Reason.UNREACHABLE),
    ],
)
def test_a_probe_says_what_is_wrong(host: SmsHost, fault: Fault, reason: Reason | None) -> None:
    host.behave = at("request", fault)
    if reason is None:
        transport_to(host.elks(), HASTY).probe()
    else:
        with pytest.raises(SendingFailed) as failed:
            transport_to(host.elks(), HASTY).probe()
        assert failed.value.reason is reason


# Many at once


def test_many_letters_go_out_beside_each_other(host: SmsHost) -> None:
    people = [f"+4670{number:07d}" for number in range(120)]
    unlucky = set(people[::7])
    unsure: list[str] = []

    def behave(moment: Moment) -> Fault | None:
        return drop(takes=True) if moment.at == "request" and moment.to in unlucky else None

    host.behave = behave
    transport = for_sms(host.elks())

    def send(mine: list[str]) -> None:
        for to in mine:
            try:
                transport.send(replace(LETTER, to=to))
            except SendingFailed:
                unsure.append(to)

    threads = [threading.Thread(target=send, args=(people[start::6],)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken.to for taken in host.taken) == people
    assert set(unsure) == unlucky
