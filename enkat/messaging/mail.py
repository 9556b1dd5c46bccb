"""An e-mail as it stands on the wire: bytes that hold what a letter says, who it is from and for, and nothing else.

Python folds long headers for us, and in some versions loses quotation marks as it does: a sender's name with a comma in
it becomes two senders. So the headers that hold anybody's words are written here, each in one way only."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from enkat.messaging import wire
from enkat.model.message import Letter, Reason, SendingFailed

#: An atom and dots: what every server takes. Quoted local parts exist in the standard, and hardly anywhere else.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")

#: What may stand in a header as it is, and in one line.
_PLAIN = re.compile(r"[A-Za-z0-9 ]{1,60}")

#: Lines of at most 76 letters, all of them ASCII: nothing on the way has a reason to change them.
_POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)


@dataclass(frozen=True)
class Sender:
    """Whom e-mail comes from. ValueError where it cannot be written."""

    address: str
    name: str

    @classmethod
    def parse(cls, address: str, name: str) -> "Sender":
        """A sender as the settings write it."""
        try:
            written = envelope(address)
        except SendingFailed as error:
            raise ValueError("the sender is no address to send from; write it as name@example.se") from error
        if wire.has_controls(name):
            raise ValueError("the sender's name holds control characters")
        return cls(written, " ".join(name.split()))

    @property
    def domain(self) -> str:
        """Where the sender is at home: what we say that we are, instead of this machine's own name."""
        return self.address.rpartition("@")[2]


def envelope(address: str) -> str:
    """An address as SMTP writes it, its domain in ASCII; SendingFailed where it can be no one address."""
    if wire.has_controls(address):
        raise SendingFailed(Reason.REFUSED, "an address with control characters is sent nowhere")
    local, _at, domain = address.rpartition("@")
    try:
        home = domain.encode("idna").decode()
    except UnicodeError:
        home = ""
    if not _DOMAIN.fullmatch(home):
        raise SendingFailed(Reason.ADDRESS, "what should be an address has no domain")
    if not local.isascii():
        raise SendingFailed(Reason.REFUSED, "an address with other letters than ASCII before the @ is sent nowhere")
    if len(local) > 64 or not _LOCAL.fullmatch(local):
        raise SendingFailed(Reason.ADDRESS, "what should be an address is none")
    return f"{local}@{home}"


def written(letter: Letter, sender: Sender, to: str) -> bytes:
    """A letter with its headers; `to` is its envelope's. SendingFailed where something in it could break out of its
    place. The time is UTC, and the id the same at each attempt, so that a mailbox may know a letter come twice."""
    language = letter.language.replace("_", "-")
    if wire.has_controls(letter.subject) or not _ID.fullmatch(letter.id) or not _LANGUAGE.fullmatch(language):
        raise SendingFailed(Reason.REFUSED, "a letter with control characters in its head is not sent")
    head = {
        "From": f"{_words('From', sender.name)} <{sender.address}>" if sender.name else sender.address,
        "To": to,
        "Subject": _words("Subject", letter.subject),
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": f"<{letter.id}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": language,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    try:
        return lines.encode("ascii") + _body(letter)
    except UnicodeEncodeError as error:
        raise SendingFailed(Reason.REFUSED, "a text with half a character is not sent") from error


def _words(name: str, text: str) -> str:
    """Anybody's words in a header, folded: as they are where they are plain, else encoded with all they hold."""
    if not text or _PLAIN.fullmatch(text):
        return text
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")


def _body(letter: Letter) -> bytes:
    """The text, and beside it the same as HTML where there is one, with the headers that say which is which."""
    body = EmailMessage(policy=_POLICY)
    body.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        body.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return body.as_bytes(policy=_POLICY)
