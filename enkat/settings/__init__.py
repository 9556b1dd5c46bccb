"""Settings: from the environment, then `enkat.toml` in the instance folder, then the defaults."""

import ipaddress
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from enkat.model import colour
from enkat.model.colour import Colour
from enkat.model.errors import SettingsError
from enkat.model.meeting import Channel
from enkat.model.message import MailServer, SmsGateway, SmsProtocol
from enkat.model.neutral import says_too_much
from enkat.settings import sending
from enkat.settings.sending import Body, Entrance, Sender

#: Closing dates are days in this zone.
ZONE = ZoneInfo("Europe/Stockholm")

#: The smallest group that is ever shown holds five answers. Above a hundred hardly anything would ever be.
FEWEST_IN_A_GROUP, MOST_IN_A_GROUP = 5, 100

#: Kinds of characters that no text of a setting has: controls, marks of direction, and what was not UTF-8.
_UNSEEN = frozenset(["Cc", "Cf", "Cs"])

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: A host, or an IPv6 address in brackets, and perhaps a port; no user, path, query or fragment.
_HOST = re.compile(r"([^\s/?#@:\[\]]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?")


@dataclass(frozen=True)
class Settings:
    """One installation's settings. `base_url` is what links begin with, without a slash at the end;
    `fixed_today` stops the calendar for tests and demonstrations; `proxy` is whose word is taken for where a request
    comes from; `name`, `logo` (a file in the instance folder) and `accent` are the municipality's on every page;
    `languages` those that participants are offered, None for all there are. Of what links are sent by, `mail` and `sms`
    say all that is needed."""

    instance: Path
    base_url: str | None = None
    smallest_group: int = FEWEST_IN_A_GROUP
    fixed_today: date | None = None
    controller: str | None = None
    contact: str | None = None
    leave_out: frozenset[str] = frozenset()
    proxy: tuple[Network, ...] = ()
    name: str | None = None
    logo: str | None = None
    accent: Colour | None = None
    languages: frozenset[str] | None = None
    smtp_url: Entrance | None = None
    mail_from: Sender | None = None
    mail_subject: str | None = None
    sms_url: Entrance | None = None
    sms_sender: str | None = None
    sms_service: SmsProtocol = SmsProtocol.ELKS
    sms_body: Body | None = None
    sms_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sms_delivered: tuple[str, str] = ("status", "delivered")
    sms_undelivered: tuple[str, str] = ("status", "failed")
    reminder_days: int = 3

    @property
    def mail(self) -> MailServer | None:
        """What e-mail is sent by; None where there is nothing."""
        if self.smtp_url is None or self.mail_from is None:
            return None
        entrance = self.smtp_url
        return MailServer(
            host=entrance.host,
            port=entrance.url.port or (465 if entrance.url.scheme == "smtps" else 587),
            security=entrance.security,
            sender=self.mail_from.address,
            sender_name=self.mail_from.name,
            user=entrance.user,
            password=entrance.password,
        )

    @property
    def sms(self) -> SmsGateway | None:
        """What SMS are sent by; None where coordinators use their own phones."""
        if self.sms_url is None or self.sms_sender is None:
            return None
        body = self.sms_body or Body({}, is_json=False)
        return SmsGateway(
            protocol=self.sms_service,
            url=self.sms_url.url.geturl(),
            sender=self.sms_sender,
            user=self.sms_url.user,
            password=self.sms_url.password,
            body=body.fields,
            is_json=body.is_json,
            headers=self.sms_headers,
            delivered=self.sms_delivered,
            undelivered=self.sms_undelivered,
        )

    @property
    def channels(self) -> frozenset[Channel]:
        """What links can be sent by."""
        there = {Channel.SMS: self.sms, Channel.EMAIL: self.mail}
        return frozenset(channel for channel, service in there.items() if service)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.instance / "enkat.db"

    @property
    def keys(self) -> Path:
        """The folder of secrets, beside the database and never inside it."""
        return self.instance / "keys"

    @property
    def audit_heads(self) -> Path:
        """The file of noted heads of the audit log."""
        return self.instance / "audit.heads"

    @property
    def has_tls(self) -> bool:
        """True where participants and staff reach the system over https."""
        return (self.base_url or "").startswith("https://")

    def today(self) -> date:
        """The day it is, locally."""
        return self.fixed_today or datetime.now(ZONE).date()

    def now(self) -> datetime:
        """The moment it is, in UTC. Where the calendar is stopped the hands of the clock go on, round and round."""
        if self.fixed_today is None:
            return datetime.now(UTC)
        return datetime.combine(self.fixed_today, datetime.now(ZONE).time(), ZONE).astimezone(UTC)


