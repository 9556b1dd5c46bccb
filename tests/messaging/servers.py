"""The services on the other side: a mail server and an SMS gateway, both real, on loopback, and as bad as one likes.

    with MailHost() as host:                      # or starttls=True, tls=True, users={"enkat": "secret"}
        for_mail(host.settings()).send(letter)
        assert [taken.to for taken in host.taken] == [letter.to]

    with SmsHost() as gateway:                    # .elks() and .generic() are settings for it
        gateway.behave = at("request", refuse(503))
        ...

`taken` holds every message that the server has really taken, whatever it answered afterwards, in order. `moments` holds
every moment that was reached.

**What goes wrong** is one callable: `server.behave(moment)` is asked at each moment and gives a `Fault`, or None where
all is well. A `Moment` tells where (`at`), in which connection (`attempt`, from 1) and, once it is known, for whom
(`to`). It is asked in the servers' own threads and must not block. To write one:

    at("rcpt", refuse("550 5.1.1 Who?"))          # at each such moment
    only(3, at("rcpt", drop()))                   # in the third connection alone
    in_turn(at("data", drop()), None)             # the first connection so, the second so, all later ones as the last
    either(one, other)                            # the first of several that has a fault
    lambda moment: drop() if moment.at == "body" and dice.random() < 0.1 else None

Moments of mail: `connect` (before the greeting), `ehlo`, `starttls`, `auth`, `mail`, `rcpt`, `data` (before 354),
`body` (after the last dot), `quit`. Moments of SMS: `connect` (before anything is read), `head` (the headers are read,
the body is not), `request` (everything is read; where the account is asked for, `to` is the path).

Faults: `refuse(reply)` answers something else, `hang()` answers nothing, `drop()` ends the connection, `twice()` gives
the right answer two times, `drip(seconds)` gives the right answer a byte at a time. Where the whole message has been
read (`body`, `request`), `takes=True` has the server take it nevertheless: taken, and not a word came back. An SMS
host's `refuse` takes a status, with a body and headers, or raw bytes; a mail host's a whole reply."""

import asyncio
import datetime
import email
import email.policy
import ipaddress
import json
import logging
import socket
import ssl
import threading
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enkat.model.message import MailServer, Security, SmsGateway, SmsProtocol

logging.getLogger("mail.log").setLevel(logging.CRITICAL)

#: Longer than any test waits.
FOR_EVER = 30.0


# What goes wrong


class Deed(StrEnum):
    """How a server answers."""

    ANSWER = "answer"
    HANG = "hang"
    DROP = "drop"
    TWICE = "twice"
    DRIP = "drip"


@dataclass(frozen=True)
class Fault:
    """What a server does instead of what it should."""

    deed: Deed
    reply: bytes = b""
    takes: bool = False
    pause: float = 0.1


@dataclass(frozen=True)
class Moment:
    """Where a connection has come."""

    at: str
    attempt: int
    to: str = ""


Behaviour = Callable[[Moment], Fault | None]


def refuse(
    reply: str | int | bytes, body: str = "", headers: Mapping[str, str] | None = None, *, takes: bool = False
) -> Fault:
    """Another answer: `refuse("550 5.1.1 Who?")` for mail; `refuse(402, "no credit")` or raw bytes for SMS."""
    if isinstance(reply, int):
        reply = http_answer(reply, body, headers)
    elif isinstance(reply, str):
        reply = f"{reply}\r\n".encode()
    return Fault(Deed.ANSWER, reply, takes=takes)


def hang(*, takes: bool = False) -> Fault:
    """Say nothing, and hold the line."""
    return Fault(Deed.HANG, takes=takes)


def drop(*, takes: bool = False) -> Fault:
    """End the connection in the middle."""
    return Fault(Deed.DROP, takes=takes)


def twice() -> Fault:
    """Say the right thing two times."""
    return Fault(Deed.TWICE, takes=True)


def drip(pause: float = 0.1) -> Fault:
    """Say the right thing, a byte at a time."""
    return Fault(Deed.DRIP, takes=True, pause=pause)


def well(_moment: Moment) -> Fault | None:
    """Nothing goes wrong."""
    return None


def at(where: str, fault: Fault) -> Behaviour:
    return lambda moment: fault if moment.at == where else None


def only(attempt: int, behaviour: Behaviour) -> Behaviour:
    return lambda moment: behaviour(moment) if moment.attempt == attempt else None


def in_turn(*behaviours: Behaviour | None) -> Behaviour:
    return lambda moment: (behaviours[min(moment.attempt, len(behaviours)) - 1] or well)(moment)


def either(*behaviours: Behaviour) -> Behaviour:
    return lambda moment: next((fault for behave in behaviours if (fault := behave(moment))), None)


# What was taken


