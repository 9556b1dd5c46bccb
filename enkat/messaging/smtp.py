"""E-mail over SMTP, one fresh connection a letter. Each command is said on its own, for what a failure means depends on
how far we had come: only from the last dot on may a letter have arrived."""

import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import socket
from typing import TypeVar

from enkat.messaging import mail, wire
from enkat.messaging.mail import Sender
from enkat.messaging.wire import PATIENCE, Patience
from enkat.model.message import Letter, MailServer, Reason, Security, SendingFailed
from enkat.settings.sending import is_loopback

#: The letter has been taken, or will not be; a server that is slow to take its leave does not keep us.
_FAREWELL = 2.0

#: More than a server can have to say of one letter, in bytes.
_LONGEST_SPEECH = 64 * 1024

#: The status behind the code (RFC 3463), where a server says one.
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")

#: What it says better than the code does: 550 alone may mean nearly anything. The first that fits holds.
_BY_ENHANCED = {
    "5.1.7": Reason.SENDER,
    "5.1.8": Reason.SENDER,
    "5.1.": Reason.ADDRESS,
    "5.2.1": Reason.ADDRESS,  # the mailbox is closed
    "5.2.2": Reason.BUSY,  # the mailbox is full
    "5.3.4": Reason.REFUSED,  # the letter is too big
    "5.7.": Reason.REFUSED,  # a rule of the server's, no fault of the address
}

#: Many servers judge us and our sender only once they have heard the recipient. It concerns every letter none the less.
_OF_US = {
    re.compile(rb"sender address rejected", re.IGNORECASE): Reason.SENDER,
    re.compile(
        rb"relay(?:ing)? (?:access )?(?:denied|prohibited|not)|unable to relay", re.IGNORECASE
    ): Reason.CREDENTIALS,
}

_Said = TypeVar("_Said")

#: What to make of a refusal, by its code and its words.
_Judge = Callable[[int, bytes], Reason]

#: Sign in first, or differently.
_UNSIGNED = frozenset([530, 534, 535, 538])


class Smtp:
    """A mail server that takes our letters. ValueError where its settings cannot be used, or where anybody on the way
    could read what is said."""

    signs_in_to_probe = True

    def __init__(
        self, server: MailServer, *, context: ssl.SSLContext | None = None, patience: Patience = PATIENCE
    ) -> None:
        if server.security is Security.NONE and not is_loopback(server.host):
            raise ValueError("mail goes without TLS to this machine alone; choose tls or starttls")
        self._server = server
        self._sender = Sender.parse(server.sender, server.sender_name)
        self._context = None if server.security is Security.NONE else context or ssl.create_default_context()
        self._patience = patience

    def send(self, letter: Letter) -> None:
        """Hand a letter over; SendingFailed where it was not taken, or may not have been."""
        to = mail.envelope(letter.to)
        whole = mail.written(letter, self._sender, to)
        with self._signed_in() as conversation:
            conversation.must("the sender", "MAIL", f"FROM:<{self._sender.address}>", _of_the_sender)
            conversation.must("the recipient", "RCPT", f"TO:<{to}>", _of_the_recipient)
            conversation.must("the letter", "DATA", "", _of_the_letter, (354,))
            conversation.hand_over(whole)

    def probe(self) -> None:
        """See whether the server is there and takes our sign-in."""
        with self._signed_in():
            pass

    @contextmanager
    def _signed_in(self) -> Iterator["_Conversation"]:
        server = self._server
        context = self._context if server.security is Security.TLS else None
        with wire.connection(server.host, server.port, context, self._patience) as line:
            conversation = _Conversation(line, f"{server.host}:{server.port}", self._sender.domain)
            try:
                conversation.greet()
                if server.security is Security.STARTTLS and self._context:
                    conversation.encrypt(self._context, server.host)
                if server.user is not None:
                    conversation.sign_in(server.user, server.password or "")
                yield conversation
            finally:
                conversation.leave()


