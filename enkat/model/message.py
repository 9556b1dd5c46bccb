"""Messages that carry a link to somebody who was not there: what is sent, by what service, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from enkat.model.errors import EnkatError
from enkat.model.meeting import Channel


class Purpose(StrEnum):
    """The link itself, or the one reminder."""

    LINK = "link"
    REMINDER = "reminder"


class MessageState(StrEnum):
    """Waiting, claimed by the background work, or at one of its ends. `sent` is also said of a reminder that was not
    needed any more."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a message did not go out."""

    UNREACHABLE = "unreachable"  # the service does not answer
    CREDENTIALS = "credentials"  # the service refuses our sign-in
    CREDIT = "credit"  # the account with the service is empty or blocked
    SENDER = "sender"  # the service refuses our sender
    BUSY = "busy"  # the service refuses for now
    UNSURE = "unsure"  # handed over, and no word came back
    ADDRESS = "address"  # there is no such number or address
    REFUSED = "refused"  # the service refuses this message for good
    UNDELIVERED = "undelivered"  # accepted, and reported as not delivered


#: After these it makes no sense to try again.
FOR_GOOD = frozenset([Reason.ADDRESS, Reason.REFUSED, Reason.UNDELIVERED])

#: These are the service's, or our account's with it: they concern every message, and whoever runs enkat mends them.
OF_THE_SERVICE = frozenset([Reason.UNREACHABLE, Reason.CREDENTIALS, Reason.CREDIT, Reason.SENDER])


class SendingFailed(EnkatError):
    """What a transport raises where a message did not go out, or may not have. The message names no recipient."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Letter:
    """One message as it goes out. `id` is the same at each attempt; `report` is the secret address at which the service
    may tell what became of it. `subject` and `html` are an e-mail's alone."""

    id: str
    to: str
    text: str
    language: str = "sv"
    subject: str = ""
    html: str = ""
    report: str | None = None


class Security(StrEnum):
    """How the way to a mail server is kept private; `none` is for loopback alone."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed in, and from whom it comes."""

    host: str
    port: int
    security: Security
    sender: str
    sender_name: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class SmsProtocol(StrEnum):
    """How a gateway is spoken to."""

    ELKS = "46elks"
    GATEWAY = "gateway"


@dataclass(frozen=True)
class SmsGateway:
    """Where SMS are handed in, and from whom they come. For `gateway`, `body` names the fields of a request and what
    they hold, with `{to}`, `{text}`, `{sender}`, `{id}` and `{report}` to be filled in; `delivered` and `undelivered`
    are the field and the value by which it reports."""

    protocol: SmsProtocol
    url: str
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    body: Mapping[str, str] = field(default_factory=dict)
    is_json: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    delivered: tuple[str, str] = ("status", "delivered")
    undelivered: tuple[str, str] = ("status", "failed")


@dataclass(frozen=True)
class Message:
    """A message in the outbox. `due` is UTC, in whole seconds, written 2026-11-20T14:02:59Z: when it is tried next, or
    until when whoever claimed it has it. `unsure` counts the attempts of which nobody knows whether they arrived."""

    id: str
    contact: str
    meeting: str
    link: str
    channel: Channel
    purpose: Purpose
    state: MessageState
    due: str
    attempts: int
    unsure: int
    sealed: bytes | None
    reason: Reason | None