@dataclass(frozen=True)
class Taken:
    """A message that a server has taken. Of an e-mail `raw` is the whole of it; of an SMS `fields` is the request's
    body, `headers` its head with small letters, and `user` who was signed in."""

    to: str
    sender: str
    attempt: int
    raw: bytes = b""
    ehlo: str = ""
    user: str = ""
    recipients: tuple[str, ...] = ()
    text: str = ""
    path: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def mail(self) -> EmailMessage:
        """The e-mail, read as a mail program reads it."""
        message = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


class _Host:
    """What both servers share: a memory that many threads write to."""

    def __init__(self, behave: Behaviour = well) -> None:
        self.behave = behave
        self.taken: list[Taken] = []
        self.moments: list[Moment] = []
        self._lock = threading.Lock()
        self._attempts = 0

    def next_attempt(self) -> int:
        with self._lock:
            self._attempts += 1
            return self._attempts

    def fault(self, moment: Moment) -> Fault | None:
        with self._lock:
            self.moments.append(moment)
        return self.behave(moment)

    def take(self, message: Taken) -> None:
        with self._lock:
            self.taken.append(message)

    @property
    def attempts(self) -> int:
        """How many connections there were."""
        return self._attempts


# Certificates


@dataclass(frozen=True)
class Certificates:
    """An authority of our own, and a certificate of localhost and 127.0.0.1 that it has signed."""

    authority: str
    server: ssl.SSLContext

    @property
    def trusting(self) -> ssl.SSLContext:
        """A client that trusts our authority, and is otherwise as careful as any."""
        return ssl.create_default_context(cadata=self.authority)


@cache
def certificates(name: str = "localhost", address: str | None = "127.0.0.1") -> Certificates:
    """Made once a process for each name."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("enkat's tests", ca_key, "enkat's tests", ca_key, None)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if address:
        names.append(x509.IPAddress(ipaddress.ip_address(address)))
    own = _certificate("enkat's tests", ca_key, name, key, names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        pem = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        file.write_bytes(_pem(own) + key.private_bytes(serialization.Encoding.PEM, *pem))
        context.load_cert_chain(file)
    return Certificates(_pem(ca).decode(), context)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName] | None,
) -> x509.Certificate:
    """A certificate for a day; an authority's where it has no names."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names is None:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


# Mail


class MailHost(_Host):
    """A mail server, by aiosmtpd, in a thread of its own. `users` are who may sign in, None for anybody without;
    `tls` is encrypted from the first byte, `starttls` on request."""

    def __init__(
        self,
        behave: Behaviour = well,
        *,
        users: Mapping[str, str] | None = None,
        tls: bool = False,
        starttls: bool = False,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
        trust: Certificates | None = None,
    ) -> None:
        super().__init__(behave)
        self.users, self.tls, self.starttls, self.mechanisms = users, tls, starttls, mechanisms
        self._certificates = trust or (certificates() if tls or starttls else None)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.open: set[Any] = set()
        self.port = 0

    def settings(self, **changed: Any) -> MailServer:
        """Settings by which enkat finds this server."""
        security = Security.TLS if self.tls else Security.STARTTLS if self.starttls else Security.NONE
        user, password = next(iter((self.users or {}).items()), (None, None))
        usual = {"host": "127.0.0.1", "port": self.port, "security": security, "user": user, "password": password}
        names = {"sender": "svar@mitthem.example", "sender_name": "Mitthem"}
        return MailServer(**{**usual, **names, **changed})

    def __enter__(self) -> Self:
        self._loop.set_exception_handler(lambda _loop, _context: None)  # clients that hang up are what we are here for
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        context = self._certificates.server if self._certificates else None
        self._server = await self._loop.create_server(
            lambda: _Conversation(self, None if self.tls else context, self._loop),
            "127.0.0.1",
            0,
            ssl=context if self.tls else None,
            backlog=256,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for transport in self.open:
            transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=1)
        await asyncio.sleep(0)  # transports close in the next round