class _Conversation:
    """What is said to a server, a command at a time. No message of its own repeats what the server said."""

    def __init__(self, line: socket, name: str, domain: str) -> None:
        self._name = name
        self._domain = domain
        self._smtp = self._over(line)

    def _over(self, line: socket) -> smtplib.SMTP:
        """smtplib's command and reply over a connection that is there already; it neither asks for this machine's name
        nor tells it."""
        smtp = smtplib.SMTP(local_hostname=self._domain)
        smtp.sock, smtp.file = line, _WholeLines(line)
        return smtp

    def greet(self) -> None:
        """Be welcomed, and say who we are."""
        code, _said = self._heard(self._smtp.getreply)
        if code != 220:
            raise self._refused("us", code, b"", _of_the_service)
        self._introduce()

    def _introduce(self) -> None:
        code, said = self._heard(lambda: self._smtp.ehlo(self._domain))
        if code != 250:
            raise self._refused("us", code, said, _of_the_service)

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """From here on encrypted, or not at all. What the server said before that counts no more: it may have been
        somebody else's."""
        if not self._smtp.has_extn("starttls"):
            raise SendingFailed(Reason.UNREACHABLE, f"{self._name} does not offer STARTTLS; nothing was sent in clear")
        self.must("STARTTLS", "STARTTLS", "", _of_the_service, (220,))
        assert self._smtp.sock
        assert self._smtp.file
        self._smtp.file.close()
        self._smtp = self._over(wire.secured(self._smtp.sock, context, host))
        self._introduce()

    def sign_in(self, user: str, password: str) -> None:
        """Say who pays. Both ways say the password itself, which is why the connection is encrypted or this machine's
        own; smtplib's would not say one that is not ASCII."""
        offered = self._smtp.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            self.must("our sign-in", "AUTH", f"PLAIN {_coded(chr(0).join(['', user, password]))}", _of_the_sign_in)
        elif "LOGIN" in offered:
            self.must("our sign-in", "AUTH", "LOGIN", _of_the_sign_in, (334,))
            self.must("our sign-in", _coded(user), "", _of_the_sign_in, (334,))
            self.must("our sign-in", _coded(password), "", _of_the_sign_in)
        else:
            raise SendingFailed(Reason.CREDENTIALS, f"{self._name} takes no sign-in by PLAIN or LOGIN")

    def must(
        self, what: str, command: str, rest: str, judge: _Judge, wanted: tuple[int, ...] = (235, 250, 251, 252)
    ) -> None:
        """Say a command, and go on only where the reply is one of those wanted."""
        code, said = self._heard(lambda: self._smtp.docmd(command, rest))
        if code not in wanted:
            raise self._refused(what, code, said, judge)

    def hand_over(self, whole: bytes) -> None:
        """The letter itself. Before its last dot is out, it cannot arrive; after it, silence tells nothing."""
        self._heard(lambda: self._smtp.send(re.sub(rb"(?m)^\.", b"..", whole) + b".\r\n"))
        try:
            code, said = self._smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            message = f"{self._name} has the letter: {_why(error)}"
            raise SendingFailed(Reason.UNSURE, message) from None
        if not 200 <= code < 300:
            raise self._refused("the letter", code, said, _of_what_was_handed_over)

    def leave(self) -> None:
        """Take our leave, if anybody is there. Whatever comes of it, the letter's fate is known."""
        with suppress(smtplib.SMTPException, OSError):
            if self._smtp.sock:
                self._smtp.sock.settimeout(min(_FAREWELL, self._smtp.sock.gettimeout() or _FAREWELL))
                self._smtp.quit()
        self._smtp.close()

    def _heard(self, say: Callable[[], _Said]) -> _Said:
        try:
            return say()
        except (smtplib.SMTPException, OSError) as error:
            raise SendingFailed(Reason.UNREACHABLE, f"{self._name}: {_why(error)}") from None

    def _refused(self, what: str, code: int, said: bytes, judge: _Judge) -> SendingFailed:
        code_and_status = f"{code} {_enhanced(said)}".strip()
        return SendingFailed(judge(code, said), f"{self._name} refused {what} ({code_and_status})")


class _WholeLines:
    """What a server says, a line at a time, up to a limit. A line that breaks off is none: smtplib would take the `25`
    of a lost `250` for a reply, and any digits for a yes."""

    def __init__(self, line: socket) -> None:
        self._file = line.makefile("rb")
        self._left = _LONGEST_SPEECH

    def readline(self, limit: int) -> bytes:
        """The next line; nothing, as where a connection has ended, if there is none."""
        line = self._file.readline(min(limit, self._left))
        self._left -= len(line)
        return line if line.endswith(b"\n") else b""

    def close(self) -> None:
        """Read no more."""
        self._file.close()


def _of_the_service(code: int, said: bytes) -> Reason:
    return Reason.BUSY if code == 421 else Reason.UNREACHABLE


def _of_the_sign_in(code: int, said: bytes) -> Reason:
    return _unless_for_now(code) or Reason.CREDENTIALS


def _of_the_sender(code: int, said: bytes) -> Reason:
    return _unless_for_now(code) or (Reason.CREDENTIALS if code in _UNSIGNED else Reason.SENDER)


def _of_the_recipient(code: int, said: bytes) -> Reason:
    by_code = Reason.ADDRESS if code in (550, 551, 553) else None
    return _unless_for_now(code) or _by_words(code, said) or by_code or Reason.REFUSED


def _of_the_letter(code: int, said: bytes) -> Reason:
    return _unless_for_now(code) or _by_words(code, said) or Reason.REFUSED


def _of_what_was_handed_over(code: int, said: bytes) -> Reason:
    """As for any letter, but that a reply which is none leaves it open."""
    return _of_the_letter(code, said) if 400 <= code < 600 else Reason.UNSURE


def _unless_for_now(code: int) -> Reason | None:
    """None for a refusal for good; else what to make of a code that refuses for now, or of one that is out of place."""
    if 400 <= code < 500:
        return Reason.BUSY
    return None if 500 <= code < 600 else Reason.UNREACHABLE


def _by_words(code: int, said: bytes) -> Reason | None:
    """What a refusal says beyond its code; None where it says nothing more."""
    if code in _UNSIGNED:
        return Reason.CREDENTIALS
    for words, reason in _OF_US.items():
        if words.search(said):
            return reason
    status = _enhanced(said)
    by_status = (reason for beginning, reason in _BY_ENHANCED.items() if status.startswith(beginning))
    return next(by_status, Reason.BUSY if code == 552 else None)


def _enhanced(said: bytes) -> str:
    found = _ENHANCED.match(said.decode("latin-1"))
    return found[0] if found else ""


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _why(error: Exception) -> str:
    """smtplib puts words of its own round what went wrong, and sometimes the server's: neither is repeated."""
    if isinstance(error, smtplib.SMTPResponseException):
        return "what it said cannot be understood"
    return wire.why(error.__context__ or error)