#: Field of `Settings` by the name it has in `enkat.toml`; in the environment it is `ENKAT_` and upper case.
NAMES = {
    "base_url": "base_url",
    "smallest_group": "smallest_group",
    "today": "fixed_today",
    "controller": "controller",
    "contact": "contact",
    "leave_out": "leave_out",
    "proxy": "proxy",
    "name": "name",
    "logo": "logo",
    "accent": "accent",
    "languages": "languages",
    "smtp_url": "smtp_url",
    "mail_from": "mail_from",
    "mail_subject": "mail_subject",
    "sms_url": "sms_url",
    "sms_sender": "sms_sender",
    "sms_service": "sms_service",
    "sms_body": "sms_body",
    "sms_headers": "sms_headers",
    "sms_delivered": "sms_delivered",
    "sms_undelivered": "sms_undelivered",
    "reminder_days": "reminder_days",
}


def load(environment: Mapping[str, str] = os.environ, served: str | None = None) -> Settings:
    """Read and judge the settings; SettingsError names the setting, where it stands and the mend. `served` is
    where the server is about to listen: what links begin with unless a base URL is set."""
    instance = Path(environment.get("ENKAT_INSTANCE") or "instance").absolute()
    given: dict[str, tuple[str, object]] = {"base_url": ("the served address", served)} if served else {}
    file = instance / "enkat.toml"
    for name, value in _read_file(file).items():
        if name not in NAMES:
            raise SettingsError(f"{file}: unknown setting '{name}'; the settings are {', '.join(NAMES)}")
        given[name] = (f"{name} in {file}", value)
    for name in NAMES:
        if value := environment.get(f"ENKAT_{name.upper()}", "").strip():
            given[name] = (f"ENKAT_{name.upper()}", value)
    values: dict[str, Any] = {NAMES[name]: _READERS[name](where, value) for name, (where, value) in given.items()}
    settings = Settings(instance=instance, **values)
    if settings.fixed_today and settings.base_url and not _is_private(settings.base_url):
        raise SettingsError(
            f"{given['today'][0]}: the calendar cannot be stopped on a public base URL "
            f"({settings.base_url}); remove one of the two"
        )
    if settings.logo and not settings.name:
        raise SettingsError(f"{given['logo'][0]}: those who cannot see the logo need the name too (set ENKAT_NAME)")
    _judge_sending(settings, {name: where for name, (where, _value) in given.items()})
    return settings


def _judge_sending(settings: Settings, given: Mapping[str, str]) -> None:
    """What messages need, and what none of them may say to whoever looks over a shoulder."""
    for one, other in _NEEDED_TOGETHER:
        if one in given and other not in given:
            raise SettingsError(f"{given[one]}: it needs the other half too (set ENKAT_{other.upper()})")
    if settings.sms_url and settings.sms_service is SmsProtocol.GATEWAY and not settings.sms_body:
        raise SettingsError(f"{given['sms_service']}: say what is sent to the gateway (set ENKAT_SMS_BODY)")
    sender = settings.mail_from or Sender("")
    shown = {
        "mail_from": f"{sender.name} {sender.address}",
        "mail_subject": settings.mail_subject,
        "sms_sender": settings.sms_sender,
        "base_url": settings.base_url if settings.channels else None,
    }
    for name, text in shown.items():
        if word := says_too_much(text or ""):
            raise SettingsError(f"{given[name]}: a message would say '{word}' to whoever looks over a shoulder")


