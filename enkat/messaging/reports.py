"""What a gateway reports of a message that it took. A report comes from outside: anything may stand in it."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl

from enkat.model.message import MessageState, SmsGateway, SmsProtocol


def outcome(gateway: SmsGateway, content_type: str, body: bytes) -> MessageState | None:
    """`delivered` or `failed`; None for a report of something between, one that says both, and one that nobody
    understands. Never raises, whatever the bytes."""
    if gateway.protocol is SmsProtocol.ELKS:
        pairs, delivered, undelivered = _form(body), ("status", "delivered"), ("status", "failed")
    else:
        pairs, delivered, undelivered = _pairs(content_type, body), gateway.delivered, gateway.undelivered
    said = {(name, value.strip().casefold()) for name, value in pairs}
    is_delivered, is_failed = _plain(delivered) in said, _plain(undelivered) in said
    if is_delivered == is_failed:
        return None
    return MessageState.DELIVERED if is_delivered else MessageState.FAILED


def _plain(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[0], pair[1].strip().casefold()


def _pairs(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Every field of a report and what it says. Some services name no type: what looks like JSON is taken for it."""
    if "json" in content_type.lower() or body.lstrip()[:1] in (b"{", b"["):
        try:
            return list(_fields(json.loads(body)))
        except (ValueError, RecursionError):
            return []
    return _form(body)


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    except ValueError:
        return []


def _fields(said: object) -> Iterator[tuple[str, str]]:
    """The single values of JSON, however deep, each with its own name; those of a list have the list's."""
    waiting: list[tuple[str, object]] = [("", said)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((name, one) for one in value)
        else:
            # true and null as JSON writes them, not as Python does
            yield name, value if isinstance(value, str) else json.dumps(value)
