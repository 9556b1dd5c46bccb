"""What a gateway tells afterwards, and what anybody else may send to the same address."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat.messaging.reports import outcome
from enkat.model.message import MessageState, SmsGateway, SmsProtocol

ELKS = SmsGateway(SmsProtocol.ELKS, "https://api.46elks.com/a1/sms", "Mitthem")
PLAIN = SmsGateway(SmsProtocol.GATEWAY, "https://sms.example/send", "Mitthem")
OTHER = replace(PLAIN, delivered=("DeliveryState", "DELIVRD"), undelivered=("done", "false"))

FORM, JSON = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
DELIVERED, FAILED = MessageState.DELIVERED, MessageState.FAILED

#: Deeper than any parser goes.
DEEP = b"[" * 60_000


@pytest.mark.parametrize(
    ("gateway", "content_type", "body", "state"),
    [
        (ELKS, FORM, b"id=s1&status=delivered&delivered=2026-11-20T14%3A02%3A59.123", DELIVERED),
        (ELKS, FORM, b"id=s1&status=failed", FAILED),
        (ELKS, FORM, b"id=s1&status=sent", None),
        (ELKS, FORM, b"id=s1&status=created", None),
        (ELKS, FORM, b"status=Delivered", DELIVERED),
        (ELKS, "", b"status=delivered", DELIVERED),
        (ELKS, FORM, b"status=delivered&status=failed", None),
        (ELKS, FORM, b"state=delivered", None),
        (ELKS, FORM, b"", None),
        (PLAIN, FORM, b"status=DELIVERED", DELIVERED),
        (PLAIN, JSON, b'{"status": "Failed"}', FAILED),
        (PLAIN, JSON, b'{"message": {"id": 1, "status": "delivered"}}', DELIVERED),
        (PLAIN, JSON, b'[{"results": [{"status": "failed"}]}]', FAILED),
        (PLAIN, JSON, b'{"status": ["delivered"]}', DELIVERED),
        (PLAIN, JSON, b'{"status": {"name": "delivered"}}', None),
        (PLAIN, JSON, b'{"a": {"status": "delivered"}, "b": {"status": "failed"}}', None),
        (PLAIN, JSON, b'{"status": "buffered"}', None),
        (PLAIN, JSON, b'{"status": null}', None),
        (PLAIN, JSON, b'"delivered"', None),
        (PLAIN, JSON, b"status=delivered", None),
        (PLAIN, "", b' {"status": "delivered"}', DELIVERED),
        (PLAIN, "text/plain", b"status=delivered", DELIVERED),
        (PLAIN, JSON, DEEP, None),
        (PLAIN, JSON, b'{"status":' * 9_000, None),
        (PLAIN, JSON, b'{"status": ' + b"9" * 60_000 + b"}", None),
        (PLAIN, JSON, '{"status": "delivered"}'.encode("utf-16"), DELIVERED),
        (OTHER, JSON, b'{"DeliveryState": "delivrd"}', DELIVERED),
        (OTHER, JSON, b'{"deliverystate": "DELIVRD"}', None),
        (OTHER, JSON, b'{"done": false}', FAILED),
        (OTHER, JSON, b'{"done": true}', None),
        (OTHER, FORM, b"done=false", FAILED),
        (replace(PLAIN, delivered=("code", "0")), JSON, b'{"code": 0}', DELIVERED),
    ],
)
def test_a_report_is_understood_or_left_alone(
    gateway: SmsGateway, content_type: str, body: bytes, state: MessageState | None
) -> None:
    assert outcome(gateway, content_type, body) == state


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["delivered", "failed"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.just("status") | st.text(), inner),
)


@settings(max_examples=50)
@given(
    st.sampled_from([ELKS, PLAIN, OTHER]),
    st.sampled_from([FORM, JSON, ""]) | st.text(),
    st.binary() | _JSON.map(lambda said: json.dumps(said).encode()) | st.text().map(lambda text: text.encode("utf-16")),
)
def test_nothing_that_anybody_sends_is_a_fault_of_ours(gateway: SmsGateway, content_type: str, body: bytes) -> None:
    assert outcome(gateway, content_type, body) in (None, DELIVERED, FAILED)


@settings(max_examples=30)
@given(_JSON)
def test_what_does_not_speak_of_the_status_says_nothing(said: object) -> None:
    assert (
        outcome(replace(PLAIN, delivered=("\0", "yes"), undelivered=("\0", "no")), JSON, json.dumps(said).encode())
        is None
    )