#: Settings that mean nothing without each other.
_NEEDED_TOGETHER = [
    ("smtp_url", "mail_from"),
    ("mail_from", "smtp_url"),
    ("mail_subject", "smtp_url"),
    ("sms_url", "sms_sender"),
    ("sms_sender", "sms_url"),
    ("sms_service", "sms_url"),
    ("sms_body", "sms_url"),
    ("sms_headers", "sms_url"),
    ("sms_delivered", "sms_url"),
    ("sms_undelivered", "sms_url"),
]


def _read_file(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{where}: write it as a text in quotation marks")
    if any(unicodedata.category(mark) in _UNSEEN for mark in value):
        raise SettingsError(f"{where}: it holds characters that cannot be seen, or is not UTF-8; write it anew")
    return value.strip()


def _base_url(where: str, value: object) -> str:
    url = _text(where, value).rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"{where}: '{url}' is not an address ({error})") from error
    if parts.scheme not in ("http", "https") or not host or not _HOST.fullmatch(url.partition("://")[2]):
        raise SettingsError(f"{where}: '{url}' must be a scheme and a host alone, such as https://svar.example.se")
    if parts.scheme == "http" and not _is_private(url):
        raise SettingsError(f"{where}: '{url}' is public and has no TLS; let it begin with https://")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_private(url: str) -> bool:
    """True for loopback, private and link-local addresses, where http is allowed for trying things out."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local"))
    return address.is_loopback or address.is_private or address.is_link_local


def _smallest_group(where: str, value: object) -> int:
    number = int(str(value)) if re.fullmatch(r"[0-9]{1,3}", str(value)) else 0
    if not FEWEST_IN_A_GROUP <= number <= MOST_IN_A_GROUP:
        raise SettingsError(
            f"{where}: must be a whole number from {FEWEST_IN_A_GROUP} to {MOST_IN_A_GROUP}, not '{value}'"
        )
    return number


def _day(where: str, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise SettingsError(f"{where}: must be a date such as 2026-11-20, not '{value}'") from error


def _names(where: str, value: object) -> frozenset[str]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingsError(f"{where}: write it as a list of texts such as ['adult.trust']")
    return frozenset(name.strip() for name in names if name.strip())


def _networks(where: str, value: object) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(name, strict=False) for name in sorted(_names(where, value)))
    except ValueError as error:
        raise SettingsError(f"{where}: write the proxy's address, such as 127.0.0.1 or 10.0.0.0/8 ({error})") from error


def _name(where: str, value: object) -> str:
    name = " ".join(_text(where, value).split())
    if len(name) > 60:
        raise SettingsError(f"{where}: a name has at most 60 characters, this one {len(name)}")
    return name


def _accent(where: str, value: object) -> Colour:
    try:
        chosen = Colour.parse(_text(where, value))
        colour.by_day(chosen)
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from error
    return chosen


def _languages(where: str, value: object) -> frozenset[str]:
    names = _names(where, value)
    if wrong := sorted(name for name in names if not re.fullmatch(r"[A-Za-z]{2,3}(_\w+)?", name)):
        raise SettingsError(f"{where}: '{wrong[0]}' is no language; write their codes, such as sv, ar, ti")
    return names


_READERS: dict[str, Callable[[str, object], object]] = {
    "base_url": _base_url,
    "smallest_group": _smallest_group,
    "today": _day,
    "controller": _text,
    "contact": _text,
    "leave_out": _names,
    "proxy": _networks,
    "name": _name,
    "logo": _text,
    "accent": _accent,
    "languages": _languages,
    "smtp_url": sending.smtp_url,
    "mail_from": sending.mail_from,
    "mail_subject": _name,
    "sms_url": sending.sms_url,
    "sms_sender": sending.sms_sender,
    "sms_service": sending.sms_service,
    "sms_body": sending.sms_body,
    "sms_headers": sending.sms_headers,
    "sms_delivered": sending.report,
    "sms_undelivered": sending.report,
    "reminder_days": sending.days,
}
