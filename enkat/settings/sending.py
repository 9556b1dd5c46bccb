"""The settings by which links are sent: a mail server, an SMS gateway, and who the messages come from."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from enkat.model.errors import SettingsError
from enkat.model.message import Security, SmsProtocol

#: Who an SMS comes from: a name of letters and digits, or a number that can be answered.
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9]{2,10}|\+[1-9][0-9]{6,14}")

_ADDRESS = re.compile(r"[^\s@<>\"',;:]{1,64}@[A-Za-z0-9.-]{1,190}")
_HEADER = re.compile(r"([A-Za-z0-9-]{1,64}): ?([\x20-\x7e]{1,1000})")

#: What can stand between braces in the setting sms_body.
PLACEHOLDERS = frozenset(["to", "text", "sender", "id", "report"])


@dataclass(frozen=True)
class Entrance:
    """Where messages are handed in: a URL without its user and password, and these apart."""

    url: SplitResult = field(repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The machine's name or address."""
        return self.url.hostname or ""

    @property
    def is_loopback(self) -> bool:
        """True where nothing leaves this machine."""
        return is_loopback(self.host)

    @property
    def security(self) -> Security:
        """How the way to a mail server is kept private."""
        if self.url.scheme == "smtps":
            return Security.TLS
        return Security.NONE if self.is_loopback else Security.STARTTLS


@dataclass(frozen=True)
class Sender:
    """Who an e-mail comes from."""

    address: str
    name: str = ""


@dataclass(frozen=True)
class Body:
    """What a request to a gateway holds: names and values, with places to be filled in."""

    fields: Mapping[str, str] = field(repr=False)
    is_json: bool


def is_loopback(host: str) -> bool:
    """True for this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def smtp_url(where: str, value: object) -> Entrance:
    """`smtps://` is TLS from the first byte, `smtp://` turns to it before anything is said (STARTTLS)."""
    return _entrance(where, value, "smtps://user:password@mail.example.se", ("smtp", "smtps"))


def sms_url(where: str, value: object) -> Entrance:
    """A gateway's address; http for loopback alone."""
    found = _entrance(where, value, "https://user:password@api.46elks.com/a1/sms", ("http", "https"))
    if found.url.scheme == "http" and not found.is_loopback:
        raise SettingsError(f"{where}: numbers and links are sent there, so it must begin with https://")
    return found


def _entrance(where: str, value: object, example: str, schemes: tuple[str, str]) -> Entrance:
    """The messages do not repeat what was written: it holds a password."""
    wrong = SettingsError(f"{where}: write an address such as {example}")
    if not isinstance(value, str) or not value.strip().isascii() or not value.strip().isprintable():
        raise wrong
    try:
        parts = urlsplit(value.strip())
        _ = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in schemes or not parts.hostname or " " in parts.netloc or parts.fragment:
        raise wrong
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    if (user is None) != (password is None) or not all((part or "x").isprintable() for part in (user, password)):
        raise wrong
    return Entrance(parts._replace(netloc=parts.netloc.rpartition("@")[2]), user, password)


def mail_from(where: str, value: object) -> Sender:
    """`Exempel kommun <svar@example.se>`, or the address alone."""
    text = value.strip() if isinstance(value, str) else ""
    name, bracket, rest = text.rpartition("<")
    address = rest.removesuffix(">").strip() if bracket else text
    if not text.isprintable() or not _ADDRESS.fullmatch(address) or bool(bracket) != text.endswith(">"):
        raise SettingsError(f"{where}: write a name and an address, such as Exempel kommun <svar@example.se>")
    return Sender(address, name.strip().strip('"'))


def sms_sender(where: str, value: object) -> str:
    """At most eleven letters and digits, or a number."""
    text = value.strip() if isinstance(value, str) else ""
    if not _SENDER.fullmatch(text):
        raise SettingsError(
            f"{where}: a sender is 3-11 letters (a-z) and digits that begin with a letter, or a number such as "
            f"+46701234567, not '{text[:40]}'"
        )
    return text


def sms_service(where: str, value: object) -> SmsProtocol:
    """How the gateway is spoken to."""
    try:
        return SmsProtocol(str(value).strip())
    except ValueError:
        raise SettingsError(f"{where}: must be 46elks or gateway, not '{str(value)[:40]}'") from None


def sms_body(where: str, value: object) -> Body:
    """Fields as in a form (`to={to}&message={text}`), a JSON object, or a table in the file."""
    text = value.strip() if isinstance(value, str) else ""
    is_json = isinstance(value, dict) or text.startswith("{")
    try:
        fields: Any = value if isinstance(value, dict) else json.loads(text) if is_json else dict(parse_qsl(text, True))
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not all(isinstance(one, str) for one in fields.values()):
        raise SettingsError(f"{where}: write it as to={{to}}&message={{text}}, or as a JSON object of texts")
    used = set(re.findall(r"\{(\w+)\}", " ".join(fields.values())))
    if unknown := sorted(used - PLACEHOLDERS):
        raise SettingsError(f"{where}: nothing is called {{{unknown[0]}}}; there are {', '.join(sorted(PLACEHOLDERS))}")
    if lacking := sorted({"to", "text"} - used):
        raise SettingsError(f"{where}: it lacks {{{lacking[0]}}}, without which no message can be sent")
    return Body(fields, is_json)


def sms_headers(where: str, value: object) -> dict[str, str]:
    """Further headers of a request, one on a line (a list in the file)."""
    lines = value.splitlines() if isinstance(value, str) else value
    found = {}
    for line in lines if isinstance(lines, list) else [None]:
        matched = _HEADER.fullmatch(line.strip()) if isinstance(line, str) else None
        if not matched:
            raise SettingsError(f"{where}: write each header as Name: value, such as Authorization: Bearer abc")
        found[matched[1]] = matched[2]
    return found


def report(where: str, value: object) -> tuple[str, str]:
    """The field and value by which a gateway says what became of a message, `status=delivered`."""
    name, sign, said = value.strip().partition("=") if isinstance(value, str) else ("", "", "")
    if not (name and sign and said and name.isprintable() and said.isprintable()):
        raise SettingsError(f"{where}: write a field and its value, such as status=delivered")
    return name, said


def days(where: str, value: object) -> int:
    """From one day to two weeks."""
    number = int(str(value)) if re.fullmatch(r"[0-9]{1,2}", str(value)) else 0
    if not 1 <= number <= 14:
        raise SettingsError(f"{where}: must be a whole number of days from 1 to 14, not '{str(value)[:40]}'")
    return number