class _Conversation(SMTP):
    """One connection to a mail host: aiosmtpd's own, but that it asks before each command how to behave."""

    def __init__(self, host: MailHost, context: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop) -> None:
        self._host = host
        self._attempt = host.next_attempt()
        self._manner: Fault | None = None
        super().__init__(
            _Taking(self),
            hostname="mail.test",
            tls_context=context,
            authenticator=self._knows,
            auth_require_tls=context is not None,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - set(host.mechanisms),
            loop=loop,
        )
        for name in ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"):
            self._smtp_methods[name] = self._asking(name.lower(), self._smtp_methods[name])

    def _knows(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, said: LoginPassword
    ) -> AuthResult:
        users = self._host.users or {}
        known = users.get(said.login.decode()) == said.password.decode()
        # `handled` is False where aiosmtpd itself is to refuse, with 535.
        return AuthResult(success=known, handled=False, auth_data=said.login.decode())

    def _asking(self, where: str, method: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        async def asked(argument: Any) -> None:
            to = (argument or "").partition("<")[2].rpartition(">")[0] if where == "rcpt" else self._to()
            fault = self._host.fault(Moment(where, self._attempt, to))
            if await self._misbehaved(fault):
                pass
            elif where == "mail" and self._host.users is not None and not self.session.authenticated:
                await self.push("530 5.7.0 Authentication required")
            else:
                await method(argument)
            self._manner = None

        return asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._host.open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._host.open.discard(self.transport)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        fault = self._host.fault(Moment("connect", self._attempt))
        if fault and fault.deed is Deed.ANSWER:
            await super().push(fault.reply.removesuffix(b"\r\n"))
            return self.transport.close()
        if not await self._misbehaved(fault):
            with suppress(ConnectionError):
                await super()._handle_client()
        return None

    async def _misbehaved(self, fault: Fault | None) -> bool:
        """True where a fault took the answer's place; the manner of the answer is set where it did not."""
        self._manner = fault
        if fault is None or fault.deed in (Deed.TWICE, Deed.DRIP):
            return False
        if fault.deed is Deed.HANG:
            await asyncio.sleep(FOR_EVER)
        elif fault.deed is Deed.DROP:
            self.transport.abort()
            await asyncio.sleep(FOR_EVER)  # until aiosmtpd sees that the line is gone
        else:
            await super().push(fault.reply.removesuffix(b"\r\n"))
        return True

    async def push(self, status: Any) -> None:
        """A line of an answer, in the manner of the moment."""
        if self._manner and self._manner.deed is Deed.DRIP:
            for byte in (status.encode() if isinstance(status, str) else status) + b"\r\n":
                self._writer.write(bytes([byte]))
                await asyncio.sleep(self._manner.pause)
            return
        await super().push(status)
        if self._manner and self._manner.deed is Deed.TWICE:
            await super().push(status)

    def _to(self) -> str:
        return str(self.envelope.rcpt_tos[0]) if self.envelope and self.envelope.rcpt_tos else ""

    async def answer_to_body(self, session: Session, envelope: Envelope) -> str | bytes:
        """What is said once the whole letter is here."""
        fault = self._host.fault(Moment("body", self._attempt, self._to()))
        if fault is None or fault.takes:
            self._host.take(self._message(session, envelope))
        self._manner = fault
        if fault and fault.deed is Deed.ANSWER:
            return fault.reply.removesuffix(b"\r\n")
        if fault and fault.deed is Deed.HANG:
            await asyncio.sleep(FOR_EVER)
        if fault and fault.deed is Deed.DROP:
            self.transport.abort()
            await asyncio.sleep(FOR_EVER)  # until aiosmtpd sees that the line is gone
        return "250 2.0.0 Taken"

    def _message(self, session: Session, envelope: Envelope) -> Taken:
        content = envelope.original_content
        return Taken(
            to=self._to(),
            sender=str(envelope.mail_from),
            attempt=self._attempt,
            raw=content if isinstance(content, bytes) else b"",
            ehlo=str(session.host_name),
            user=str(session.auth_data or ""),
            recipients=tuple(str(to) for to in envelope.rcpt_tos),
        )


class _Taking:
    """What aiosmtpd calls a handler."""

    def __init__(self, conversation: _Conversation) -> None:
        self._conversation = conversation

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str | bytes:  # noqa: N802
        return await self._conversation.answer_to_body(session, envelope)


# SMS


class SmsHost(_Host):
    """An SMS gateway, in threads of its own. At `/a1/sms` it speaks as 46elks does, with the account at `/a1/me`; at
    `/send` it takes any form or JSON. `users` are who may sign in, None for anybody without."""

    def __init__(
        self,
        behave: Behaviour = well,
        *,
        users: Mapping[str, str] | None = None,
        tls: bool = False,
        trust: Certificates | None = None,
    ) -> None:
        super().__init__(behave)
        self.users, self.tls = users, tls
        self.context = (trust or certificates()).server if tls else None
        self.is_closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Request)
        self._server.sms_host = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{path}"

    def elks(self, **changed: Any) -> SmsGateway:
        """Settings by which enkat finds it as 46elks."""
        return self._settings({"protocol": SmsProtocol.ELKS, "url": self.url("/a1/sms")} | changed)

    def generic(self, **changed: Any) -> SmsGateway:
        """Settings by which enkat finds it as any gateway."""
        body = {"recipient": "{to}", "body": "{text}", "originator": "{sender}", "ref": "{id}", "callback": "{report}"}
        usual = {"protocol": SmsProtocol.GATEWAY, "url": self.url("/send"), "body": body}
        return self._settings(usual | changed)

    def _settings(self, changed: Mapping[str, Any]) -> SmsGateway:
        user, password = next(iter((self.users or {}).items()), (None, None))
        return SmsGateway(**{"sender": "Mitthem", "user": user, "password": password, **changed})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    sms_host: SmsHost

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what we are here for."""


class _Dropped(Exception):
    """The host has ended the connection."""


class _Request(BaseHTTPRequestHandler):
    """One connection to an SMS host, which is one request."""

    server: _Server
    timeout = FOR_EVER

    def setup(self) -> None:
        self.host = self.server.sms_host
        self.attempt = self.host.next_attempt()
        if self.host.context:
            self.request = self.host.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        with suppress(_Dropped, OSError):
            if fault := self._met("connect"):
                self._say(fault.reply, fault)
            else:
                self.handle_one_request()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""

    def do_GET(self) -> None:
        fault = self.host.fault(Moment("request", self.attempt, self.path))
        self._carry_out(fault, None)
        right = self._unsigned() or http_answer(200, json.dumps({"displayname": "Mitthem", "balance": 1000}))
        self._say(right if fault is None or fault.deed in (Deed.TWICE, Deed.DRIP) else fault.reply, fault)

    def do_POST(self) -> None:
        if fault := self._met("head"):
            return self._say(fault.reply, fault)
        fields = self._fields(self.rfile.read(int(self.headers["Content-Length"])))
        message = self._message(fields)
        fault = self._met("request", message)
        right = self._unsigned() or self._missing(fields)
        if right is None and (fault is None or fault.takes):
            self.host.take(message)
        if fault is None or fault.deed in (Deed.TWICE, Deed.DRIP):
            return self._say(right or self._accepted(message), fault)
        return self._say(fault.reply, fault)

    def _met(self, where: str, message: Taken | None = None) -> Fault | None:
        """What goes wrong here; a fault that answers nothing is carried out at once, once the message is taken."""
        fault = self.host.fault(Moment(where, self.attempt, message.to if message else ""))
        self._carry_out(fault, message)
        return fault

    def _carry_out(self, fault: Fault | None, message: Taken | None) -> None:
        if fault and fault.deed in (Deed.HANG, Deed.DROP):
            if fault.takes and message and not self._unsigned():
                self.host.take(message)
            if fault.deed is Deed.HANG:
                self.host.is_closing.wait(FOR_EVER)
            # Without this the rest would still be taken in and acknowledged by the machine itself.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raise _Dropped

    def _say(self, answer: bytes, fault: Fault | None) -> None:
        if fault and fault.deed is Deed.DRIP:
            for byte in answer:
                self.wfile.write(bytes([byte]))
                if self.host.is_closing.wait(fault.pause):
                    return
        else:
            self.wfile.write(answer * (2 if fault and fault.deed is Deed.TWICE else 1))

    def _unsigned(self) -> bytes | None:
        """The refusal of somebody who may not come in."""
        if self.host.users is None:
            return None
        user, _colon, password = self._pair().partition(":")
        known = self.host.users.get(user) == password
        return None if known else http_answer(401, "Bad credentials", {"WWW-Authenticate": "Basic"})

    def _pair(self) -> str:
        with suppress(ValueError):
            return b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        return ""

    def _fields(self, body: bytes) -> dict[str, Any]:
        if "json" in self.headers.get("Content-Type", ""):
            return dict(json.loads(body))
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))

    def _missing(self, fields: Mapping[str, Any]) -> bytes | None:
        """46elks' refusal of a request without one of its fields."""
        if not self.path.startswith("/a1/"):
            return None
        missing = [name for name in ("from", "to", "message") if not fields.get(name)]
        return http_answer(400, f"Missing key {missing[0]}") if missing else None

    def _message(self, fields: Mapping[str, Any]) -> Taken:
        return Taken(
            to=str(fields.get("to") or fields.get("recipient") or ""),
            sender=str(fields.get("from") or fields.get("originator") or ""),
            text=str(fields.get("message") or fields.get("body") or ""),
            attempt=self.attempt,
            user=self._pair().partition(":")[0],
            path=self.path,
            fields=fields,
            headers={name.lower(): value for name, value in self.headers.items()},
        )

    def _accepted(self, message: Taken) -> bytes:
        if not self.path.startswith("/a1/"):
            return http_answer(202, json.dumps({"accepted": True}))
        said = {"status": "created", "id": f"s{self.attempt:032x}", "from": message.sender, "to": message.to}
        return http_answer(200, json.dumps({**said, "message": message.text, "direction": "outgoing"}))


def http_answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer as it stands on the wire."""
    content = body.encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} So\r\n{head}\r\n".encode() + content


# Anything else


class RawHost:
    """A server of a few lines, for what no server in its right mind does: `serve` has each connection for itself."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                line, _peer = self._listener.accept()
                threading.Thread(target=self._attend, args=(line,), daemon=True).start()

    def _attend(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            self._serve(line)


def unused_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
